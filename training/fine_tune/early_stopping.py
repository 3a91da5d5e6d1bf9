"""What the dev queries say of a model in training: the best state so far, and when to stop."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from indexes.vector_index import BadVectors
from search.models.pretrained.checkpoints import longest
from training.dev_set import DevSet
from training.fine_tune.schedule import Schedule, Work
from training.fine_tune.settings import FineTuneSettings
from training.fine_tune.weights import TrainableWeights, Weights

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Scores = dict[int, float]
"""nDCG@10 by how many of the vector's first numbers were used; 0 stands for all of them."""
ALL = 0


class Meter:
    """Measures a model on the dev queries as it will be used: in full length, without dropout.

    :param length: what the model reads when it searches; None when that has no bound.

    >>> from types import SimpleNamespace as Some
    >>> import numpy as np
    >>> from search.evaluation.query_set import QuerySet
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
        self, model: "SentenceTransformer", dev: DevSet, settings: FineTuneSettings, work: Work
    ) -> None:
        self._model = model
        self._dev = dev
        self._dimensions = settings.dimensions
        self._work = work
        self.length = longest(model)

    def __call__(self, what: str, epoch: float | None = None) -> Scores:
        """Measure the model as it stands.

        :param what: "after epoch 2", for whom it may concern.
        """
        training, length = self._model.training, longest(self._model)
        self._model.eval()
        self.read(self.length)
        try:
            queries, documents = self._dev.vectors(
                self._model, lambda share: self._work.measuring(share, what)
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
    meter: Meter
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
