"""The other question beside the one that a query set asks: which of its queries answer that, and what they say.

Each query of a set that asks for new documents is a new question, too. Of one that asks new questions, those tell of new
documents whose answers none of the measured models learned or was steered by; where these are too few, a second training
that keeps documents apart would make all of them tell.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from search.corpus.corpus import Corpus
from search.evaluation.query_sets.leakage import LeakCheck, keep_apart
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.query_sets.questions import (
    NEW_DOCUMENTS,
    NEW_QUESTIONS,
    TITLES,
    Question,
    question_of,
)
from search.evaluation.query_sets.trained_on import asking_for_new_documents, trained_pairs
from search.evaluation.rankings.metrics import Scores
from search.evaluation.statistics.groups import QueryGroups
from search.evaluation.statistics.significance import PairedTest
from search.models.registry import ModelInfo
from search.projects.artifacts import Manifest
from search.projects.project import Project

ENOUGH_QUERIES, ENOUGH_GROUPS = 50, 30
"""Of an evaluation's queries, so that those that ask for new documents are tested by themselves."""
Tests = Callable[[dict[str, Scores], QueryGroups], list[PairedTest]]
"""Makes every comparison, from column to metric to one score a query, and the groups of the queries."""


@dataclass(frozen=True)
class QuestionResult:
    """What the evaluation says to one question: on so many queries in so many independent groups.

    `clean` says that nothing crosses that may not, for this question. There are no comparisons where the queries are too few.

    >>> QuestionResult(queries=12, groups=9, clean=True).as_json()
    {'queries': 12, 'groups': 9, 'clean': True, 'comparisons': []}
    """

    queries: int
    groups: int
    clean: bool
    comparisons: list[PairedTest] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The shape that `evaluate --json` prints."""
        return {
            "queries": self.queries,
            "groups": self.groups,
            "clean": self.clean,
            "comparisons": [test.as_json() for test in self.comparisons],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "QuestionResult":
        """A result out of a manifest."""
        return TypeAdapter(cls).validate_python(stored)


def question_sentences(asked: Question, questions: Mapping[Question, QuestionResult]) -> list[str]:
    """In words which question the figures answer, and what some of the queries say to the other one.

    >>> results = {"new_questions": QuestionResult(9, 8, True), "new_documents": QuestionResult(4, 4, True)}
    >>> question_sentences("new_questions", results)
    ['These figures are about new questions on the documents that are here.']
    """
    said = [f"These figures are about {TITLES[asked]}."]
    own, documents = questions.get(asked), questions.get(NEW_DOCUMENTS)
    if own is None or documents is None or documents.queries == own.queries:
        return said
    return said + [
        f"New documents, which {documents.queries:,} of the queries in {documents.groups:,} groups ask for: "
        f"{test.sentence(documents.queries)}"
        for test in documents.comparisons
    ]


@dataclass(frozen=True)
class MeasuredQueries:
    """What was measured to answer the question of a query set: each query's scores, and the tests over all of them.

    `scores` are column to metric to one score a query, sorted by its id, as `groups` are; `tests` makes the comparisons
    of some of them.

    >>> one = MeasuredQueries({"generic": {"ndcg@10": [1.0, 0.5]}}, QueryGroups.single(2), [], lambda scores, groups: [])
    >>> one.part([True, False]).scores
    {'generic': {'ndcg@10': [1.0]}}
    """

    scores: Mapping[str, Scores]
    groups: QueryGroups
    comparisons: list[PairedTest]
    tests: Tests

    def part(self, chosen: Sequence[bool]) -> "MeasuredQueries":
        """The same on some of the queries; no tests where they are too few.

        :param chosen: one for each query.
        """
        members = np.asarray(chosen, dtype=np.bool_)
        if members.all():
            return self
        groups = self.groups.only(members)
        scores = {
            column: {metric: np.asarray(own)[members].tolist() for metric, own in each.items()}
            for column, each in self.scores.items()
        }
        tests: list[PairedTest] = []
        if members.sum() >= ENOUGH_QUERIES and groups.count >= ENOUGH_GROUPS and self.comparisons:
            tests = self.tests(scores, groups)
        return MeasuredQueries(scores, groups, tests, self.tests)

    def result(self, clean: bool) -> QuestionResult:
        """What it says."""
        return QuestionResult(len(self.groups.labels), self.groups.count, clean, self.comparisons)


def both_questions(
    project: Project,
    infos: Sequence[ModelInfo],
    query_set: QuerySet,
    manifest: Manifest,
    corpus: Corpus,
    leaks: LeakCheck,
    measured: MeasuredQueries,
) -> tuple[dict[Question, QuestionResult], str | None]:
    """What an evaluation says to either question, and what it would take to hear of new documents where it does not.

    :param infos: the models that were measured.
    :param query_set: the queries they were measured on, of the query set of this manifest.
    :param leaks: what that query set shares with the project's pairs.
    """
    own = {
        asked: measured.result(leaks.is_clean(asked)) for asked in (NEW_QUESTIONS, NEW_DOCUMENTS)
    }
    if question_of(manifest.details) == NEW_DOCUMENTS:
        return own, None
    told = asking_for_new_documents(project, infos, query_set, manifest, corpus)
    part = measured.part([query in told for query in sorted(query_set.queries)])
    # Documents do not cross here, whatever the split shares; queries may.
    own[NEW_DOCUMENTS] = part.result(leaks.is_clean(NEW_QUESTIONS))
    if len(told) == len(query_set.queries) or part.comparisons or not measured.comparisons:
        return own, None
    return own, _strict_training(project, infos, own[NEW_DOCUMENTS], query_set, corpus)


def _strict_training(
    project: Project,
    infos: Sequence[ModelInfo],
    result: QuestionResult,
    query_set: QuerySet,
    corpus: Corpus,
) -> str | None:
    """What a second, strict training would cost, where too few queries tell of new documents; None where it adds nothing.

    :param result: what is known of new documents.
    :param query_set: the queries that were measured.
    """
    for info in reversed(infos):
        if info.kind == "generic" or info.recipe is None:
            continue
        details = project.artifact("models", info.id).details
        if question_of(details) == NEW_DOCUMENTS:
            continue
        pairs = trained_pairs(project, info)
        left = len(keep_apart(pairs, [query_set], corpus).pairs)
        return (
            f"of new documents this says nothing yet: only {result.queries:,} of the {len(query_set.queries):,} queries, in "
            f"{result.groups:,} groups, ask for documents that no training pair answers with ({ENOUGH_QUERIES} in "
            f"{ENOUGH_GROUPS} groups would do). A second, strict training would tell; it learns from {left:,} of the "
            f"{len(pairs):,} pairs, in about the {details['seconds']:,.0f} s that this one took: "
            f"python cli.py train {project.name} --recipe {info.recipe} --strict"
        )
    return None
