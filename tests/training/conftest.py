"""Projects that a training can be shown on."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from search.corpus.corpus import current_corpus
from search.evaluation.query_sets.query_set import QuerySet
from search.models.pretrained.add import Choices, add_model
from search.models.registry import GENERIC, KEYWORD, choose_generic
from search.projects.project import Project
from search.retrieval.search import retrievers_for
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


@pytest.fixture(scope="session")
def searched_home(
    tmp_path_factory: pytest.TempPathFactory, tiny_import: Path, tiny_model: Path
) -> Path:
    """The folder of a tiny project whose generic model is a tiny one, with its indexes."""
    home = tmp_path_factory.mktemp("searched")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BESPOKE_HOME", str(home))
        made = Project(home / "Tiny").create()
        for kind in ("corpora", "pairs", "queries"):
            shutil.copytree(tiny_import / kind, made.folder / kind)
        add_model(made, str(tiny_model), Choices(name="tiny"))
        choose_generic(made, "tiny")
        retrievers_for(made, [GENERIC, KEYWORD])
    return made.folder


@pytest.fixture
def searched(workspace: Path, searched_home: Path) -> Project:
    """A copy of that project."""
    return Project(Path(shutil.copytree(searched_home, workspace / "Tiny")))
