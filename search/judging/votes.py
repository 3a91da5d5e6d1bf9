"""What a judge can say: a vote on two unlabelled sides, and a grade for one document."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from search.projects.errors import Refused

Choice = Literal["first", "second", "both", "neither"]
"""A vote as it is kept: in terms of the two columns in the order of their names, not of left and right."""
Layout = Literal["lists", "mixed"]
"""Two lists beside each other, or one that is interleaved from both."""
JudgmentKind = Literal["vote", "grade"]

CHOICES: tuple[Choice, ...] = get_args(Choice)
GRADES = {0: "not relevant", 1: "partly relevant", 2: "relevant", 3: "exactly this"}
"""Grades as TREC counts them: 0 is not relevant, everything above is, the higher the better."""
RELEVANT = 2
"""From this grade on a document is good enough to train on."""
_NAME_CHARACTERS = 60


@dataclass(frozen=True)
class ColumnPair:
    """The two columns that are compared, in the order of their names."""

    first: str
    second: str

    @classmethod
    def of(cls, one: str, other: str) -> "ColumnPair":
        """The pair of two columns, whichever comes first.

        :raises Refused: for one column twice.
        """
        if one == other:
            raise Refused(
                "Two different columns are needed: a side cannot be judged against itself."
            )
        first, second = sorted((one, other))
        return cls(first, second)

    @property
    def key(self) -> str:
        """One text that names the pair (column names hold no line breaks)."""
        return f"{self.first}\n{self.second}"

    @classmethod
    def from_key(cls, key: str) -> "ColumnPair":
        """The pair that a `key` names."""
        first, second = key.split("\n")
        return cls(first, second)

    def preferred(self, choice: Choice) -> str | None:
        """The column that a vote is for; None for both and neither."""
        return {"first": self.first, "second": self.second}.get(choice)


@dataclass(frozen=True)
class Judgment:
    """One thing that one judge said of one question; `value` None takes an earlier one back.

    `target` is the key of the column pair for a vote and the id of the document for a grade. A `final` judgment
    settles what judges disagree on. `token` is the page's own name for it: a judgment that arrives twice counts
    once.
    """

    judge: str
    question: str
    kind: JudgmentKind
    target: str
    value: str | None
    final: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)
    token: str | None = None
    number: int = 0
    time: str = ""

    @property
    def key(self) -> tuple[str, str, str, str, bool]:
        """What it is about: a later judgment with the same key replaces this one."""
        return self.judge, self.question, self.kind, self.target, self.final


def vote(judge: str, question: str, pair: ColumnPair, choice: Choice, **more: Any) -> Judgment:
    """A vote.

    :raises Refused: for a choice that there is not.
    """
    if choice not in CHOICES:
        raise Refused(f"{choice!r} is no vote: it is one of {', '.join(CHOICES)}.")
    return Judgment(judge, question, "vote", pair.key, choice, **more)


def grade(judge: str, question: str, document: str, value: int, **more: Any) -> Judgment:
    """A grade of one document for one question.

    :raises Refused: for a grade that there is not.
    """
    if value not in GRADES:
        raise Refused(f"{value!r} is no grade: grades are whole numbers from 0 to 3.")
    return Judgment(judge, question, "grade", document, str(value), **more)


def choice_of(said: object) -> Choice | None:
    """The vote that a word is; None for any other word."""
    return next((choice for choice in CHOICES if choice == said), None)


def judge_name(name: str) -> str:
    """A name that a judge can go by, without outer and double white space.

    :raises Refused: when it is empty, too long, or holds characters that cannot be seen.
    """
    tidy = " ".join(name.split())
    if not tidy:
        raise Refused("Say who you are: a first name will do.")
    if len(tidy) > _NAME_CHARACTERS or not tidy.isprintable():
        raise Refused(f"A name has at most {_NAME_CHARACTERS} letters, all of which can be seen.")
    return tidy
