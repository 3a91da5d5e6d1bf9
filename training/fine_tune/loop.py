"""Fine-tuning a SentenceTransformer on pairs, from its start to the state that serves the dev queries best.

A loop of our own, because what stops must go on: transformers' Trainer keeps its optimizer and random numbers in
pickles, and forgets how patient it was. Here each step draws its random numbers from the seed and its own number, so
weights, AdamW's moments and the record of the dev scores are all there is to keep, and a training that was killed ends
as the same model.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from search.corpus.labels import Pair
from search.projects.progress import Progress
from search.projects.settings import settings as environment
from training.checkpoints import Checkpointer, adamw_tensors, beneath, put_adamw
from training.dev_set import START, DevSet
from training.distributed import (
    average_gradients,
    check_shareable,
    from_first,
    helps_only,
    own_part,
    tensors_from_first,
)
from training.fine_tune.batches import Batches, TrainingRow, rows_of
from training.fine_tune.engines import Engine, engine_of
from training.fine_tune.schedule import ALL, EarlyStopping, Meter, Record, Schedule, Work
from training.fine_tune.settings import FineTuneSettings
from training.fine_tune.weights import TrainableWeights, weights_of
from training.weight_interpolation import SHARES, best_share, between

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_LARGEST_GRADIENT = 1.0
_REPORTED_LOSSES = 200
_NAME, _NOW, _BEST = "fine-tune", "now/", "best/"
_KEEP_EVERY = 120.0  # Seconds between two checkpoints, where measurements are rarer.


@dataclass(frozen=True)
class Tuned:
    """What a training ended with.

    :param epochs: after how many epochs each dev score was measured; the first is 0, the start.
    :param best_epoch: of the state that was kept; 0 for the start.
    :param share: how much of the way from the start to that state was kept.
    :param share_scores: dev scores by that share, where they were measured.
    :param dimensions: dev scores of start and kept model by the first numbers of a vector.
    :param updates: how many steps led to the state that was kept, of `planned`.
    :param stopped: whether it stopped before its last step, because nothing better came.

    >>> Tuned([0.4, 0.5], [0.0, 1.5], 1.5, share=0.75, share_scores={}, dimensions={}, steps=9, stopped=False).selected
    'epoch 1.5, blend 0.75'
    """

    dev_scores: list[float]
    epochs: list[float]
    best_epoch: float
    share: float
    share_scores: dict[float, float]
    dimensions: dict[int, tuple[float, float]]
    steps: int
    stopped: bool
    updates: int = 0
    planned: int = 0

    @property
    def selected(self) -> str:
        """In words: "start", "epoch 2", or "epoch 1.5, blend 0.75"."""
        if self.best_epoch == 0:
            return START
        blend = "" if self.share == 1 else f", blend {self.share:g}"
        return f"epoch {self.best_epoch:g}{blend}"


def fine_tune(
    model: "SentenceTransformer",
    pairs: Sequence[Pair],
    dev: DevSet,
    settings: FineTuneSettings,
    progress: Progress,
    checkpointer: Checkpointer | None = None,
    ends: Callable[[], bool] = lambda: False,
) -> Tuned | None:
    """Train `model` in place; it ends as the state with the best dev score, which may be the untouched start.

    It may be stopped at any time: after whatever step `ends` says so, what is learned by then is measured, and the best
    of what was measured remains. A first measurement comes early, as soon as it has learned for as long as one takes.

    :param model: the start.
    :param pairs: what to learn from, kept apart from dev and test by the caller.
    :param dev: what to steer by.
    :param progress: told after every step.
    :param checkpointer: where it keeps how far it came, and looks for how far an earlier try came.
    :param ends: asked after every step: whether the time is over, so that what there is must do.
    :returns: None in a process that only helps (see `training.distributed`): nothing is measured there.
    :raises Refused: for settings that do not go with the model.
    """
    rows = rows_of(pairs, max(settings.hard_negatives, 1))
    batches = Batches(rows, settings.batch_size, settings.seed, environment().world)
    first_epoch = batches.epoch(0)
    check_shareable(max(map(len, first_epoch), default=0))
    keeper = checkpointer or Checkpointer()
    start, before = weights_of(model), model.dtype
    _seeded(settings.seed, len(first_epoch) * settings.epochs, 0)
    learned = TrainableWeights(model, settings)
    engine = engine_of(model, settings, keeper.folder)
    learned.freeze(engine.frozen)
    plan = Schedule(dev, rows, settings, len(first_epoch), engine.cost)
    blends = len(SHARES) if settings.blend else 0
    work = Work(plan, 1 + len(plan.borders) + blends, progress)
    meter = Meter(model, dev, settings, work, engine.encoder)
    first = {} if helps_only() else meter("before training", 0)
    steering = EarlyStopping(learned, meter, plan)
    meter.read(min(settings.sequence_length, meter.length) if meter.length else None)
    try:
        updates = take_steps(learned, engine, batches, plan, settings, steering, work, keeper, ends)
    finally:
        meter.read(meter.length)
    if helps_only():
        return None
    record = steering.record
    learned.put(steering.best)
    learned.plain()
    scores = {1.0: record.scores[record.best]}
    share, tuned = 1.0, weights_of(model)
    if settings.blend:

        def measured(share: float) -> float:
            model.load_state_dict(between(start, tuned, share))
            scores[share] = meter(f"of {share:.0%} of the way from the start")
            return scores[share][ALL]

        share, _ = best_share(measured, scores[1.0][ALL])
    better = scores[share][ALL] > first[ALL]
    if better:
        model.load_state_dict(between(start, tuned, share) if share < 1 else tuned)
    else:
        model.to(before).load_state_dict(start)
    kept = scores[share] if better else first
    return Tuned(
        dev_scores=[first[ALL], *(s[ALL] for s in record.scores)],
        epochs=[0.0, *map(plan.epoch_of, record.steps)],
        best_epoch=plan.epoch_of(record.steps[record.best]) if better else 0.0,
        share=share,
        share_scores={s: scores[s][ALL] for s in sorted(scores)} if settings.blend else {},
        dimensions={size: (first[size], kept[size]) for size in settings.dimensions},
        steps=updates,
        stopped=record.stops(settings.patience) and record.steps[-1] < plan.steps,
        updates=record.steps[record.best] if better else 0,
        planned=plan.steps,
    )


def _seeded(seed: int, step: int, process: int) -> None:
    """Draw whatever is random in a step from the seed, the step and the process alone."""
    import torch

    drawn = np.random.SeedSequence((seed, step, process)).generate_state(1, np.uint64)
    torch.manual_seed(int(drawn[0]) >> 1)


def take_steps(
    learned: TrainableWeights,
    engine: Engine,
    batches: Batches,
    plan: Schedule,
    settings: FineTuneSettings,
    steering: EarlyStopping,
    work: Work,
    checkpointer: Checkpointer,
    ends: Callable[[], bool],
) -> int:
    """Take the steps of a plan, from the first or from a checkpoint; returns how many updates there were.

    :param ends: asked after every step: whether the time is over, so that what there is must do.
    """
    loop = _Loop(learned, engine, batches, plan, settings, steering, work, checkpointer, ends)
    loop.run()
    return loop.updates


@dataclass
class _Loop:
    """The steps of a training, from the first or from a checkpoint."""

    learned: TrainableWeights
    engine: Engine
    batches: Batches
    plan: Schedule
    settings: FineTuneSettings
    steering: EarlyStopping
    work: Work
    checkpointer: Checkpointer
    ends: Callable[[], bool]

    def __post_init__(self) -> None:
        import torch

        self._model = self.learned.model
        self._weights = list(self.learned.parameters.values())
        self._optimizer = torch.optim.AdamW(
            self._weights, lr=self.learned.rate, weight_decay=0.0, fused=True
        )
        self._losses: list[float] = []
        self._curve: list[tuple[int, float]] = []
        self.updates = 0

    def run(self) -> None:
        """Take all steps, or stop before when the dev queries say so."""
        step = self._resumed()
        record = self.steering.record
        points = zip(map(self.plan.epoch_of, record.steps), record.scores, strict=True)
        self.work.goes_on(step, [(epoch, scores[ALL]) for epoch, scores in points], self._curve)
        epoch = -1
        batches: list[list[TrainingRow]] = []
        while step < self.plan.steps:
            if self._steering_stops(step):
                break
            now, position = divmod(step, self.plan.per_epoch)
            if now != epoch:
                epoch, batches = now, self.batches.epoch(now)
            # Batches without contradictions may be fewer in another epoch.
            if position < len(batches):
                self._learn(step, own_part(batches[position]))
            step += 1
            self._report(step)
            over = self.ends()
            border = over or step in self.plan.borders
            if border and not helps_only():
                self.steering.measure(step)
            if border or self.checkpointer.is_due(_KEEP_EVERY):
                self._save(step)
            if over:
                break

    def _steering_stops(self, step: int) -> bool:
        """Asked at the borders only, because the first process alone knows."""
        return step in self.plan.borders and from_first(
            self.steering.record.stops(self.settings.patience), str(self._model.device)
        )

    def _learn(self, step: int, rows: Sequence[TrainingRow]) -> None:
        import torch

        _seeded(self.settings.seed, step, environment().rank)
        for group in self._optimizer.param_groups:
            group["lr"] = self.learned.rate * self.plan.rate(step)
        loss = self.engine.learn(rows)
        average_gradients(self._weights)
        torch.nn.utils.clip_grad_norm_(self._weights, _LARGEST_GRADIENT)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self._losses.append(loss)
        self.updates += 1

    def _save(self, step: int) -> None:
        """Write how far it came, in place of what was there; with several processes the first alone does."""
        if helps_only():
            return
        tensors = {_NOW + name: tensor for name, tensor in self.learned.parameters.items()}
        tensors |= {_BEST + name: tensor for name, tensor in self.steering.best.items()}
        tensors |= adamw_tensors(self._optimizer)
        state = {
            "step": step,
            "updates": self.updates,
            "curve": self._curve,
            "record": self.steering.record.as_json(),
        }
        arrays = {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
        self.checkpointer.save(_NAME, arrays, state)

    def _resumed(self) -> int:
        """Put everything as it was when a checkpoint was written; how many steps were done by then."""
        import torch

        device = str(self._model.device)
        saved = self.checkpointer.load(_NAME)
        state: dict[str, Any] | None = from_first(saved.state if saved else None, device)
        if state is None:
            return 0
        arrays = saved.tensors if saved else {}
        tensors = {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}
        tensors = tensors_from_first(tensors, device)
        self.learned.put(beneath(tensors, _NOW))
        put_adamw(self._optimizer, tensors)
        self.steering.best = beneath(tensors, _BEST)
        self.steering.record = Record.from_json(state["record"])
        self.updates, self._curve = state["updates"], list(map(tuple, state["curve"]))
        return int(state["step"])

    def _report(self, step: int) -> None:
        every = max(1, self.plan.steps // _REPORTED_LOSSES)
        if not self._losses or step % every:
            self.work.stepped(step)
            return
        self._curve.append((step, float(np.mean(self._losses))))
        self._losses = []
        self.work.stepped(step, self._curve[-1][1])
