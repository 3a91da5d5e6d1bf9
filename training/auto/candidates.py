"""What is tried: an adapter, whatever else learns from pairs in little time, fine-tunings; an adapter on each.

Every member learns what is tried; a trial is measured on all that any of them was asked, each by who had not seen it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from search.projects.progress import Progress, Stage
from training.adapter.settings import AdapterSettings
from training.auto.budgeted_search import BudgetedSearch, TooLittleTime, TrialResult
from training.auto.fitting import SAFETY, Fitted, fitted
from training.auto.folds import facts_of, merged
from training.auto.leaderboard import MEMBER, Trial
from training.auto.member import ORIGIN, OTHERS, STEERING, Member
from training.auto.settings import AutoSettings
from training.base_model import load_trainable_base
from training.dev_set import START
from training.fine_tune.settings import FineTuneSettings
from training.fine_tune.speed import characters, pace
from training.probe import adapter_step
from training.refit_plan import PLAN
from training.result import Request
from training.weight_interpolation import SHARES

ADAPTER = "adapter"
TUNE = "fine-tune"
RATES = {TUNE: 2e-4, f"{TUNE}, smaller steps": 5e-5}
"""Learning rates, in the order in which they are tried."""
_EPOCHS, _FEWEST_EPOCHS = 60, 10
"""Of an adapter; it keeps the best of them, and their number sets how slowly it comes to rest."""
_ADAPTER_SHARE = 0.2
_OTHERS_NEED = 0.2
_LOOKS = 1.5
"""An adapter's epoch with the dev measurements in between, over its steps alone."""

_Learns = Callable[[int, Member, Progress], TrialResult]
"""How one member learns: its place, itself, and where to report."""


class Candidates:
    """The ways to learn, tried on one leaderboard by all members.

    >>> from types import SimpleNamespace as Some
    >>> import numpy as np
    >>> class Mined:  # Stands in for a member whose pairs nobody asked.
    ...     data, material = Some(queries=np.eye(4)), Some(synthetic=True)
    ...     start = lambda self: TrialResult([], [0.5, 0.25])
    ...     adapter = lambda self, epochs, progress: TrialResult(["a matrix"], [1.0, 0.5])
    >>> search = BudgetedSearch(minutes=1, progress=lambda *said: None)
    >>> Candidates(Request(None, "mine", "auto", AutoSettings()), [Mined()], search).search()
    >>> [(trial.name, trial.score) for trial in search.leaderboard.trials]
    [('start', 0.375), ('adapter', 0.75)]
    """

    def __init__(self, request: Request, members: Sequence[Member], search: BudgetedSearch) -> None:
        assert isinstance(request.settings, AutoSettings)
        self._request = request
        base, seed = request.settings.base, request.settings.seed
        self._fine_tuning = FineTuneSettings(base=base, seed=seed)
        self._members = members
        self._search = search

    def search(self) -> None:
        """Try one after another, the cheap ones first, while the time lasts."""
        start = self._tried(START, 0.0, lambda position, member, progress: member.start())
        epochs = self._epochs()
        needs = self._adapter_seconds()
        self._tried(ADAPTER, needs, lambda _, member, progress: member.adapter(epochs, progress))
        if self._members[0].material.synthetic:
            return  # What nobody asked teaches a whole model too much.
        clock = self._search.clock
        for name in sorted(OTHERS):
            needs = _OTHERS_NEED * clock.budget
            other = self._tried(name, needs, partial(self._other, name))
            self._topped(other, start)
        for name, rate in RATES.items():
            tuned = self._tried(name, 0.0, partial(self._tune, name, rate))
            self._topped(tuned, start)

    def _tried(self, name: str, needs: float, learns: _Learns) -> Trial:
        """Let every member learn, and take what they made as one trial."""
        count = len(self._members)

        def all_learn(progress: Progress) -> TrialResult:
            made = [
                learns(position, member, _of(progress, position, count))
                for position, member in enumerate(self._members)
            ]
            return self._together(made)

        return self._search.tried(name, needs, all_learn)

    def _together(self, made: Sequence[TrialResult]) -> TrialResult:
        if len(made) == 1:
            return made[0]
        kept = "; ".join(one.settings["kept"] for one in made if one.settings)
        return TrialResult(
            [model for one in made for model in one.models],
            merged([m.material for m in self._members], [one.each for one in made]),
            made[0].settings | ({"kept": kept} if kept else {}),
            facts_of([one.facts for one in made]),
        )

    def _topped(self, below: Trial, start: Trial) -> None:
        """Try an adapter on what a trial made, where that is better than the start."""
        if below.score is None or below.score <= (start.score or 0.0):
            return
        origin = {key: below.facts[key] for key in (ORIGIN, PLAN) if key in below.facts}
        epochs = self._epochs()

        def learns(position: int, member: Member, progress: Progress) -> TrialResult:
            model = self._search.models_of(below)[position]
            return member.on(below.name, model, origin, epochs, progress)

        self._tried(f"{ADAPTER} on {below.name}", self._top_seconds(below.name), learns)

    def _other(self, name: str, position: int, member: Member, progress: Progress) -> TrialResult:
        clock, after = self._search.clock, len(self._members) - 1 - position
        share = _OTHERS_NEED * clock.budget / len(self._members)
        return member.other(name, lambda: clock.left <= after * share, progress)

    def _tune(
        self, name: str, rate: float, position: int, member: Member, progress: Progress
    ) -> TrialResult:
        plan = self._search.planned(name, self._plan)
        if not plan["epochs"]:
            raise TooLittleTime
        chosen = {"learning_rate": rate, "epochs": plan["epochs"]}
        settings = self._fine_tuning.model_copy(update=chosen)
        clock, after = self._search.clock, len(self._members) - 1 - position
        reserve = plan["reserve"] + after * plan["seconds"]
        return member.tune(name, settings, plan["pairs"], lambda: clock.left < reserve, progress)

    def _plan(self) -> dict[str, Any]:
        """How much fine-tuning fits, timed here and now: as much for each member."""
        longest = max(self._members, key=lambda member: len(member.material.guarded.pairs))
        pairs, dev = longest.material.guarded.pairs, longest.material.dev
        model = load_trainable_base(self._request.project, self._fine_tuning.base)
        speed = pace(model, pairs, dev, self._fine_tuning)
        # Afterwards: the whole pool once, the pairs as the tuned model sees them, and an adapter on it.
        read = sum(characters(m.material.dev.texts) + m.beside_the_pool() for m in self._members)
        after = speed.character * read + self._adapter_seconds()
        pool = characters(dev.narrowed(STEERING).texts)
        free = (self._search.clock.left - after) / len(self._members)
        fits = fitted(speed, len(pairs), pool, 1 + len(SHARES), free) or Fitted(0, 0, 0.0)
        reserve = (after + len(SHARES) * pool * speed.character) / SAFETY
        return {**asdict(fits), "character": speed.character, "reserve": reserve}

    def _top_seconds(self, name: str) -> float:
        if name in RATES:
            each: float = self._search.planned(name, self._plan)["character"]
        else:
            each = max(member.character_seconds.get(name, 0.0) for member in self._members)
        return each * sum(m.reads(name) for m in self._members) + self._adapter_seconds()

    def _epochs(self) -> int:
        """How many epochs an adapter has time for."""
        allowed = int(_ADAPTER_SHARE * self._search.clock.left / self._epoch_seconds())
        return max(1, min(_EPOCHS, allowed))

    def _adapter_seconds(self) -> float:
        """What an adapter takes at the least that is worth its while."""
        return self._epoch_seconds() * _FEWEST_EPOCHS

    def _epoch_seconds(self) -> float:
        """What an epoch of an adapter takes, all members together."""
        size = AdapterSettings().batch_size
        batches = sum(math.ceil(len(member.data.queries) / size) for member in self._members)
        step = adapter_step(self._members[0].data.queries.shape[1])
        return 2 * batches * step * _LOOKS


def _of(progress: Progress, position: int, count: int) -> Progress:
    """What one of several members tells, its part of the whole."""
    if count == 1:
        return progress
    stage = Stage(progress, position / count, (position + 1) / count)
    who = f"model {position + 1} of {count}"
    return lambda done, total, message, metrics=None: stage(
        done, total, f"{who}: {message}", None if metrics is None else metrics | {MEMBER: position}
    )
