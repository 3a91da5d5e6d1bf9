"""What is tried: an adapter, whatever else learns from pairs in little time, fine-tunings; an adapter on each.

Every member learns what is tried; a trial is measured on all that any of them was asked, each by who had not seen it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from search.projects.progress import Progress, Stage
from training.adapter.settings import AdapterSettings
from training.auto.budgeted_search import BudgetedSearch, TooLittleTime, TrialResult
from training.auto.fitting import SAFETY, STEERING, Fitted, fitted, steered_by
from training.auto.folds import facts_of, merged
from training.auto.leaderboard import MEMBER, Outcome, Trial
from training.auto.member import ORIGIN, OTHERS, Member
from training.auto.settings import AutoSettings
from training.auto.tunings import TUNINGS, Tuning
from training.base_model import load_trainable_base
from training.dev_set import START
from training.fine_tune.settings import FineTuneSettings
from training.fine_tune.speed import TrainingSpeed, characters, pace
from training.probe import adapter_step
from training.refit_plan import PLAN
from training.result import Request
from training.weight_interpolation import SHARES

ADAPTER = "adapter"
_HARD = 1.6
"""What a pair with a hard negative takes, over one without."""
_TOP_SHARE = 0.15
"""Of the minutes at most for an adapter on a fine-tuned model, which has to encode the pairs anew."""
_FEWEST_ON_TOP = 200
"""Pairs; with fewer of those that there are an adapter on a fine-tuned model is not begun."""
_EPOCHS, _FEWEST_EPOCHS = 60, 10
"""Of an adapter; it keeps the best of them, and their number sets how slowly it comes to rest."""
_ADAPTER_SHARE = 0.2
_OTHERS_NEED = 0.2
_LOOKS = 1.5
"""An adapter's epoch with the dev measurements in between, over its steps alone."""

_SURE = 0.9
"""Of the time that seems to be there, for what cannot be ended half-way."""
_PACE = "pace"
"""Among the plans: what a step takes, timed once."""

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
        tuned: list[Trial] = []
        for tuning in TUNINGS:
            best = max(tuned, key=lambda trial: trial.score or 0.0, default=start)
            if tuning.relative and best is start:
                continue  # Nothing was learned that it could go on from, or by.
            made = self._tried(tuning.title, 0.0, partial(self._tune, tuning, best))
            if made.outcome is Outcome.CANNOT:
                return
            if (made.score or 0.0) > (start.score or 0.0):
                tuned.append(made)
                self._search.hold(max(tuned, key=lambda trial: trial.score or 0.0))
            self._topped(made, start)

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
        origin = _origin_of(below)
        epochs = self._epochs()
        pairs = self._pairs_on_top(below.name)

        def learns(position: int, member: Member, progress: Progress) -> TrialResult:
            model = self._search.models_of(below)[position]
            return member.on(below.name, model, origin, pairs, epochs, progress)

        self._tried(f"{ADAPTER} on {below.name}", 0.0 if pairs else math.inf, learns)

    def _other(self, name: str, position: int, member: Member, progress: Progress) -> TrialResult:
        clock, after = self._search.clock, len(self._members) - 1 - position
        share = _OTHERS_NEED * clock.budget / len(self._members)
        return member.other(name, lambda: clock.left <= after * share, progress)

    def _tune(
        self, tuning: Tuning, best: Trial, position: int, member: Member, progress: Progress
    ) -> TrialResult:
        plan = self._search.planned(tuning.title, partial(self._plan, tuning))
        fits = Fitted(**plan["fits"])
        if not fits.epochs:
            raise TooLittleTime
        rate = tuning.rate * (best.settings["learning_rate"] if tuning.relative else 1.0)
        chosen = {
            "learning_rate": rate,
            "epochs": fits.epochs,
            "batch_size": tuning.batch_size,
            "hard_negatives": tuning.hard_negatives,
            "blend": plan["blend"],
        }
        settings = self._fine_tuning.model_copy(update=chosen)
        clock, after = self._search.clock, len(self._members) - 1 - position
        reserve = plan["reserve"] + after * fits.seconds / SAFETY
        begins = None
        if tuning.goes_on:
            begins = self._search.models_of(best)[position], _origin_of(best)
        return member.tune(
            tuning.title, settings, fits, lambda: clock.left < reserve, progress, begins
        )

    def _plan(self, tuning: Tuning) -> dict[str, Any]:
        """How much of a fine-tuning fits: as much for each member."""
        speed = TrainingSpeed(**self._search.planned(_PACE, self._pace))
        longest = self._longest()
        dev = longest.material.dev
        pools = {size: characters(steered_by(dev, size).texts) for size in STEERING}
        # Afterwards: the whole pool once, the pairs as the tuned model sees them, and an adapter on it; what goes on uses
        # what is left, and has an adapter where there is time even then.
        pool = speed.character * sum(characters(m.material.dev.texts) for m in self._members)
        reads = speed.character * sum(m.beside_the_pool() for m in self._members)
        top = min(reads, _TOP_SHARE * self._search.clock.budget) + self._adapter_seconds()
        if tuning.hard_negatives:
            speed = replace(speed, pair=_HARD * speed.pair, first=_HARD * speed.first)
        count, members = len(longest.material.guarded.pairs), len(self._members)
        least = tuning.share * self._seen_first(tuning)
        # Rather without an adapter on it, and without a look at blends, than not at all.
        ways = ((top, len(SHARES)), (0.0, len(SHARES)), (0.0, 0))
        for after, blends in ways[2 * tuning.goes_on :]:
            free = (self._search.clock.left - pool - after) / members
            fits = fitted(speed, count, pools, blends, free, tuning.epochs)
            if fits is not None and fits.seen >= least:
                last = (1 + blends) * speed.measurement(pools[fits.passages])
                reserve = (pool + after + last) / _SURE
                return {"fits": asdict(fits), "reserve": reserve, "blend": blends > 0}
        return {"fits": asdict(Fitted(0, 0, 0.0, min(pools))), "reserve": 0.0, "blend": False}

    def _pace(self) -> dict[str, float]:
        """What a step and a character take, timed here and now."""
        longest = self._longest().material
        model = load_trainable_base(self._request.project, self._fine_tuning.base)
        return asdict(pace(model, longest.guarded.pairs, longest.dev, self._fine_tuning))

    def _longest(self) -> Member:
        """The member with the most pairs."""
        return max(self._members, key=lambda member: len(member.material.guarded.pairs))

    def _seen_first(self, tuning: Tuning) -> int:
        """How many pairs the first fine-tuning was to learn from, each time counted."""
        first = TUNINGS[0]
        if tuning is first:
            return 0
        return Fitted(**self._search.planned(first.title, partial(self._plan, first))["fits"]).seen

    def _pairs_on_top(self, name: str) -> int:
        """How many pairs an adapter on a trial has time for; none where that is too few to be worth it."""
        count = len(self._longest().material.guarded.pairs)
        clock = self._search.clock
        timed = [member.character_seconds.get(name, 0.0) for member in self._members]
        each = max(timed) or self._search.planned(_PACE, self._pace)["character"]
        pool = each * sum(m.pool_unread(name) for m in self._members)
        reads = each * sum(m.beside_the_pool() for m in self._members)
        left = _SURE * clock.left - pool - self._adapter_seconds()
        allowed = min(left, _TOP_SHARE * clock.budget)
        pairs = int(count * min(1.0, allowed / max(reads, 1e-9)))
        return pairs if pairs >= min(_FEWEST_ON_TOP, count) else 0

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


def _origin_of(trial: Trial) -> dict[str, Any]:
    """What the facts of a trial say of where it came from, and how."""
    return {key: trial.facts[key] for key in (ORIGIN, PLAN) if key in trial.facts}


def _of(progress: Progress, position: int, count: int) -> Progress:
    """What one of several members tells, its part of the whole."""
    if count == 1:
        return progress
    stage = Stage(progress, position / count, (position + 1) / count)
    who = f"model {position + 1} of {count}"
    return lambda done, total, message, metrics=None: stage(
        done, total, f"{who}: {message}", None if metrics is None else metrics | {MEMBER: position}
    )
