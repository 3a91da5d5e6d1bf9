"""What a model was trained on, held against the queries that it is to be measured by."""

from collections.abc import Sequence
from contextlib import suppress

from search.corpus.corpus import Corpus
from search.corpus.labels import Pair
from search.corpus.readers.pairs import load_pairs
from search.evaluation.query_sets.leakage import dev_pairs, seen_in_training
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.query_sets.questions import NEW_DOCUMENTS, Question, question_of
from search.models.registry import REFIT_OF, ModelInfo
from search.projects.artifacts import Manifest
from search.projects.errors import Damaged, Refused
from search.projects.project import Project

TRAINED_ON = "trained_on.jsonl"


def trained_pairs(project: Project, info: ModelInfo) -> list[Pair]:
    """The pairs that a model was trained on; none for a ready-made one, or one that learned from documents."""
    if info.kind == "generic":
        return []
    manifest = project.artifact("models", info.id)
    if TRAINED_ON not in manifest.files:
        return []
    return load_pairs(project.checked(manifest) / TRAINED_ON)


def unseen(
    project: Project,
    infos: Sequence[ModelInfo],
    query_set: QuerySet,
    manifest: Manifest,
    corpus: Corpus,
    question: Question = NEW_DOCUMENTS,
) -> tuple[QuerySet, int]:
    """Leave out what a custom model may have been trained on, by the question that is to be answered.

    A model trained with this query set in view was kept apart from it then, by the same question or by the stricter one;
    only a model that is older than the query set, was made from another custom model, or answers another question needs a
    look at its training pairs.

    :raises Refused: where a model was trained once more on everything, these queries included.
    """
    seen: set[str] = set()
    for info in infos:
        if info.kind == "generic":
            continue
        model = project.artifact("models", info.id)
        if info.refit_of is not None and model.made_from.get("queries") == manifest.id:
            raise Refused(
                f"{info.name!r} learned from these very queries: it is {model.details[REFIT_OF]['name']!r}, trained once "
                "more on everything, so they cannot measure it. Measure that one: its figures are those of the recipe."
            )
        # A model of before there were two questions was kept apart strictly.
        apart = question_of(model.details) in (question, NEW_DOCUMENTS)
        if (
            apart
            and model.made_from.get("queries") == manifest.id
            and "base" not in model.made_from
        ):
            continue
        seen |= seen_in_training(trained_pairs(project, info), query_set, corpus, question)
    return query_set.only(q for q in query_set.queries if q not in seen), len(seen)


def asking_for_new_documents(
    project: Project,
    infos: Sequence[ModelInfo],
    query_set: QuerySet,
    manifest: Manifest,
    corpus: Corpus,
) -> set[str]:
    """The queries whose answers no custom model of these learned, or was steered by."""
    left, _ = unseen(project, infos, query_set, manifest, corpus)
    steered: list[Pair] = []
    for info in infos:
        if info.kind == "generic":
            continue
        model = project.artifact("models", info.id)
        if question_of(model.details) == NEW_DOCUMENTS or "pairs" not in model.made_from:
            continue
        with suppress(Damaged):  # They are gone.
            pairs = project.artifact("pairs", model.made_from["pairs"])
            steered += dev_pairs(project, pairs, corpus)
    return set(left.queries) - seen_in_training(steered, left, corpus)
