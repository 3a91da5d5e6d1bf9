"""Generated pairs that are saved beside those that people wrote, instead of in their place."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from search.corpus.corpus import current_corpus
from search.corpus.labels import Pair
from search.evaluation.query_sets.leakage import (
    DEV_KIND,
    GENERATED_DEV,
    MINED,
    ORIGIN,
    check_leaks,
    keep_apart,
    texts_of,
    training_side,
)
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.query_sets.questions import NEW_QUESTIONS
from search.projects.artifacts import Manifest
from search.projects.errors import Refused
from search.projects.progress import Progress
from search.projects.project import Project, on_newest
from training.data.pair_sets import Split, current_pairs
from training.data.real_and_generated import joined

_OF_THEIR_OWN = ("source", "seed", "file", "dev_leaks")
"""What a set of people's pairs says of where they came from, and goes on saying."""


def has_own_pairs(project: Project) -> bool:
    """Whether a project has pairs that people wrote."""
    manifest = project.newest("pairs")
    return manifest is not None and manifest.details.get(ORIGIN) != MINED


@on_newest
def save_beside(
    project: Project, made: Sequence[Pair], details: Mapping[str, Any], progress: Progress
) -> Manifest:
    """Publish a project's own pairs with generated ones beside them, in place of earlier generated ones.

    The query set stays as it is: generated queries enter no test, and none is learned from that dev or test asks.

    :param details: what the manifest says of the generated pairs.
    :raises Refused: where none is left.
    """
    manifest, corpus = current_corpus(project)
    earlier, pair_set = current_pairs(project)
    progress(0, 1, f"joining {len(made):,} generated pairs with {len(pair_set.pairs):,}")
    # Sets of before there were generated dev queries have no such key.
    before = set(earlier.details.get(GENERATED_DEV, ()))
    own = replace(
        pair_set, dev=pair_set.dev.only(q for q in pair_set.dev.queries if q not in before)
    )
    queries = project.newest("queries")
    held = QuerySet.with_sealed(project, queries) if queries is not None else QuerySet({}, {})
    usable = keep_apart(made, [own.dev, held], corpus, NEW_QUESTIONS).pairs
    if not usable:
        raise Refused("No generated pair is left beside those that dev and test ask.")
    texts = texts_of(corpus, {p.document for p in usable if p.document is not None})
    both, steering = joined(own, usable, texts)
    peoples = [pair for pair in training_side(project, earlier, corpus) if not pair.mined]
    kept = {key: earlier.details[key] for key in _OF_THEIR_OWN if key in earlier.details}
    split = Split(both.pairs, both.dev, QuerySet({}, {}))
    facts = {**kept, **details, "split": split.digest, GENERATED_DEV: steering}
    if steering:
        facts[DEV_KIND] = "partly generated"
    with project.publish("pairs", {"corpus": manifest.id}, **facts) as draft:
        both.save(draft)
        if queries is not None:
            test = QuerySet.load(project, queries)
            draft.details["leaks"] = check_leaks([*peoples, *usable], test, corpus).as_json(
                queries.id
            )
    progress(1, 1, f"{len(both.pairs):,} pairs to train on")
    return project.artifact("pairs", draft.id)
