"""Projects that a training can be shown on."""

from collections.abc import Callable

import pytest

from search.corpus.corpus import current_corpus
from search.evaluation.query_sets.query_set import QuerySet
from search.projects.project import Project
from training.data.pair_sets import PairSet


@pytest.fixture
def ask_themselves() -> Callable[[Project], None]:
    """Makes the dev queries of a tiny project their own answers: nothing that is learned can beat the start."""

    def ask(project: Project) -> None:
        _, corpus = current_corpus(project)
        manifest = project.newest("pairs")
        pairs = PairSet.load(project, manifest).pairs
        documents = [corpus.document(f"d{number}") for number in range(24, 28)]
        dev = QuerySet({d.id: d.embedded for d in documents}, {d.id: {d.id: 1} for d in documents})
        with project.publish("pairs", manifest.made_from) as draft:
            PairSet(pairs, dev).save(draft)

    return ask
