"""When a training measures itself and how large its steps are, what the dev queries say of it, and when to stop."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from indexes.vector_index import BadVectors
from search.models.encoder import Encoder
from search.models.pretrained.longest_text import longest_of
from search.projects.progress import Progress
from training.dev_set import DevSet
from training.fine_tune.batches import TrainingRow
from training.fine_tune.settings import FineTuneSettings
from training.fine_tune.weights import TrainableWeights, Weights

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

FORWARD_AND_BACKWARD = 3.0
"""What a text costs in a step, where reading it to measure costs 1."""
_MOST_CHECKS = 8  # An epoch,
_CHECK_COSTS = 0.25  # together at most this share of its time,
_STEPS_BETWEEN = 8  # and with so many steps between two of them.
Scores = dict[int, float]
"""nDCG@10 by how many of the vector's first numbers were used; 0 stands for all of them."""
ALL = 0


class Schedule:
    """The steps of a training, and after which of them the dev queries are asked.

    Costs are in characters that go through the model once; a training step counts its backward pass.

    :param steps: how many steps an epoch has.
    :param cost: what a text costs in a step, where reading it to measure costs 1.

    >>> from search.evaluation.query_sets.query_set import QuerySet
    >>> dev = DevSet(QuerySet({"1": "who?"}, {"1": {"d": 1}}), [0], ["d"], ["Somebody."])
    >>> schedule = Schedule(dev, [TrainingRow("a query", "its answer")] * 64, FineTuneSettings(epochs=1), steps=20)
    >>> schedule.borders, schedule.epoch_of(10), [schedule.rate(step) for step in (0, 2, 11, 19)]
    ([10, 20], 0.5, [0.5, 1.0, 0.5, 0.05555555555555555])
    """

    def __init__(
        self,
        dev: DevSet,
        rows: Sequence[TrainingRow],
        settings: FineTuneSettings,
        steps: int,
        cost: float = FORWARD_AND_BACKWARD,
    ) -> None:
        # A word piece is about four characters; what is cut off costs nothing.
        most = settings.sequence_length * 4
        texts = (text for row in rows for text in (row.query, row.answer, *row.negatives))
        epoch = cost * sum(min(len(text), most) for text in texts)
        self.per_epoch = steps
        self.steps = self._planned = steps * settings.epochs
        self.measure_cost = float(dev.characters) + 1
        self.step_cost = epoch / steps + 1
        affordable = int(_CHECK_COSTS * epoch / self.measure_cost)
        checks = max(1, min(affordable, _MOST_CHECKS, steps // _STEPS_BETWEEN))
        self.borders = [
            epoch * steps + round(steps * part / checks)
            for epoch in range(settings.epochs)
            for part in range(1, checks + 1)
        ]
        # One that may be stopped at any time has something to keep early: when it has learned as long as it measures.
        early = max(_STEPS_BETWEEN, round(self.measure_cost / self.step_cost))
        if 2 * early < self.borders[0]:
            self.borders.insert(0, early)
        self._epochs = settings.epochs
        self._warmup = settings.warmup

    def until(self, updates: int, planned: int) -> None:
        """End after so many steps, of `planned` by which the learning rate goes up and comes down."""
        self.steps, self._planned = updates, planned
        self.borders = [updates]

    @property
    def _warm(self) -> int:
        return round(self._planned * self._warmup)

    def epoch_of(self, step: int) -> float:
        """How many epochs are done after so many steps."""
        return round(step / self.per_epoch, 2)

    def rate(self, step: int) -> float:
        """The share of the learning rate at a step (0 is the first): up in a line, then down to zero."""
        if step < self._warm:
            return (step + 1) / self._warm
        return (self._planned - step) / max(self._planned - self._warm, 1)

    def message(self, step: int) -> str:
        """What is going on after so many steps."""
        return f"epoch {min(step // self.per_epoch + 1, self._epochs)} of {self._epochs}"


class Work:
    """Tells progress in units of time.

    :param measurements: how many measurements there will be at most.

    >>> from search.evaluation.query_sets.query_set import QuerySet
    >>> dev = DevSet(QuerySet({"1": "who?"}, {"1": {"d": 1}}), [0], ["d"], ["Somebody."])
    >>> schedule = Schedule(dev, [TrainingRow("a query", "its answer")] * 64, FineTuneSettings(epochs=1), steps=4)
    >>> Work(schedule, 1, lambda done, total, *said: print(round(done / total, 2), *said)).stepped(2, loss=0.5)
    0.5 epoch 1 of 1 {'step': 2.0, 'loss': 0.5}
    """

    def __init__(self, plan: Schedule, measurements: int, progress: Progress) -> None:
        self._plan = plan
        self._progress = progress
        self._total = plan.measure_cost * measurements + plan.step_cost * plan.steps
        self._measured = 0
        self._steps = 0

    def goes_on(
        self,
        steps: int,
        scores: Sequence[tuple[float, float]],
        losses: Sequence[tuple[int, float]],
    ) -> None:
        """So much was done by an earlier process; its curves are told again.

        :param scores: epochs, and the dev score after so many.
        :param losses: steps, and the loss after so many.
        """
        for step, loss in losses:
            self.stepped(step, loss)
        for epoch, ndcg in scores:
            self.measured(ndcg, epoch)
        self._steps = steps

    def measuring(self, share: float, what: str) -> None:
        """A measurement has come this far."""
        self._report(share, f"measuring the dev score {what}")

    def measured(self, ndcg: float, epoch: float | None = None) -> None:
        """A measurement is done; one after an epoch (0 is the start) is a point of the curve."""
        self._measured += 1
        metrics = None if epoch is None else {"epoch": epoch, "dev ndcg@10": ndcg}
        self._report(0, f"dev nDCG@10 {ndcg:.3f}", metrics)

    def stepped(self, steps: int, loss: float | None = None) -> None:
        """So many steps are done."""
        self._steps = steps
        metrics = None if loss is None else {"step": float(steps), "loss": loss}
        self._report(0, self._plan.message(steps - 1), metrics)

    def _report(self, share: float, message: str, metrics: dict[str, float] | None = None) -> None:
        plan = self._plan
        done = (self._measured + share) * plan.measure_cost + self._steps * plan.step_cost
        self._progress(min(done, self._total), self._total, message, metrics)


class Meter:
    """Measures a model on the dev queries as it will be used: in full length, without dropout.

    :param encoder: what encodes with the model's weights; None for the model itself.
    :param length: what the model reads when it searches; None when that has no bound.

    >>> from types import SimpleNamespace as Some
    >>> import numpy as np
    >>> from search.evaluation.query_sets.query_set import QuerySet
    >>> dev = DevSet(QuerySet({"1": "due?"}, {"1": {"d": 1}}), [0], ["d"], ["Rent is due."])
    >>> encode = lambda texts: np.ones((len(texts), 2), dtype=np.float32)
    >>> model = Some(training=True, max_seq_length=64, eval=lambda: None, train=lambda on: None,
    ...     encode_query=encode, encode_document=encode)
    >>> work = Some(measuring=lambda *said: None, measured=lambda *said: None)
    >>> meter = Meter(model, dev, FineTuneSettings(), work)
    >>> meter.length, meter("before")
    (64, {0: 1.0})
    """

    def __init__(
        self,
        model: "SentenceTransformer",
        dev: DevSet,
        settings: FineTuneSettings,
        work: Work,
        encoder: Encoder | None = None,
    ) -> None:
        self._model = model
        self._encoder = encoder or model
        self._dev = dev
        self._dimensions = settings.dimensions
        self._work = work
        self.length = longest_of(model)

    def __call__(self, what: str, epoch: float | None = None) -> Scores:
        """Measure the model as it stands.

        :param what: "after epoch 2", for whom it may concern.
        """
        training, length = self._model.training, longest_of(self._model)
        self._model.eval()
        self.read(self.length)
        try:
            queries, documents = self._dev.vectors(
                self._encoder, lambda share: self._work.measuring(share, what)
            )
            scores = {
                size: self._dev.ndcg_of_vectors(
                    queries[:, : size or None], documents[:, : size or None]
                )
                for size in (ALL, *self._dimensions)
            }
        except BadVectors:  # The training diverged: its vectors are no numbers any more.
            scores = dict.fromkeys((ALL, *self._dimensions), 0.0)
        self.read(length)
        self._model.train(training)
        self._work.measured(scores[ALL], epoch)
        return scores

    def read(self, length: int | None) -> None:
        """Let the model read texts of this length from now on."""
        if length is not None:
            self._model.max_seq_length = length


@dataclass
class Record:
    """What was measured as a training went: steps, and the scores after so many.

    The start is not among them: `best` is the best state that was trained, whether it beats the start or not.

    >>> record = Record(steps=[8, 16, 24], scores=[{0: 0.3}, {0: 0.5}, {0: 0.4}])
    >>> record.best, record.stops(patience=1), record.stops(patience=2)
    (1, True, False)
    """

    steps: list[int] = field(default_factory=list)
    scores: list[Scores] = field(default_factory=list)

    @property
    def best(self) -> int:
        """Where the first of the best measurements stands."""
        whole = [scores[ALL] for scores in self.scores]
        return whole.index(max(whole))

    def stops(self, patience: int) -> bool:
        """Whether the last `patience` measurements brought nothing better than one before them."""
        return 0 < patience < len(self.scores) and self.best < len(self.scores) - patience

    def as_json(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"steps": self.steps, "scores": [list(s.items()) for s in self.scores]}

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> "Record":
        """Out of a checkpoint."""
        return cls(saved["steps"], [{int(size): v for size, v in s} for s in saved["scores"]])


@dataclass
class EarlyStopping:
    """Keeps the best state of a training.

    >>> from types import SimpleNamespace as Some
    >>> scores = iter([{ALL: 0.5}, {ALL: 0.4}])
    >>> stopping = EarlyStopping(Some(copy=lambda: "weights"), lambda *said: next(scores), Some(epoch_of=float))
    >>> stopping.measure(8), stopping.measure(16), stopping.best, stopping.record.stops(patience=1)
    (None, None, 'weights', True)
    """

    learned: TrainableWeights
    meter: Callable[[str, float], Scores]
    plan: Schedule
    record: Record = field(default_factory=Record)
    best: Weights = field(default_factory=dict)

    def measure(self, step: int) -> None:
        """Measure the model after so many steps; remember it when it is better than all before."""
        epoch = self.plan.epoch_of(step)
        scores = self.meter(f"after epoch {epoch:g}", epoch)
        self.record.steps.append(step)
        self.record.scores.append(scores)
        if self.record.best == len(self.record.scores) - 1:
            self.best = self.learned.copy()
