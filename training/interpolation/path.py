"""The way from a start to a custom model: a model at any place on it, and what that place scores.

What was published may stand anywhere on the way; the far end is found again by going on in the same direction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from indexes.vector_index import Vectors, normalised
from search.models.encoding.texts import encode_texts
from search.models.linear_adapter import LinearAdapter, matrix_of, side_of, with_adapter
from search.models.prompts import Role
from search.models.registry import ModelInfo
from search.projects.errors import Failed
from search.projects.progress import Progress, silent
from training.dev_set import DevSet
from training.fine_tune.weights import weights_of
from training.forgetting import general_ndcg
from training.weight_interpolation import between, between_matrices

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Scores = tuple[list[float], float]
"""nDCG@10 of each dev query, and on the general questions."""


class MatrixPath:
    """Adapters between a start (share 0) and what was trained (share 1): matrices, so the start encodes everything once.

    :param start: the base of the adapter.
    :param info: the base as the project knows it: what it encoded before is not encoded again.
    :param published: the adapter.
    :param share: where the adapter stands.
    """

    shares: Sequence[float] = tuple(round(0.05 * step, 2) for step in range(21))

    def __init__(
        self, start: Any, info: ModelInfo | None, published: Any, share: float, dev: DevSet
    ) -> None:
        matrix = matrix_of(published)
        identity = np.eye(len(matrix), dtype=np.float32)
        self._whole = identity + (matrix - identity) / np.float32(share)
        self._side = side_of(published)
        self._start = start
        self._dev = dev
        self._known = _Remembering(start, info)
        self._dev_vectors: tuple[Vectors, Vectors] | None = None

    def measure(self, share: float, progress: Progress = silent) -> Scores:
        """What the model at a share scores."""
        if self._dev_vectors is None:
            queries = self._known.encoded(self._dev.queries, "query", progress)
            self._dev_vectors = queries, self._known.encoded(self._dev.texts, "document", progress)
        queries, documents = self._dev_vectors
        matrix = between_matrices(self._whole, share)
        turned = documents @ matrix.T if self._side == "both" else documents
        adapter = LinearAdapter(self._known, matrix, self._side)
        return self._dev.scores_of_vectors(queries @ matrix.T, turned), general_ndcg(adapter)

    def model(self, share: float) -> Any:
        """The model at a share, to be saved. It is good until the next call."""
        return with_adapter(self._start, between_matrices(self._whole, share), self._side)


class WeightsPath:
    """Models between a start (share 0) and one whose own weights were trained (share 1); each has to encode the dev pool anew.

    :raises Failed: when the two models are not of one shape, so that nothing lies between them.
    """

    shares: Sequence[float] = (0.0, 0.25, 0.5, 0.75, 1.0)

    def __init__(
        self,
        start: "SentenceTransformer",
        published: "SentenceTransformer",
        share: float,
        dev: DevSet,
    ) -> None:
        self._model = published
        self._dev = dev
        self._first, there = weights_of(start), weights_of(published)
        same = self._first.keys() == there.keys() and all(
            tensor.shape == there[name].shape for name, tensor in self._first.items()
        )
        if not same:
            raise Failed(
                "The model and its start have other layers or sizes, so there is nothing between them. Was the start "
                "changed since? Train anew."
            )
        self._last = between(self._first, there, 1 / share)

    def measure(self, share: float, progress: Progress = silent) -> Scores:
        """What the model at a share scores."""
        model, message = self.model(share), f"measuring {share:.0%} of the way"
        vectors = self._dev.vectors(model, lambda done: progress(done, 1, message))
        return self._dev.scores_of_vectors(*vectors), general_ndcg(model)

    def model(self, share: float) -> Any:
        """The model at a share, to be saved. It is good until the next call."""
        self._model.load_state_dict(between(self._first, self._last, share))
        return self._model


@dataclass
class _Remembering:
    """An encoder that encodes a text once."""

    start: Any
    info: ModelInfo | None
    seen: dict[tuple[Role, tuple[str, ...]], Vectors] = field(default_factory=dict)

    def encode_query(self, inputs: Sequence[str]) -> Vectors:
        """See `Encoder.encode_query`."""
        return self.encoded(inputs, "query")

    def encode_document(self, inputs: Sequence[str]) -> Vectors:
        """See `Encoder.encode_document`."""
        return self.encoded(inputs, "document")

    def encoded(self, texts: Sequence[str], role: Role, progress: Progress = silent) -> Vectors:
        """Vectors of length 1 (zero where the model knows no word)."""
        key = role, tuple(texts)
        if key not in self.seen:
            found = encode_texts(self.start, self.info, texts, role, progress)
            self.seen[key] = normalised(found)
        return self.seen[key]
