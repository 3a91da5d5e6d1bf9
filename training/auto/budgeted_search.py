"""Rung after rung: each begun only if it fits into the time, measured, told, and kept on disk."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from search.projects.errors import Refused
from search.projects.progress import Progress
from training.auto.checkpoint import SearchCheckpointer, SearchState
from training.auto.clock import TimeBudget, TimeUp
from training.auto.leaderboard import Outcome, Trial
from training.settings import RecipeSettings

_KEPT_EVERY = 5.0
"""Seconds."""


class TooLittleTime(Exception):
    """A rung that was begun found that it needs more time than there is."""


@dataclass(frozen=True)
class TrialResult:
    """What a rung made.

    :param models: one of each member; none for the start.
    :param each: nDCG@10 of each dev query.
    :param facts: what its model's manifest says beside.
    """

    models: Sequence[Any]
    each: Sequence[float]
    settings: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


class BudgetedSearch:
    """The ladder as it grows.

    :param keeper: None keeps nothing on disk.
    """

    def __init__(
        self, minutes: float, keeper: SearchCheckpointer | None, progress: Progress
    ) -> None:
        self._keeper = keeper
        self._saved = keeper.load() if keeper else SearchState.nothing()
        self._earlier = {rung.name: n for n, rung in enumerate(self._saved.ladder.rungs)}
        self._models: dict[str, Sequence[Any]] = {}
        self._progress = progress
        self.ladder = self._saved.ladder
        self.clock = TimeBudget(60 * minutes, self._saved.spent)
        for position in range(len(self.ladder.rungs)):
            self._tell(position)

    @property
    def resumed(self) -> bool:
        """Whether it goes on from what an earlier process kept."""
        return bool(self._earlier)

    def tried(self, name: str, needs: float, learn: Callable[[Progress], TrialResult]) -> Trial:
        """Try one rung, unless it was tried before the process was killed.

        :param needs: seconds that it takes, estimated.
        :param learn: learns, told where to report.
        """
        if name in self._earlier:
            return self.ladder.rungs[self._earlier[name]]
        started = time.monotonic()
        if needs > self.clock.left:
            return self._add(Trial(name, Outcome.NO_TIME))
        try:
            made = learn(self._timed(self.clock.watched(self._progress, name)))
        except TooLittleTime:
            return self._add(Trial(name, Outcome.NO_TIME))
        except TimeUp:
            return self._add(Trial(name, Outcome.RAN_OUT, (), time.monotonic() - started))
        except Refused:
            return self._add(Trial(name, Outcome.CANNOT, (), time.monotonic() - started))
        outcome = self.ladder.outcome_of(made.each)
        spent = time.monotonic() - started
        rung = Trial(name, outcome, tuple(made.each), spent, made.settings, made.facts)
        return self._add(rung, made.models)

    def _timed(self, progress: Progress) -> Progress:
        """The same, and what is spent is kept meanwhile: the time of a rung that is killed is gone, too."""
        kept = self.clock.spent

        def report(
            done: float, total: float, message: str, metrics: dict[str, float] | None = None
        ) -> None:
            nonlocal kept
            if self.clock.spent - kept > _KEPT_EVERY:
                kept = self.clock.spent
                self._save()
            progress(done, total, message, metrics)

        return report

    def planned(self, name: str, plan: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What a rung set out to do: made now, or by the process that was killed."""
        if name not in self._saved.plans:
            self._saved.plans[name] = plan()
            self._save()
        return self._saved.plans[name]

    def models_of(self, rung: Trial) -> Sequence[Any]:
        """The models that a measured rung made, one of each member."""
        if rung.name not in self._models:
            assert self._keeper is not None  # A rung of an earlier process came from there.
            position = self.ladder.rungs.index(rung)
            self._models[rung.name] = self._keeper.load_models(position)
        return self._models[rung.name]

    def _add(self, rung: Trial, models: Sequence[Any] = ()) -> Trial:
        position = len(self.ladder.rungs)
        if models:
            self._models[rung.name] = models
            if self._keeper:
                self._keeper.save_models(position, models)
        self.ladder.rungs.append(rung)
        # Only the newest is learned upon, and only what leads is published: the others need no memory.
        needed = {rung.name, self.ladder.leader.name}
        self._models = {name: kept for name, kept in self._models.items() if name in needed}
        self._save()
        self._tell(position)
        return rung

    def _save(self) -> None:
        if self._keeper:
            self._saved.spent = self.clock.spent
            self._keeper.save(self._saved)

    def _tell(self, position: int) -> None:
        done = min(self.clock.spent, self.clock.budget)
        self.ladder.rungs[position].tell(position, done, self.clock.budget, self._progress)


def as_settings(settings: RecipeSettings) -> dict[str, Any]:
    """Settings as plain JSON."""
    return settings.model_dump(mode="json")
