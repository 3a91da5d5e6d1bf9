"""One training of an adapter: its matrix, its optimiser, and the order of the pairs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from indexes.vector_index import Vectors
from training.adapter.matrix import LearnedMatrix
from training.adapter.settings import AdapterSettings
from training.embeddings import Embedded

if TYPE_CHECKING:
    import torch

_DRAWN = 4_096
_FAR_BELOW = -1e9
_WARMUP = 0.1
_RANDOM, _WEIGHTS, _MOMENTS = "random", "weights/", "adamw/"


class Learner:
    """Learns one matrix from pairs, an epoch at a time.

    :param kind: what a query learns to keep away from, beside the wrong answers that came with it: "batch" for the other
        answers of its batch, "corpus" for documents drawn from the corpus, "mined" for the answers of the batch
        and its own hard negatives.
    """

    def __init__(self, data: Embedded, settings: AdapterSettings, kind: str) -> None:
        import torch

        self._settings = settings
        self._queries = torch.from_numpy(data.queries)
        self._responses = torch.from_numpy(data.responses)
        self._negatives = torch.from_numpy(data.negatives)
        self._answers = torch.from_numpy(data.answers)
        self._owners = torch.from_numpy(data.owners)
        self._texts = torch.from_numpy(data.texts)
        self._random = torch.Generator().manual_seed(settings.seed)
        self._matrix = LearnedMatrix(data.queries.shape[1], settings.rank, self._random)
        self._optimiser = torch.optim.AdamW(
            self._matrix.parameters.values(), lr=settings.learning_rate, weight_decay=0.0
        )
        self._steps = -(-len(data.queries) // settings.batch_size) * settings.epochs
        self._step = 0
        self._corpus = data.documents
        self._documents = torch.from_numpy(data.documents) if kind == "corpus" else None
        self._mined = data.mined if kind == "mined" else None
        self._known: dict[int, set[int]] = {}
        for text, answer in zip(data.texts.tolist(), data.answers.tolist(), strict=True):
            self._known.setdefault(text, set()).add(answer)

    @property
    def matrix(self) -> Vectors:
        """The matrix as it stands, shape (dimension, dimension)."""
        return self._matrix.numbers()

    def epoch(self) -> float:
        """See every pair once; returns the mean loss."""
        import torch

        order = torch.randperm(len(self._queries), generator=self._random)
        losses = []
        for start in range(0, len(order), self._settings.batch_size):
            batch = order[start : start + self._settings.batch_size]
            for group in self._optimiser.param_groups:
                group["lr"] = self._settings.learning_rate * self._pace()
            loss = self.loss(batch)
            self._optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimiser.step()
            self._step += 1
            losses.append(float(loss.detach()))
        return float(np.mean(losses))

    def loss(self, batch: "torch.Tensor") -> "torch.Tensor":
        """The mean over a batch of -log softmax of the right answer among all that stand against it.

        :param batch: places of pairs.
        """
        import torch
        from torch.nn.functional import cross_entropy, normalize

        scale = 1 / self._settings.temperature
        queries = normalize(self._matrix.turned(self._queries[batch]), dim=1)
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
        wide = (queries @ others.T * scale).masked_fill(
            self._right_answers(batch, drawn), _FAR_BELOW
        )
        own = torch.diagonal(logits)[:, None]
        return cross_entropy(
            torch.cat([own, wide, given], dim=1), torch.zeros(len(batch), dtype=torch.long)
        )

    def state(self) -> dict[str, NDArray[Any]]:
        """Weights, AdamW's moments and the random numbers to come: all that is needed to go on."""
        tensors = {_RANDOM: self._random.get_state()}
        tensors |= {_WEIGHTS + name: tensor for name, tensor in self._matrix.parameters.items()}
        for number, kept in self._optimiser.state_dict()["state"].items():
            tensors |= {f"{_MOMENTS}{number}/{key}": tensor for key, tensor in kept.items()}
        return {name: tensor.detach().numpy() for name, tensor in tensors.items()}

    def go_on(self, state: Mapping[str, NDArray[Any]], epochs: int) -> None:
        """Stand where `state` was taken, after so many epochs."""
        import torch

        tensors = {name: torch.from_numpy(array.copy()) for name, array in state.items()}
        self._random.set_state(tensors[_RANDOM])
        moments: dict[int, dict[str, torch.Tensor]] = {}
        with torch.no_grad():
            for name, parameter in self._matrix.parameters.items():
                parameter.copy_(tensors[_WEIGHTS + name])
        for name, tensor in tensors.items():
            if name.startswith(_MOMENTS):
                number, key = name.removeprefix(_MOMENTS).split("/")
                moments.setdefault(int(number), {})[key] = tensor
        self._optimiser.load_state_dict({**self._optimiser.state_dict(), "state": moments})
        self._step = self._steps // self._settings.epochs * epochs

    def _pace(self) -> float:
        """The learning rate's share: up over the first tenth of the steps, then down to zero."""
        warm = max(1.0, _WARMUP * self._steps)
        return float(min(1.0, (self._step + 1) / warm) * (1 - self._step / self._steps))

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
