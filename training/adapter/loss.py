"""The adapter's loss: how surely each query finds its own answer among all that stand against it.

The softmax of MultipleNegativesRankingLoss (Henderson et al. 2017, "Efficient Natural Language Response Suggestion for
Smart Reply"), over vectors that are at hand.
"""

from typing import TYPE_CHECKING

import numpy as np

from training.adapter.matrix import LearnedMatrix
from training.adapter.settings import AdapterSettings
from training.embeddings import Embedded

if TYPE_CHECKING:
    import torch

_DRAWN = 4_096
_FAR_BELOW = -1e9


class AdapterLoss:
    """The loss of a matrix over batches of pairs.

    :param kind: what a query learns to keep away from, beside the wrong answers that came with it: "batch" for the other
        answers of its batch, "corpus" for documents drawn from the corpus, "mined" for the answers of the batch
        and its own hard negatives. "teacher": no answer is right or wrong, it learns how a teacher ranks.
    :param random: what the documents are drawn by.

    >>> import torch
    >>> unit = np.eye(2, dtype=np.float32)  # Two queries, and two documents that answer them.
    >>> data = Embedded(unit, unit, np.zeros((2, 0, 2), np.float32), np.arange(2), np.arange(2), unit, np.arange(2), unit)
    >>> settings, matrix = AdapterSettings(temperature=1), LearnedMatrix(2, 0, torch.Generator())
    >>> loss = AdapterLoss(data, settings, "batch", matrix, torch.Generator())
    >>> round(loss(torch.arange(2)).item(), 4)  # The answer has cosine 1, the other 0: -log(e / (e + 1)).
    0.3133
    """

    def __init__(
        self,
        data: Embedded,
        settings: AdapterSettings,
        kind: str,
        matrix: LearnedMatrix,
        random: "torch.Generator",
    ) -> None:
        import torch

        self._settings = settings
        self._matrix = matrix
        self._random = random
        self._queries = torch.from_numpy(data.queries)
        self._responses = torch.from_numpy(data.responses)
        self._negatives = torch.from_numpy(data.negatives)
        self._answers = torch.from_numpy(data.answers)
        self._owners = torch.from_numpy(data.owners)
        self._texts = torch.from_numpy(data.texts)
        self._corpus = data.documents
        self._documents = torch.from_numpy(data.documents) if kind == "corpus" else None
        self._mined = data.mined if kind == "mined" else None
        self._teacher = data.teacher if kind == "teacher" else None
        self._known: dict[int, set[int]] = {}
        for text, answer in zip(data.texts.tolist(), data.answers.tolist(), strict=True):
            self._known.setdefault(text, set()).add(answer)

    def __call__(self, batch: "torch.Tensor") -> "torch.Tensor":
        """The mean over a batch of -log softmax of the right answer among all that stand against it.

        :param batch: positions of pairs.
        """
        import torch
        from torch.nn.functional import cross_entropy, normalize

        scale = 1 / self._settings.temperature
        queries = normalize(self._matrix.turned(self._queries[batch]), dim=1)
        if self._teacher is not None:
            rows, shares = self._teacher.rows[batch.numpy()], self._teacher.shares[batch.numpy()]
            different, where = np.unique(rows, return_inverse=True)
            others = self._answering(torch.from_numpy(self._corpus[different]))
            ranked = others[torch.from_numpy(where.reshape(rows.shape))]
            cosines = torch.einsum("bd,bnd->bn", queries, ranked)
            return cross_entropy(cosines * scale, torch.from_numpy(shares))
        responses = self._answering(self._responses[batch])
        answers, texts = self._answers[batch], self._texts[batch]
        right = texts[:, None] == texts[None, :]
        right |= (answers[:, None] == answers[None, :]) & (answers[:, None] >= 0)
        right.fill_diagonal_(False)
        logits = (queries @ responses.T * scale).masked_fill(right, _FAR_BELOW)
        given = self._own_negatives(batch, queries) * scale
        if self._documents is None:
            return cross_entropy(torch.cat([logits, given], dim=1), torch.arange(len(batch)))
        drawn = torch.randperm(len(self._documents), generator=self._random)[:_DRAWN]
        others = self._answering(self._documents[drawn])
        known = self._right_answers(batch, drawn)
        wide = (queries @ others.T * scale).masked_fill(known, _FAR_BELOW)
        own, first = torch.diagonal(logits)[:, None], torch.zeros(len(batch), dtype=torch.long)
        return cross_entropy(torch.cat([own, wide, given], dim=1), first)

    def _answering(self, vectors: "torch.Tensor") -> "torch.Tensor":
        """Documents as they will be searched, of length 1: turned, or as the base has them (query side only)."""
        from torch.nn.functional import normalize

        turned = self._matrix.turned(vectors) if self._settings.side == "both" else vectors
        return normalize(turned, dim=-1)

    def _own_negatives(self, batch: "torch.Tensor", queries: "torch.Tensor") -> "torch.Tensor":
        """What each query of a batch makes of its own wrong answers, as cosines; far below where there is none."""
        import torch

        vectors = self._negatives[batch]
        if self._mined is not None:
            rows = self._mined[batch.numpy()]
            found = torch.from_numpy(np.where(rows[..., None] >= 0, self._corpus[rows], 0.0))
            vectors = torch.cat([vectors, found], dim=1)
        cosines = torch.einsum("bd,bnd->bn", queries, self._answering(vectors))
        return cosines.masked_fill(~vectors.any(dim=2), _FAR_BELOW)

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
