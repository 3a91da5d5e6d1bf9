"""What the dev queries made of the evidence, kept as a report: fitted anew where column, corpus, pairs or query set is another."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from search.projects.artifacts import Manifest
from search.projects.project import Project
from search.retrieval.columns import SearchColumn
from search.retrieval.fingerprint import column_fingerprint
from search.retrieval.relevance.evidence import Table

_KIND = "relevance"
_MADE_SO = "relevance/1"  # Another number when the same dev queries lead to another calibration.
_NEVER_CERTAIN = 0.01
_FAR = 3.0


def standardised(rows: Table, means: Sequence[float], scales: Sequence[float]) -> Table:
    """Measures as deviations from the mean, at most three."""
    made: Table = np.clip((rows - np.array(means)) / np.array(scales), -_FAR, _FAR)
    return made


@dataclass(frozen=True)
class Logistic:
    """A logistic regression over standardised measures, none further out than three deviations: its log odds.

    What lies beyond was hardly seen on dev, such as three hits where there are fifty.

    >>> Logistic((1.0,), (2.0,), (3.0,), 0.5).of(np.array([[5.0], [99.0]])).tolist()
    [6.5, 9.5]
    """

    means: tuple[float, ...]
    scales: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float

    def of(self, rows: Table) -> Table:
        """The log odds of each row: shape (rows,)."""
        odds: Table = (
            standardised(rows, self.means, self.scales) @ np.array(self.weights) + self.bias
        )
        return odds


@dataclass(frozen=True)
class Steps:
    """From log odds to a probability that is what it says: isotonic steps, or a straight line through log odds (Platt).

    `at` and `shares` are the corners of the steps, empty for Platt's slope and shift.

    >>> Steps((), (), slope=1.0, shift=0.0).of(np.array([0.0])).tolist()
    [0.5]
    >>> Steps((0.0, 1.0), (0.2, 0.4)).of(np.array([-1.0, 0.5])).round(2).tolist()
    [0.2, 0.3]
    """

    at: tuple[float, ...]
    shares: tuple[float, ...]
    slope: float = 1.0
    shift: float = 0.0

    def of(self, odds: Table) -> Table:
        """The probability of each; never quite 0 or 1, which no number of dev queries shows."""
        if self.at:
            made = np.interp(odds, self.at, self.shares)
        else:
            made = 1 / (1 + np.exp(-(self.slope * odds + self.shift)))
        return np.clip(made, _NEVER_CERTAIN, 1 - _NEVER_CERTAIN)


@dataclass(frozen=True)
class Threshold:
    """A line through log odds: below it something is said of a question. None: it would say it too seldom, or too wrongly.

    `caught` is the share, on dev by cross-fitting, of the questions that it is there for; `wrong` of those it should spare.

    >>> first = Logistic((0.0,), (1.0,), (1.0,), 0.0)
    >>> low = np.array([0.2])
    >>> Threshold(first, 0.3, 0.9, 0.03).is_below(low), Threshold(first, None, 0.1, 0.03).is_below(low)
    (True, False)
    """

    log_odds: Logistic
    at: float | None
    caught: float
    wrong: float

    def is_below(self, measures: Table) -> bool:
        """Whether a question is below it, by its measures."""
        return self.at is not None and float(self.log_odds.of(measures[None])[0]) < self.at


@dataclass(frozen=True)
class Calibration:
    """What was fitted for a column on so many dev queries.

    `rough` says that nobody asked them: they were made of the documents. `foreign` is the line below which a question is not
    what the corpus is about, `unanswered` the one below which nothing in it seems to answer.

    >>> even = Logistic((0.0,), (1.0,), (1.0,), 0.0)
    >>> never = Threshold(even, None, 0.0, 0.0)
    >>> Calibration(even, Steps((), ()), never, never, queries=60).shares(np.array([[0.0]]))
    [0.5]
    """

    hit: Logistic
    steps: Steps
    foreign: Threshold
    unanswered: Threshold
    queries: int
    rough: bool = False

    def shares(self, hits: Table) -> Sequence[float]:
        """The probability that each hit answers, by its measures."""
        shares: list[float] = self.steps.of(self.hit.of(hits)).tolist()
        return shares


def find_calibration(
    project: Project, column: SearchColumn, corpus: Manifest
) -> Calibration | None:
    """What was fitted for a column over a corpus with today's dev queries, or None."""
    pairs, queries = (project.newest(kind) for kind in ("pairs", "queries"))
    report = project.newest_where(
        "reports",
        _details(project, column, corpus),
        corpus=corpus.id,
        pairs=None if pairs is None else pairs.id,
        queries=None if queries is None else queries.id,
    )
    if report is None:
        return None
    return TypeAdapter(Calibration).validate_python(report.details["calibration"])


def keep_calibration(
    project: Project, column: SearchColumn, model: str | None, corpus: Manifest, made: Calibration
) -> None:
    """Keep what was fitted.

    :param model: the id of the column's model; None for keyword search.
    """
    pairs, queries = (project.newest(kind) for kind in ("pairs", "queries"))
    sources = {
        "corpus": corpus.id,
        "model": model,
        "pairs": None if pairs is None else pairs.id,
        "queries": None if queries is None else queries.id,
    }
    made_from = {part: one for part, one in sources.items() if one is not None}
    details = _details(project, column, corpus)
    with project.publish("reports", made_from, **details, calibration=asdict(made)):
        pass


def _details(project: Project, column: SearchColumn, corpus: Manifest) -> dict[str, Any]:
    return {
        "report": _KIND,
        "made_so": _MADE_SO,
        "column": column_fingerprint(project, column, corpus),
    }
