"""The trials that were tried, simple ones first, and which of them stands: the best on dev that is surely better.

Choosing the highest of many dev scores rewards luck. A trial takes the lead only when its gain over the leader is more
than the standard error of that gain, query by query (after the one-standard-error rule; Breiman et al. 1984,
"Classification and Regression Trees"); within that, the simpler one stays, and before the first, the start.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np

from search.projects.progress import Progress


class Outcome(IntEnum):
    """What became of a trial, in words for people; the number travels with a run's events.

    >>> Outcome.NO_BETTER.words
    'not better'
    """

    LEADS = 1, "better than all before"
    WITHIN_NOISE = 2, "better by no more than chance: the simpler one stays"
    NO_BETTER = 3, "not better"
    NO_TIME = 4, "not begun: it would not fit into the time"
    RAN_OUT = 5, "the time ran out before it was measured"
    CANNOT = 6, "not possible with this start"

    words: str

    def __new__(cls, number: int, words: str = "") -> "Outcome":
        made = int.__new__(cls, number)
        made._value_, made.words = number, words
        return made


KEPT = "kept"
TRIAL, SCORE, SECONDS, OUTCOME = "trial", "trial ndcg@10", "trial seconds", "trial outcome"
"""The numbers by which a run tells a trial; the message with them is the trial's name."""
MEMBER = "trial member"
"""The number by which a run tells whose curve it is, where several models learn a trial."""


@dataclass(frozen=True)
class Trial:
    """One thing that was tried, or not.

    :param each: nDCG@10 of each dev query, none where it was not measured.
    :param seconds: what it took.
    :param settings: how it was trained, where it was.
    :param facts: what its model's manifest says beside.

    >>> Trial("adapter", Outcome.LEADS, each=(0.25, 0.75), seconds=12.0).score
    0.5
    """

    name: str
    outcome: Outcome
    each: tuple[float, ...] = ()
    seconds: float = 0.0
    settings: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def score(self) -> float | None:
        """Mean nDCG@10 on dev."""
        return float(np.mean(self.each)) if self.each else None

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> "Trial":
        """Out of a checkpoint, which keeps it as a dictionary."""
        return cls(**{**saved, "each": tuple(saved["each"]), "outcome": Outcome(saved["outcome"])})

    def tell(self, position: int, done: float, total: float, progress: Progress) -> None:
        """A point of the leaderboard, for whoever watches."""
        numbers = {TRIAL: position, SECONDS: self.seconds, OUTCOME: int(self.outcome)}
        numbers |= {} if self.score is None else {SCORE: self.score}
        progress(done, total, self.name, numbers)


class Leaderboard:
    """Trials in the order in which they were tried; the first is the start.

    >>> board = Leaderboard([Trial("start", Outcome.LEADS, each=(0.25, 0.5, 0.5))])
    >>> board.outcome_of((0.5, 0.75, 0.75)), board.outcome_of((1.0, 0.25, 0.5))
    (<Outcome.LEADS: 1>, <Outcome.WITHIN_NOISE: 2>)
    """

    def __init__(self, trials: Sequence[Trial] = ()) -> None:
        self.trials = list(trials)

    @property
    def leader(self) -> Trial:
        """The trial that stands: the last that took the lead."""
        return next(trial for trial in reversed(self.trials) if trial.outcome is Outcome.LEADS)

    def outcome_of(self, each: Sequence[float]) -> Outcome:
        """What becomes of a trial with these dev scores."""
        if not self.trials:
            return Outcome.LEADS
        gains = np.asarray(each) - np.asarray(self.leader.each)
        gain = float(np.mean(gains))
        if gain <= 0:
            return Outcome.NO_BETTER
        error = float(np.std(gains, ddof=1) / np.sqrt(len(gains))) if len(gains) > 1 else np.inf
        return Outcome.LEADS if gain > error else Outcome.WITHIN_NOISE

    def table(self) -> list[dict[str, Any]]:
        """For the manifest: name, dev nDCG@10, seconds, whether it was kept or why not, and how it was trained."""
        return [
            {
                "name": trial.name,
                "ndcg@10": trial.score,
                "seconds": round(trial.seconds, 1),
                "outcome": self._said_of(trial),
                "settings": trial.settings,
            }
            for trial in self.trials
        ]

    @property
    def note(self) -> str:
        """In words what was tried and what is kept."""
        measured = [trial for trial in self.trials if trial.each]
        first, last = measured[0], self.leader
        number = len(measured) - 1
        tried = "1 way to learn was tried" if number == 1 else f"{number} ways to learn were tried"
        if last is first:
            return f"{tried}; none was surely better than the start on the dev queries."
        return (
            f"{tried}. Kept: {last.name}, {last.score:.3f} nDCG@10 on {len(last.each):,} dev queries (the start, "
            f"{first.score:.3f})."
        )

    def _said_of(self, trial: Trial) -> str:
        if trial is self.leader:
            return KEPT
        if trial is self.trials[0]:
            return "what all others start from"
        if trial.outcome is Outcome.LEADS:
            return "overtaken by a later one"
        return trial.outcome.words
