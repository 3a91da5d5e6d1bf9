"""A SentenceTransformer with the backend that was measured to be the best for it."""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from indexes.vector_index import Vectors
from search.models.encoder import Encoder
from search.models.encoding.backends.choice import known_backend
from search.models.encoding.backends.pipeline import Backend, encode
from search.models.prompts import Role


def transformer_of(encoder: object) -> Any:
    """The SentenceTransformer that an encoder is or wraps; None for any other encoder."""
    model = encoder.model if isinstance(encoder, AcceleratedEncoder) else encoder
    is_one = any(
        kind.__name__ == "SentenceTransformer"
        and kind.__module__.startswith("sentence_transformers")
        for kind in type(model).__mro__
    )
    return model if is_one else None


def accelerated(encoder: Encoder) -> Encoder:
    """The encoder with the backend that its corpus was encoded with, where that is not PyTorch.

    For searching: a model that is to be trained or written out is needed as it is.
    """
    model = transformer_of(encoder)
    backend = None if model is None else known_backend(model)
    return encoder if backend is None else AcceleratedEncoder(model, backend)


class AcceleratedEncoder:
    """An encoder whose transformer is computed by another backend. Safe to use from several threads.

    >>> from search.models.word_vectors import WordVectors
    >>> words = WordVectors(["rent"], [1], np.eye(1, dtype=np.float32), "mean")
    >>> accelerated(words) is words, transformer_of(words)
    (True, None)
    """

    def __init__(self, model: Any, backend: Backend) -> None:
        self.model = model
        self.backend = backend
        self._one_at_a_time = threading.Lock()

    def encode_query(self, inputs: Sequence[str]) -> Vectors:
        """See `Encoder.encode_query`."""
        return self._encoded(inputs, "query")

    def encode_document(self, inputs: Sequence[str]) -> Vectors:
        """See `Encoder.encode_document`."""
        return self._encoded(inputs, "document")

    def _encoded(self, texts: Sequence[str], role: Role) -> Vectors:
        with self._one_at_a_time:
            found: Vectors | None = None
            for places, vectors in encode(self.model, self.backend, texts, role):
                if found is None:
                    found = np.zeros((len(texts), vectors.shape[1]), dtype=np.float32)
                found[places] = vectors
        width = self.model.get_embedding_dimension() or 0
        return np.zeros((0, width), dtype=np.float32) if found is None else found
