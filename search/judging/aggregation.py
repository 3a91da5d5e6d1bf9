"""What several judges say together: one preference for a question, one grade for a document."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from search.corpus.labels import Judgments
from search.judging.inter_rater import InterRaterAgreement, inter_rater_agreement
from search.judging.votes import GRADES, Choice, ColumnPair, Judgment, choice_of


class Combine(StrEnum):
    """How the grades of several judges become one.

    median: the middle one, of an even number the lower of the two (when in doubt, less relevant).
    majority: the one that most gave; where several did, the lowest of them.
    strict: the lowest that anybody gave.
    A grade that settled a disagreement stands, whatever the others said.
    """

    MEDIAN = "median"
    MAJORITY = "majority"
    STRICT = "strict"

    def __call__(self, grades: Sequence[int]) -> int:
        """One grade out of one or more."""
        ordered = sorted(grades)
        if self is Combine.STRICT:
            return ordered[0]
        if self is Combine.MEDIAN:
            return ordered[(len(ordered) - 1) // 2]
        counts = Counter(ordered)
        most = max(counts.values())
        return min(value for value, count in counts.items() if count == most)


@dataclass(frozen=True)
class Disagreement:
    """What judges see differently, and nobody settled yet: a question, or one document for it."""

    question: str
    said: Mapping[str, str]
    document: str | None = None
    gap: float = 1.0


@dataclass(frozen=True)
class Votes:
    """The votes on one pair of columns, put together."""

    pair: ColumnPair
    by_question: Mapping[str, Mapping[str, Choice]]
    settled: Mapping[str, Choice] = field(default_factory=dict)

    @classmethod
    def of(cls, judgments: Iterable[Judgment], pair: ColumnPair) -> "Votes":
        """The votes on a pair among judgments that stand."""
        said: dict[str, dict[str, Choice]] = {}
        settled: dict[str, Choice] = {}
        for judgment in judgments:
            choice = choice_of(judgment.value)
            if judgment.kind != "vote" or choice is None or judgment.target != pair.key:
                continue
            if judgment.final:
                settled[judgment.question] = choice
            else:
                said.setdefault(judgment.question, {})[judgment.judge] = choice
        return cls(pair, said, settled)

    @property
    def questions(self) -> list[str]:
        """All questions with a vote."""
        return list(dict.fromkeys([*self.by_question, *self.settled]))

    def together(self, question: str) -> Choice | None:
        """What the judges say together: the vote with a majority of those who preferred a side.

        One side against the other counts; "both" and "neither" carry the day when no side is preferred more.
        None: as many for one side as for the other.
        """
        if question in self.settled:
            return self.settled[question]
        counts = Counter(self.by_question.get(question, {}).values())
        first, second = counts["first"], counts["second"]
        level = counts["both"] + counts["neither"]
        if first != second and max(first, second) >= level:
            return "first" if first > second else "second"
        if level > max(first, second):
            return "both" if counts["both"] >= counts["neither"] else "neither"
        return None

    def inter_rater_agreement(self) -> InterRaterAgreement:
        """How far the judges agree, on the four votes."""
        return inter_rater_agreement(_by_judge(self.by_question))

    def disagreements(self) -> list[Disagreement]:
        """The open ones: first where judges prefer opposite sides."""
        found = [
            Disagreement(
                question, said, gap=2.0 if {"first", "second"} <= set(said.values()) else 1.0
            )
            for question, said in self.by_question.items()
            if len(set(said.values())) > 1 and question not in self.settled
        ]
        return sorted(found, key=lambda open_: -open_.gap)


@dataclass(frozen=True)
class Grades:
    """The grades of all documents, put together."""

    by_document: Mapping[tuple[str, str], Mapping[str, int]]
    settled: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @classmethod
    def of(cls, judgments: Iterable[Judgment]) -> "Grades":
        """The grades among judgments that stand."""
        said: dict[tuple[str, str], dict[str, int]] = {}
        settled: dict[tuple[str, str], int] = {}
        for judgment in judgments:
            if judgment.kind != "grade" or judgment.value is None:
                continue
            key = (judgment.question, judgment.target)
            if judgment.final:
                settled[key] = int(judgment.value)
            else:
                said.setdefault(key, {})[judgment.judge] = int(judgment.value)
        return cls(said, settled)

    def judgments(self, how: Combine = Combine.MEDIAN) -> Judgments:
        """One grade for each document that was graded: question to document to grade."""
        made: Judgments = {}
        for question, document in dict.fromkeys([*self.by_document, *self.settled]):
            key = (question, document)
            value = self.settled.get(key)
            if value is None:
                value = how(list(self.by_document[key].values()))
            made.setdefault(question, {})[document] = value
        return made

    def inter_rater_agreement(self) -> InterRaterAgreement:
        """How far the judges agree, near misses counting as such."""
        return inter_rater_agreement(_by_judge(self.by_document), list(map(str, GRADES)))

    def disagreements(self) -> list[Disagreement]:
        """The open ones that matter: grades two or more apart, or on both sides of "relevant at all"."""
        found = []
        for (question, document), said in self.by_document.items():
            low, high = min(said.values()), max(said.values())
            if (high - low > 1 or low == 0 < high) and (question, document) not in self.settled:
                words = {judge: GRADES[value] for judge, value in said.items()}
                found.append(Disagreement(question, words, document, float(high - low)))
        return sorted(found, key=lambda open_: -open_.gap)


def _by_judge(said: Mapping[Any, Mapping[str, Any]]) -> dict[str, dict[Hashable, str]]:
    """What was said of items, by who said it."""
    ratings: dict[str, dict[Hashable, str]] = {}
    for item, values in said.items():
        for judge, value in values.items():
            ratings.setdefault(judge, {})[item] = str(value)
    return ratings
