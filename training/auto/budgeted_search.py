"""Trial after trial: each begun only if it fits into the time, measured, told, and kept on disk.

A killed auto goes on with the trial it was at. The models of a trial are kept as they would be published, in a folder that is
renamed when it is whole; the leaderboard after it.
"""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from search.models.linear_adapter import LinearAdapter, is_matrix
from search.models.sentence_transformer import load_sentence_transformer
from search.projects.errors import Refused
from search.projects.progress import Progress
from training.auto.leaderboard import Leaderboard, Outcome, Trial
from training.checkpoints import Checkpointer

_NAME, _MODELS = "leaderboard", "trials"
_KEPT_EVERY = 5.0
"""Seconds."""
_GRACE = 1.1
"""What ends by itself at its best so far may measure that; nothing else goes on so long."""


class TimeUp(Exception):
    """A trial was still learning when its time was over.

    >>> TimeBudget(budget=1.0, spent=2.0).watched(lambda *said: None, "adapter")(1, 2, "epoch 1")
    Traceback (most recent call last):
    training.auto.budgeted_search.TimeUp
    """


class TimeBudget:
    """A budget of seconds that runs from now.

    :param budget: seconds in all.
    :param spent: seconds that an earlier process spent of it.

    >>> TimeBudget(budget=60.0, spent=90.0).left
    0.0
    """

    def __init__(self, budget: float, spent: float = 0.0) -> None:
        self.budget = budget
        self._started = time.monotonic() - spent

    @property
    def spent(self) -> float:
        """Seconds that are gone."""
        return time.monotonic() - self._started

    @property
    def left(self) -> float:
        """Seconds that are left, none when it is over."""
        return max(0.0, self.budget - self.spent)

    def watched(self, progress: Progress, what: str) -> Progress:
        """A progress for one trial: the bar is the budget, and a trial that hears nothing of its end is ended.

        :param what: the trial's name, before what it says itself.
        """

        def report(
            done: float, total: float, message: str, metrics: dict[str, float] | None = None
        ) -> None:
            gone = min(self.spent, self.budget)
            progress(gone, self.budget, f"{what}: {message}", metrics)
            if self.spent > self.budget * _GRACE:
                raise TimeUp

        return report


class TooLittleTime(Exception):
    """A trial that was begun found that it needs more time than there is.

    >>> def learn(progress):
    ...     raise TooLittleTime
    >>> search = BudgetedSearch(minutes=1, progress=lambda *said: None)
    >>> _ = search.tried("start", 0.0, lambda progress: TrialResult([], [0.5]))
    >>> search.tried("fine-tune", 0.0, learn).outcome.words
    'not begun: it would not fit into the time'
    """


@dataclass(frozen=True)
class TrialResult:
    """What a trial made.

    :param models: one of each member; none for the start.
    :param each: nDCG@10 of each dev query.
    :param facts: what its model's manifest says beside.

    >>> TrialResult(models=["a model"], each=[0.25, 0.5]).facts
    {}
    """

    models: Sequence[Any]
    each: Sequence[float]
    settings: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


class BudgetedSearch:
    """The leaderboard as it grows.

    :param checkpointer: keeps the leaderboard and its models, and finds those of an earlier process.
    :param base: the start: what is no SentenceTransformer is a matrix over it.
    :param spent: seconds of the budget that are gone before anything is tried.

    >>> search = BudgetedSearch(minutes=1, progress=lambda *said: None)
    >>> start = search.tried("start", 0.0, lambda progress: TrialResult([], [0.25, 0.5]))
    >>> search.tried("fine-tune", 600.0, lambda progress: TrialResult(["a model"], [0.5, 1.0])).outcome.words
    'not begun: it would not fit into the time'
    >>> search.leaderboard.leader.name
    'start'
    """

    def __init__(
        self,
        minutes: float,
        progress: Progress,
        checkpointer: Checkpointer | None = None,
        base: Any = None,
        spent: float = 0.0,
    ) -> None:
        self._checkpointer = checkpointer or Checkpointer()
        self._base = base
        self._progress = progress
        self._models: dict[str, Sequence[Any]] = {}
        self._held = ""
        saved = self._checkpointer.load(_NAME)
        known: dict[str, Any] = (
            saved.state if saved else {"trials": [], "spent": spent, "plans": {}}
        )
        self.leaderboard = Leaderboard([Trial.from_json(trial) for trial in known["trials"]])
        self._earlier = {trial.name: n for n, trial in enumerate(self.leaderboard.trials)}
        self._plans: dict[str, dict[str, Any]] = known["plans"]
        self.clock = TimeBudget(60 * minutes, known["spent"])
        for position in range(len(self.leaderboard.trials)):
            self._tell(position)

    @property
    def resumed(self) -> bool:
        """Whether it goes on from what an earlier process kept."""
        return bool(self._earlier)

    def tried(self, name: str, needs: float, learn: Callable[[Progress], TrialResult]) -> Trial:
        """Try one trial, unless it was tried before the process was killed.

        :param needs: seconds that it takes, estimated.
        :param learn: learns, told where to report.
        """
        if name in self._earlier:
            return self.leaderboard.trials[self._earlier[name]]
        started = time.monotonic()
        if needs > self.clock.left:
            return self._add(Trial(name, Outcome.NO_TIME))
        try:
            made = learn(self.clock.watched(self._report, name))
        except TooLittleTime:
            return self._add(Trial(name, Outcome.NO_TIME))
        except TimeUp:
            return self._add(Trial(name, Outcome.RAN_OUT, (), time.monotonic() - started))
        except Refused:
            return self._add(Trial(name, Outcome.CANNOT, (), time.monotonic() - started))
        outcome = self.leaderboard.outcome_of(made.each)
        spent = time.monotonic() - started
        trial = Trial(name, outcome, tuple(made.each), spent, made.settings, made.facts)
        return self._add(trial, made.models)

    def _report(
        self, done: float, total: float, message: str, metrics: dict[str, float] | None = None
    ) -> None:
        """Tell, and keep meanwhile what is spent: the time of a trial that is killed is gone, too."""
        if self._checkpointer.is_due(_KEPT_EVERY):
            self._save()
        self._progress(done, total, message, metrics)

    def planned(self, name: str, plan: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What a trial set out to do: made now, or by the process that was killed."""
        if name not in self._plans:
            self._plans[name] = plan()
            self._save()
        return self._plans[name]

    def models_of(self, trial: Trial) -> Sequence[Any]:
        """The models that a measured trial made, one of each member."""
        if trial.name not in self._models:
            folder = self._folder(self.leaderboard.trials.index(trial))
            assert folder is not None  # A trial of an earlier process came from there.
            self._models[trial.name] = _load_models(folder, self._base)
        return self._models[trial.name]

    def _add(self, trial: Trial, models: Sequence[Any] = ()) -> Trial:
        position = len(self.leaderboard.trials)
        if models:
            self._models[trial.name] = models
            if (folder := self._folder(position)) is not None:
                _save_models(folder, models)
        self.leaderboard.trials.append(trial)
        self._save()
        self._forget(trial)
        self._tell(position)
        return trial

    def hold(self, trial: Trial) -> None:
        """Keep the models of one trial, in place of those that were held before: a later one will go on from them."""
        self._held = trial.name

    def _forget(self, newest: Trial) -> None:
        """Only the newest is learned upon, only what leads is published, and only what is held is gone on from."""
        needed = {newest.name, self.leaderboard.leader.name, self._held}
        self._models = {name: kept for name, kept in self._models.items() if name in needed}
        for position, trial in enumerate(self.leaderboard.trials):
            if trial.name not in needed and (folder := self._folder(position)) is not None:
                shutil.rmtree(folder, ignore_errors=True)

    def _save(self) -> None:
        trials = [asdict(trial) for trial in self.leaderboard.trials]
        state = {"trials": trials, "spent": self.clock.spent, "plans": self._plans}
        self._checkpointer.save(_NAME, {}, state)

    def _folder(self, position: int) -> Path | None:
        """Where the models of a trial are kept."""
        root = self._checkpointer.folder
        return None if root is None else root / _MODELS / str(position)

    def _tell(self, position: int) -> None:
        done = min(self.clock.spent, self.clock.budget)
        self.leaderboard.trials[position].tell(position, done, self.clock.budget, self._progress)


def _save_models(folder: Path, models: Sequence[Any]) -> None:
    beside = folder.with_suffix(".part")
    shutil.rmtree(beside, ignore_errors=True)
    for number, model in enumerate(models):
        (part := beside / str(number)).mkdir(parents=True)
        model.save(str(part), create_model_card=False, safe_serialization=True)
    shutil.rmtree(folder, ignore_errors=True)
    beside.rename(folder)


def _load_models(folder: Path, base: Any) -> list[Any]:
    parts = sorted(folder.iterdir(), key=lambda part: int(part.name))
    return [
        LinearAdapter.load(part, base) if is_matrix(part) else load_sentence_transformer(part)
        for part in parts
    ]
