"""What is tried: an adapter, whatever else learns from pairs in little time, fine-tunings; an adapter on each."""

import math
import time
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from search.adapted import ADAPTER_OF
from search.models import named
from search.progress import Progress, Stage
from training.adapter import measure_of, train_adapter
from training.adapting.data import Embedded
from training.adapting.model import with_adapter
from training.advice.probe import adapter_step
from training.auto.climbing import Climb, DoesNotFit, Learned, as_settings
from training.auto.fitting import SAFETY, characters, fitted, pace_of
from training.auto.ladder import Rung
from training.auto.vectors import Asked, asked, embedded_by
from training.blending import SHARES
from training.blends.place import Place
from training.dev import START, DevSet
from training.making.adapter import careful
from training.making.learners import LEARNERS
from training.making.request import Request
from training.making.starts import tunable_start_of
from training.material import Material
from training.recipes.adapter import Adapter
from training.recipes.auto import Auto
from training.recipes.catalogue import RECIPES
from training.recipes.fine_tune import FineTune

ADAPTER = "adapter"
TUNE = "fine-tune"
RATES = {TUNE: 2e-4, f"{TUNE}, smaller steps": 5e-5}
"""Learning rates, in the order in which they are tried."""
_STEERING = 1_000
"""Passages that a fine-tuning steers by; what it ends with is measured on all of the dev pool."""
_EPOCHS, _FEWEST_EPOCHS = 60, 10
"""Of an adapter; it keeps the best of them, and their number sets how slowly it comes to rest."""
_ADAPTER_SHARE = 0.2
_ADAPTER_PATIENCE = 4
"""Of about ten dev scores: what an adapter does not use is there for the next rung."""
_OTHERS_NEED = 0.2
ORIGIN = "origin"
"""Among the facts of a rung: what it started from as people read it, where that is not the start of the ladder."""
_LOOKS = 1.5
"""An adapter's epoch with the dev measurements in between, over its steps alone."""


class Ways:
    """The ways to learn from one material, tried on one ladder.

    :param material: with the dev queries that choose.
    :param base: the start, `data` the material as it sees it.
    """

    def __init__(
        self, request: Request, material: Material, base: Any, data: Embedded, climb: Climb
    ) -> None:
        assert isinstance(request.settings, Auto)
        self._request = request
        self._settings = request.settings
        self._material = material
        self._base = base
        self._data = data
        self._climb = climb
        self._asked: dict[str, Asked] = {}
        self._character_seconds: dict[str, float] = {}

    def climb(self) -> None:
        """Try one after another, the cheap ones first, while the time lasts."""
        start = self._climb.tried(START, 0.0, self._start)
        data, dev = self._data, self._material.dev
        adapter = partial(self._adapter, self._base, data, dev)
        self._climb.tried(ADAPTER, self._adapter_seconds(data), adapter)
        if self._material.mined:
            return  # What nobody asked teaches a whole model too much.
        for name in sorted(LEARNERS.keys() - {ADAPTER, TUNE}):
            needs = _OTHERS_NEED * self._climb.clock.budget
            other = self._climb.tried(name, needs, partial(self._other, name))
            self._topped(other, start)
        for name, rate in RATES.items():
            tuned = self._climb.tried(name, 0.0, partial(self._tune, name, rate))
            self._topped(tuned, start)

    def _topped(self, below: Rung, start: Rung) -> None:
        """Try an adapter on what a rung made, where that is better than the start."""
        if below.score is not None and below.score > (start.score or 0.0):
            name = f"{ADAPTER} on {below.name}"
            self._climb.tried(name, self._top_seconds(below.name), partial(self._top, below))

    def _start(self, _: Progress) -> Learned:
        identity = np.eye(self._data.queries.shape[1], dtype=np.float32)
        return Learned(None, measure_of(self._data, self._material.dev, "both")(identity))

    def _adapter(self, beneath: Any, data: Embedded, dev: DevSet, told: Progress) -> Learned:
        each = self._epoch_seconds(data)
        allowed = int(_ADAPTER_SHARE * self._climb.clock.left / each)
        plain = Adapter(
            base=self._settings.base, seed=self._settings.seed, patience=_ADAPTER_PATIENCE
        )
        settings = plain.model_copy(update={"epochs": max(1, min(_EPOCHS, allowed))})
        adapted = train_adapter(data, dev, settings, told)
        if self._material.mined:
            adapted = careful(adapted, data, dev, settings.side)
        scores = measure_of(data, dev, settings.side)(adapted.matrix)
        model = with_adapter(beneath, adapted.matrix)
        facts = {}
        if beneath is self._base:
            info = named(self._request.project, settings.base)
            facts = Place.from_start("matrix", adapted.blend, settings.base, info).facts()
            facts |= {ADAPTER_OF: info.id} if info else {}
        return Learned(model, scores, {**as_settings(settings), "kept": adapted.kept}, facts)

    def _tune(self, name: str, rate: float, told: Progress) -> Learned:
        plan = self._climb.planned(name, self._plan)
        if not plan["epochs"]:
            raise DoesNotFit
        random = np.random.default_rng(self._settings.seed)
        pairs = self._material.guarded.pairs
        chosen = sorted(random.permutation(len(pairs))[: plan["pairs"]].tolist())
        guarded = replace(self._material.guarded, pairs=[pairs[place] for place in chosen])
        dev = self._material.dev
        part = replace(self._material, guarded=guarded, dev=dev.narrowed(_STEERING))
        settings = FineTune(
            base=self._settings.base,
            seed=self._settings.seed,
            learning_rate=rate,
            epochs=plan["epochs"],
        )
        clock, reserve = self._climb.clock, plan["reserve"]
        request = replace(
            self._request,
            recipe=TUNE,
            settings=settings,
            progress=Stage(told, 0.0, 0.9),
            checkpoints=self._request.checkpoints.part(name.replace(", ", "-").replace(" ", "-")),
            ends=lambda: clock.left < reserve,
        )
        taught = LEARNERS[TUNE](request, part)
        assert taught is not None  # There is one process alone.
        self._asked[name] = asked(taught.model, dev, Stage(told, 0.9, 1.0))
        told_of = {"kept": taught.dev.kept, "pairs": plan["pairs"]}
        scores = self._asked[name].scores(dev)
        return Learned(taught.model, scores, as_settings(settings) | told_of, taught.facts)

    def _top(self, tuned: Rung, told: Progress) -> Learned:
        model = self._climb.model_of(tuned)
        known = self._asked.get(tuned.name) or asked(model, self._material.dev, told)
        data, dev = embedded_by(model, self._material, known, told)
        beneath = {ORIGIN: tuned.facts[ORIGIN]} if ORIGIN in tuned.facts else {}
        return replace(self._adapter(model, data, dev, told), facts=beneath)

    def _other(self, name: str, told: Progress) -> Learned:
        clock = self._climb.clock
        settings = RECIPES[name].settings(seed=self._settings.seed)
        request = replace(
            self._request,
            recipe=name,
            settings=settings,
            progress=told,
            checkpoints=self._request.checkpoints.part(name),
            ends=lambda: clock.left <= 0,
        )
        taught = LEARNERS[name](request, self._material)
        assert taught is not None  # There is one process alone.
        dev, started = self._material.dev, time.perf_counter()
        self._asked[name] = asked(taught.model, dev, told)
        spent = time.perf_counter() - started
        self._character_seconds[name] = spent / max(1, characters(dev.texts))
        facts = taught.facts | ({ORIGIN: taught.origin} if taught.origin else {})
        told_of = {"kept": taught.dev.kept}
        scores = self._asked[name].scores(dev)
        return Learned(taught.model, scores, as_settings(settings) | told_of, facts)

    def _plan(self) -> dict[str, Any]:
        """How much fine-tuning fits, timed here and now."""
        pairs, dev = self._material.guarded.pairs, self._material.dev
        settings = FineTune(base=self._settings.base, seed=self._settings.seed)
        model = tunable_start_of(self._request.project, self._settings.base)
        pace = pace_of(model, pairs, dev, settings)
        # Afterwards: the whole pool once, the pairs as the tuned model sees them, and an adapter on it.
        after = pace.character * (characters(dev.texts) + self._beside_the_pool())
        after += self._adapter_seconds(self._data)
        pool = characters(dev.narrowed(_STEERING).texts)
        fits = fitted(pace, len(pairs), pool, 1 + len(SHARES), self._climb.clock.left - after)
        if fits is None:
            return {"epochs": 0, "pairs": 0, "character": pace.character, "reserve": 0.0}
        reserve = (after + len(SHARES) * pool * pace.character) / SAFETY
        return {
            "epochs": fits.epochs,
            "pairs": fits.pairs,
            "character": pace.character,
            "reserve": reserve,
        }

    def _beside_the_pool(self) -> int:
        """How many characters of the pairs a model of one's own making has to encode, once the dev pool is encoded."""
        pairs, pool = self._material.guarded.pairs, set(self._material.dev.ids)
        answers = {pair.response for pair in pairs if pair.document not in pool}
        return characters(pair.query for pair in pairs) + characters(answers)

    def _top_seconds(self, name: str) -> float:
        each = self._character_seconds.get(name, 0.0)
        if name in RATES:
            each = self._climb.planned(name, self._plan)["character"]
        read = self._beside_the_pool()
        if name not in self._asked:
            read += characters(self._material.dev.texts)
        return each * read + self._adapter_seconds(self._data)

    def _adapter_seconds(self, data: Embedded) -> float:
        """What an adapter takes at the least that is worth its while."""
        return self._epoch_seconds(data) * _FEWEST_EPOCHS

    def _epoch_seconds(self, data: Embedded) -> float:
        batches = math.ceil(len(data.queries) / Adapter().batch_size)
        return 2 * batches * adapter_step(data.queries.shape[1]) * _LOOKS
