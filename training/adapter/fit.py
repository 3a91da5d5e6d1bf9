"""A linear adapter: one matrix over the vectors of a model that stays as it is.

Every text is encoded once, by the base; what is learned is a square matrix for queries and documents alike, or for queries
alone, with a contrastive loss (the softmax of MultipleNegativesRankingLoss) against the other answers of the batch,
hard negatives, or thousands of documents drawn from the corpus, which costs little where vectors are at hand.
Several are tried, the dev queries choose, and choose too how far to go from the start (a blend with the identity; Wortsman
et al. 2022, "Robust fine-tuning of zero-shot models"). Training takes seconds, and an index follows by one matrix
product; where queries alone are turned, the base's index serves as it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from indexes.vector_index import Vectors
from search.projects.progress import Progress
from training.adapter.loss import AdapterLoss
from training.adapter.matrix import LearnedMatrix
from training.adapter.settings import AdapterSettings
from training.checkpoints import Checkpointer, adamw_tensors, put_adamw
from training.dev_set import START, DevSet
from training.embeddings import Embedded
from training.weight_interpolation import SHARES, between_matrices

if TYPE_CHECKING:
    import torch

_CHECKS = 10
_NAME = "adapter"
_SCORE = "dev ndcg@10"
_BEST, _RANDOM, _WEIGHTS = "best", "random", "weights/"
_WARMUP = 0.1

_Step = tuple[int, str, dict[str, float]]


@dataclass(frozen=True)
class FittedAdapter:
    """The matrix with the best dev score, and how it was found.

    >>> FittedAdapter(np.eye(2), 0.4, 0.5, "corpus", epoch=6, blend=0.75).selected
    'epoch 6, corpus negatives, blend 0.75'
    """

    matrix: Vectors
    start: float
    best: float
    negatives: str
    epoch: int
    blend: float

    @property
    def selected(self) -> str:
        """In words: "start", or which training, epoch and blend."""
        if self.epoch == 0:
            return START
        return f"epoch {self.epoch}, {self.negatives} negatives, blend {self.blend:g}"


def kinds_of(settings: AdapterSettings) -> list[str]:
    """The kinds of negatives that are tried, in their order."""
    return ["batch", "corpus"] if settings.negatives == "auto" else [settings.negatives]


def measure_of(data: Embedded, dev: DevSet, side: str) -> Callable[[Vectors], list[float]]:
    """What measures a matrix: nDCG@10 of each dev query.

    :param side: "both", or "query" where documents stay as they are.
    """
    pool = data.documents[dev.positions]

    def measure(matrix: Vectors) -> list[float]:
        documents = pool @ matrix.T if side == "both" else pool
        return dev.scores_of_vectors(data.dev_queries @ matrix.T, documents)

    return measure


def train_adapter(
    data: Embedded,
    dev: DevSet,
    settings: AdapterSettings,
    report: Progress,
    checkpointer: Checkpointer | None = None,
) -> FittedAdapter:
    """Learn the matrix that serves the dev queries best; it may be the identity (the start).

    :param data: vectors of the base model.
    :param dev: the queries that choose; its pool is looked up in `data.documents`.
    :param checkpointer: where it keeps, epoch by epoch, how far it came, and looks for how far an earlier try came.
    """
    training = _Training(data, dev, settings, report, checkpointer or Checkpointer())
    return training.blended(training.run())


class Learner:
    """Learns one matrix from pairs, an epoch at a time.

    :param kind: what a query learns to keep away from (see `AdapterLoss`).

    >>> unit = np.eye(2, dtype=np.float32)  # Two queries, and two documents that answer them.
    >>> data = Embedded(unit, unit, np.zeros((2, 0, 2), np.float32), np.arange(2), np.arange(2), unit, np.arange(2), unit)
    >>> learner = Learner(data, AdapterSettings(temperature=1), "batch")
    >>> learner.epoch() > learner.epoch()  # The loss comes down.
    True
    """

    def __init__(self, data: Embedded, settings: AdapterSettings, kind: str) -> None:
        import torch

        self._settings = settings
        self._pairs = len(data.queries)
        self._random = torch.Generator().manual_seed(settings.seed)
        self._matrix = LearnedMatrix(data.queries.shape[1], settings.rank, self._random)
        self.loss = AdapterLoss(data, settings, kind, self._matrix, self._random)
        self._optimizer = torch.optim.AdamW(
            self._matrix.parameters.values(), lr=settings.learning_rate, weight_decay=0.0
        )
        self._steps = -(-self._pairs // settings.batch_size) * settings.epochs
        self._step = 0

    @property
    def matrix(self) -> Vectors:
        """The matrix as it stands, shape (dimension, dimension)."""
        return self._matrix.numbers()

    def epoch(self) -> float:
        """See every pair once; returns the mean loss."""
        import torch

        order = torch.randperm(self._pairs, generator=self._random)
        size = self._settings.batch_size
        starts = range(0, self._pairs, size)
        return float(np.mean([self._update(order[start : start + size]) for start in starts]))

    def take(self, updates: int, planned: int, progress: Progress) -> None:
        """Move the matrix so many times, whatever part of an epoch that is.

        :param planned: how many times it would be moved in all, by which the learning rate comes down.
        """
        import torch

        self._steps = planned
        size = self._settings.batch_size
        while self._step < updates:
            order = torch.randperm(self._pairs, generator=self._random)
            for start in range(0, self._pairs, size)[: updates - self._step]:
                loss = self._update(order[start : start + size])
            numbers = {"step": float(self._step), "loss": loss}
            progress(self._step, updates, "learning from all pairs", numbers)

    def _update(self, batch: "torch.Tensor") -> float:
        for group in self._optimizer.param_groups:
            group["lr"] = self._settings.learning_rate * self._rate()
        loss = self.loss(batch)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._step += 1
        return float(loss.detach())

    def state(self) -> dict[str, NDArray[Any]]:
        """Weights, AdamW's moments and the random numbers to come: all that is needed to go on."""
        tensors = {_RANDOM: self._random.get_state()}
        tensors |= {_WEIGHTS + name: tensor for name, tensor in self._matrix.parameters.items()}
        tensors |= adamw_tensors(self._optimizer)
        return {name: tensor.detach().numpy() for name, tensor in tensors.items()}

    def go_on(self, state: Mapping[str, NDArray[Any]], epochs: int) -> None:
        """Stand where `state` was taken, after so many epochs."""
        import torch

        tensors = {name: torch.from_numpy(array.copy()) for name, array in state.items()}
        self._random.set_state(tensors[_RANDOM])
        with torch.no_grad():
            for name, parameter in self._matrix.parameters.items():
                parameter.copy_(tensors[_WEIGHTS + name])
        put_adamw(self._optimizer, tensors)
        self._step = self._steps // self._settings.epochs * epochs

    def _rate(self) -> float:
        """The learning rate's share: up over the first tenth of the steps, then down to zero."""
        warm = max(1.0, _WARMUP * self._steps)
        return float(min(1.0, (self._step + 1) / warm) * (1 - self._step / self._steps))


_LATER_KIND = 4
"""So many times as long takes a step among all documents, beside which others of the batch are little (measured on 3,907)."""


@dataclass
class _Training:
    """All trainings of one adapter, from the first epoch or from a checkpoint."""

    data: Embedded
    dev: DevSet
    settings: AdapterSettings
    report: Progress
    checkpointer: Checkpointer

    def __post_init__(self) -> None:
        scores = measure_of(self.data, self.dev, self.settings.side)
        self._identity = np.eye(self.data.queries.shape[1], dtype=np.float32)
        self._measure: Callable[[Vectors], float] = lambda matrix: float(np.mean(scores(matrix)))
        self._batches = -(-len(self.data.queries) // self.settings.batch_size)
        self._reports: list[_Step] = []

    def run(self) -> FittedAdapter:
        """Train with each kind of negatives; returns the best matrix, all of the way."""
        settings, kinds = self.settings, kinds_of(self.settings)
        self._total = self._batches * settings.epochs * len(kinds)
        best, first, done, state = self._resumed()
        for number, kind in enumerate(kinds[first:], start=first):
            learner = Learner(self.data, settings, kind)
            if state:
                learner.go_on(state, done)
            for epoch in range(done + 1, settings.epochs + 1):
                if self._is_stale(number):
                    break
                best = self._epoch(learner, number, kind, epoch, best)
                self._keep(learner, number, epoch, best)
            done, state = 0, {}
        return best

    def blended(self, best: FittedAdapter) -> FittedAdapter:
        """Whether going only part of the way serves the dev queries better still."""
        if best.epoch == 0:
            return best
        whole = best
        for blend in SHARES:
            matrix = between_matrices(whole.matrix, blend)
            score = self._measure(matrix)
            if score > best.best:
                best = replace(whole, matrix=matrix, best=score, blend=blend)
        return best

    def _epoch(
        self, learner: Learner, number: int, kind: str, epoch: int, best: FittedAdapter
    ) -> FittedAdapter:
        """Learn from every pair once, and measure now and then."""
        epochs = self.settings.epochs
        loss = learner.epoch()
        step = (number * epochs + epoch) * self._batches
        message = f"{kind} negatives, epoch {epoch} of {epochs}"
        self._tell(step, message, {"step": step, "loss": loss})
        if epoch % max(1, epochs // _CHECKS) and epoch != epochs:
            return best
        matrix = learner.matrix
        score = self._measure(matrix)
        self._tell(step, message, {"epoch": number * epochs + epoch, _SCORE: score})
        if score <= best.best:
            return best
        return FittedAdapter(matrix, best.start, score, kind, epoch, 1.0)

    def _is_stale(self, number: int) -> bool:
        """Whether this kind of negatives has not come closer for so long that nothing more is expected of it."""
        epochs, patience = self.settings.epochs, self.settings.patience
        scores = [
            numbers[_SCORE]
            for _, _, numbers in self._reports
            if _SCORE in numbers and number * epochs < numbers["epoch"] <= (number + 1) * epochs
        ]
        return 0 < patience < len(scores) - int(np.argmax(scores or [0.0]))

    def _tell(self, step: int, message: str, numbers: dict[str, float]) -> None:
        self._reports.append((step, message, numbers))
        self.report(self._work(step), self._work(self._total), message, numbers)

    def _work(self, step: int) -> int:
        """What so many steps cost, in steps of the first kind of negatives."""
        first = self._batches * self.settings.epochs
        return min(step, first) + _LATER_KIND * max(step - first, 0)

    def _keep(self, learner: Learner, number: int, epoch: int, best: FittedAdapter) -> None:
        if self.checkpointer.folder is None:
            return
        facts = {key: value for key, value in vars(best).items() if key != "matrix"}
        state = {"kind": number, "epoch": epoch, "best": facts, "told": self._reports}
        self.checkpointer.save(_NAME, {_BEST: best.matrix, **learner.state()}, state)

    def _resumed(self) -> tuple[FittedAdapter, int, int, dict[str, Any]]:
        """The best so far, the kind and the epoch that were reached, and the learner's state then."""
        found = self.checkpointer.load(_NAME)
        if found is None:
            start = self._measure(self._identity)
            self._tell(0, "before training", {"epoch": 0, _SCORE: start})
            return FittedAdapter(self._identity, start, start, "no", 0, 0.0), 0, 0, {}
        for step, message, numbers in found.state["told"]:
            self._tell(step, message, numbers)
        best = FittedAdapter(found.tensors.pop(_BEST), **found.state["best"])
        return best, found.state["kind"], found.state["epoch"], found.tensors
