"""Vectors of a few texts (queries, answers, pairs): each encoded once, and none that the store knows.

The backend is the one that was measured to be the best for a model.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from indexes.vector_index import Vectors
from search.corpus.corpus import embedded_key
from search.models.encoder import Encoder
from search.models.encoding.backends.choice import known_backend
from search.models.encoding.backends.pipeline import Backend, TorchBackend, encode, seen_as
from search.models.encoding.batching import batched
from search.models.encoding.cache import EmbeddingStore, store_key
from search.models.encoding.quantized.encoder import QuantizedEncoder
from search.models.prompts import Role
from search.models.registry import ModelInfo
from search.projects.progress import Progress, silent

_MANY = 1_000_000  # Pieces of a batch where an encoder makes batches of its own.
_ROWS = 64


def encode_texts(
    encoder: Encoder,
    info: ModelInfo | None,
    texts: Sequence[str],
    role: Role,
    progress: Progress = silent,
    what: str = "texts",
) -> Vectors:
    """Vectors of texts, in their order: shape (texts, dimension).

    :param info: the model that the encoder is, to look its vectors up and keep them; None for a model that is
        not the project's: then nothing is looked up or kept.
    """
    distinct = list(dict.fromkeys(texts))
    found: dict[str, Vectors] = {}
    with EmbeddingStore.of(info.fingerprint, info.dimension) if info else nullcontext() as store:
        salt = seen_by(encoder, role)
        keys = {text: store_key(embedded_key(text), salt) for text in distinct}
        if store is not None and info is not None:
            store.note_view(salt)
            into = np.zeros((len(distinct), info.dimension), dtype=np.float32)
            known = store.fill(list(keys.values()), into)
            found = {distinct[row]: into[row] for row in np.flatnonzero(known)}
        missing = [text for text in distinct if text not in found]
        done = 0
        progress(0, max(len(missing), 1), f"encoding {len(missing):,} {what}")
        for places, vectors in encode_batches(encoder, missing, role):
            batch = [missing[place] for place in places]
            found.update(zip(batch, vectors, strict=True))
            if store is not None:
                store.add([keys[text] for text in batch], vectors)
            done += len(batch)
            progress(done, len(missing), f"encoding {len(missing):,} {what}")
    return np.stack([found[text] for text in texts])


def unknown_texts(encoder: Encoder, info: ModelInfo, texts: Sequence[str], role: Role) -> list[str]:
    """Those of some texts that `encode_texts` would encode, each once: the store holds no vector of them."""
    distinct = list(dict.fromkeys(texts))
    salt = seen_by(encoder, role)
    with EmbeddingStore.of(info.fingerprint, info.dimension) as store:
        keys = [store_key(embedded_key(text), salt) for text in distinct]
        known = store.fill(keys, np.empty((len(distinct), info.dimension), dtype=np.float32))
    return [text for text, here in zip(distinct, known, strict=True) if not here]


def encode_batches(
    encoder: Encoder, texts: Sequence[str], role: Role
) -> Iterator[tuple[list[int], Vectors]]:
    """Encode texts batch by batch with the backend that is known to be best: places, and their vectors."""
    model = transformer_of(encoder)
    if model is not None:
        yield from encode(model, known_backend(model) or TorchBackend(model), texts, role)
        return
    yield from plain_batches(encoder, texts, role)


def plain_batches(
    encoder: Encoder, texts: Sequence[str], role: Role
) -> Iterator[tuple[list[int], Vectors]]:
    """Encode texts batch by batch, as any encoder can; one in eight bits has batches of its own."""
    if isinstance(encoder, QuantizedEncoder):
        yield from encoder.batches(texts, role)
        return
    run = encoder.encode_document if role == "document" else encoder.encode_query
    for places in batched(texts, _MANY, _MANY, _ROWS):
        yield places, np.asarray(run([texts[place] for place in places]), dtype=np.float32)


def seen_by(encoder: Encoder, role: Role) -> bytes:
    """What, beside a text, decides what the encoder makes of it: its prompt, or its role."""
    model = transformer_of(encoder)
    if model is None:
        return b"" if role == "document" else b"query"
    return seen_as(model, role)


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
