"""A linear adapter: one matrix over the vectors of a model that stays as it is.

Every text is encoded once, by the base; what is learned is a square matrix for queries and documents alike,
with a contrastive loss (the softmax of MultipleNegativesRankingLoss) against the other answers of the batch
or against
thousands of documents drawn from the corpus, which costs little where vectors are at hand. Both are tried, the dev queries
choose, and choose too how far to go from the start (a blend with the identity; Wortsman et al. 2022, "Robust
fine-tuning of zero-shot models"). Training takes seconds, and an index follows by one matrix product.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from search.adapted import AdaptedEncoder
from training.dev import START, DevSet
from training.recipes.adapter import Adapter

if TYPE_CHECKING:
    import torch

Vectors = NDArray[np.float32]
_SCALE = 20.0
_CHECKS = 10
_NEGATIVES = 4_096
_BLENDS = (0.25, 0.5, 0.75)
_FAR_BELOW = -1e9
_WARMUP = 0.1

Report = Callable[[int, int, str, dict[str, float] | None], None]
"""Called with steps done, steps in all, a message, and numbers for a curve."""


@dataclass(frozen=True)
class Embedded:
    """Everything the training sees, as vectors of the base model.

    `queries` and `responses` have one row a pair; `negatives`, of shape (pairs, most of a pair, dimension), the
    wrong answers that came with them, zero where a pair has fewer. `documents` has one row a passage of the
    corpus, and `owners` the position of its document. `answers` is the position of a pair's document, or -1.
    `texts` tells equal queries by equal numbers.
    """

    queries: Vectors
    responses: Vectors
    negatives: Vectors
    answers: NDArray[np.int64]
    texts: NDArray[np.int64]
    documents: Vectors
    owners: NDArray[np.int64]
    dev_queries: Vectors


@dataclass(frozen=True)
class Adapted:
    """The matrix with the best dev score, and how it was found."""

    matrix: Vectors
    start: float
    best: float
    negatives: str
    epoch: int
    blend: float

    @property
    def kept(self) -> str:
        """In words: "start", or which training, epoch and blend."""
        if self.epoch == 0:
            return START
        return f"epoch {self.epoch}, {self.negatives} negatives, blend {self.blend:g}"


def train_adapter(data: Embedded, dev: DevSet, settings: Adapter, report: Report) -> Adapted:
    """Learn the matrix that serves the dev queries best; it may be the identity (the start).

    :param data: vectors of the base model.
    :param dev: the queries that choose; its pool is looked up in `data.documents`.
    """
    kinds = ["batch", "corpus"] if settings.negatives == "auto" else [settings.negatives]
    pool = data.documents[dev.positions]

    def measure(matrix: Vectors) -> float:
        return dev.ndcg_of_vectors(data.dev_queries @ matrix.T, pool @ matrix.T)

    identity = np.eye(data.queries.shape[1], dtype=np.float32)
    start = measure(identity)
    best = Adapted(identity, start, start, "no", 0, 0.0)
    batches = -(-len(data.queries) // settings.batch_size)
    total = batches * settings.epochs * len(kinds)
    report(0, total, "before training", {"epoch": 0, "dev ndcg@10": start})
    for number, kind in enumerate(kinds):
        learner = _Learner(data, settings, kind)
        offset = number * batches * settings.epochs
        for epoch in range(1, settings.epochs + 1):
            loss = learner.epoch()
            step = offset + epoch * batches
            message = f"{kind} negatives, epoch {epoch} of {settings.epochs}"
            report(step, total, message, {"step": step, "loss": loss})
            if epoch % max(1, settings.epochs // _CHECKS) and epoch != settings.epochs:
                continue
            matrix = learner.matrix
            score = measure(matrix)
            place = number * settings.epochs + epoch
            report(step, total, message, {"epoch": place, "dev ndcg@10": score})
            if score > best.best:
                best = Adapted(matrix, start, score, kind, epoch, 1.0)
    return _blended(best, identity, measure)


def _blended(best: Adapted, identity: Vectors, measure: Callable[[Vectors], float]) -> Adapted:
    """Whether going only part of the way serves the dev queries better still."""
    if best.epoch == 0:
        return best
    whole = best
    for blend in _BLENDS:
        matrix = (identity + blend * (whole.matrix - identity)).astype(np.float32)
        score = measure(matrix)
        if score > best.best:
            best = Adapted(matrix, whole.start, score, whole.negatives, whole.epoch, blend)
    return best


class _Learner:
    """One training: the matrix, its optimiser, and the order of the pairs."""

    def __init__(self, data: Embedded, settings: Adapter, kind: str) -> None:
        import torch

        self._settings = settings
        self._queries = torch.from_numpy(data.queries)
        self._responses = torch.from_numpy(data.responses)
        self._negatives = torch.from_numpy(data.negatives)
        self._answers = torch.from_numpy(data.answers)
        self._owners = torch.from_numpy(data.owners)
        self._texts = torch.from_numpy(data.texts)
        self._random = torch.Generator().manual_seed(settings.seed)
        self._matrix = torch.nn.Parameter(torch.eye(data.queries.shape[1]))
        self._optimiser = torch.optim.AdamW(
            [self._matrix], lr=settings.learning_rate, weight_decay=0.0
        )
        self._steps = -(-len(data.queries) // settings.batch_size) * settings.epochs
        self._step = 0
        self._documents = torch.from_numpy(data.documents) if kind == "corpus" else None
        self._known: dict[int, set[int]] = {}
        for text, answer in zip(data.texts.tolist(), data.answers.tolist(), strict=True):
            self._known.setdefault(text, set()).add(answer)

    @property
    def matrix(self) -> Vectors:
        """The matrix as it stands, shape (dimension, dimension)."""
        result: Vectors = self._matrix.detach().numpy().copy()
        return result

    def epoch(self) -> float:
        """See every pair once; returns the mean loss."""
        import torch

        order = torch.randperm(len(self._queries), generator=self._random)
        losses = []
        for start in range(0, len(order), self._settings.batch_size):
            batch = order[start : start + self._settings.batch_size]
            for group in self._optimiser.param_groups:
                group["lr"] = self._settings.learning_rate * self._pace()
            loss = self._loss(batch)
            self._optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimiser.step()
            self._step += 1
            losses.append(float(loss.detach()))
        return float(np.mean(losses))

    def _pace(self) -> float:
        """The learning rate's share: up over the first tenth of the steps, then down to zero."""
        warm = max(1.0, _WARMUP * self._steps)
        return float(min(1.0, (self._step + 1) / warm) * (1 - self._step / self._steps))

    def _loss(self, batch: "torch.Tensor") -> "torch.Tensor":
        import torch
        from torch.nn.functional import cross_entropy, normalize

        queries = normalize(self._queries[batch] @ self._matrix.T, dim=1)
        responses = normalize(self._responses[batch] @ self._matrix.T, dim=1)
        answers, texts = self._answers[batch], self._texts[batch]
        right = texts[:, None] == texts[None, :]
        right |= (answers[:, None] == answers[None, :]) & (answers[:, None] >= 0)
        right.fill_diagonal_(False)
        logits = (queries @ responses.T * _SCALE).masked_fill(right, _FAR_BELOW)
        given = self._given_negatives(batch, queries)
        if self._documents is None:
            return cross_entropy(torch.cat([logits, given], dim=1), torch.arange(len(batch)))
        drawn = torch.randperm(len(self._documents), generator=self._random)[:_NEGATIVES]
        others = normalize(self._documents[drawn] @ self._matrix.T, dim=1)
        wide = (queries @ others.T * _SCALE).masked_fill(
            self._right_answers(batch, drawn), _FAR_BELOW
        )
        own = torch.diagonal(logits)[:, None]
        return cross_entropy(
            torch.cat([own, wide, given], dim=1), torch.zeros(len(batch), dtype=torch.long)
        )

    def _given_negatives(self, batch: "torch.Tensor", queries: "torch.Tensor") -> "torch.Tensor":
        """What each query of a batch makes of the wrong answers that came with it, as logits."""
        import torch
        from torch.nn.functional import normalize

        vectors = self._negatives[batch]
        turned = normalize(vectors @ self._matrix.T, dim=2)
        logits = torch.einsum("bd,bnd->bn", queries, turned) * _SCALE
        return logits.masked_fill(~vectors.any(dim=2), _FAR_BELOW)

    def _right_answers(self, batch: "torch.Tensor", drawn: "torch.Tensor") -> "torch.Tensor":
        """Where, among the documents drawn, right answers of the batch's queries stand."""
        import torch

        columns: dict[int, list[int]] = {}
        for number, owner in enumerate(self._owners[drawn].tolist()):
            columns.setdefault(owner, []).append(number)
        right = torch.zeros(len(batch), len(drawn), dtype=torch.bool)
        for row, text in enumerate(self._texts[batch].tolist()):
            for answer in self._known[text]:
                right[row, columns.get(answer, [])] = True
        return right


def with_adapter(base: Any, matrix: Vectors) -> Any:
    """The base with the matrix behind it: a SentenceTransformer of built-in modules only, where the base is one."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Dense, Normalize, StaticEmbedding

    if not isinstance(base, SentenceTransformer):
        return AdaptedEncoder(base, matrix)
    size = len(matrix)
    dense = Dense(
        size,
        size,
        bias=False,
        activation_function=torch.nn.Identity(),
        init_weight=torch.from_numpy(matrix),
    )
    made = SentenceTransformer(modules=[*list(base), dense, Normalize()], device=str(base.device))
    if not isinstance(base[0], StaticEmbedding):  # It reads texts of any length.
        made.max_seq_length = base.max_seq_length
    made.prompts, made.default_prompt_name = base.prompts, base.default_prompt_name
    return made


def numbered(texts: Sequence[str]) -> NDArray[np.int64]:
    """The same number for the same text."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(text, len(numbers)) for text in texts], dtype=np.int64)
