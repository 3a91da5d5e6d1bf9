"""Vectors of a few texts (queries, answers, pairs): each encoded once, and none that the store knows."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext

import numpy as np

from indexes.vector_index import Vectors
from search.corpus.corpus import embedded_key
from search.models.encoder import Encoder
from search.models.encoding.accelerated import transformer_of
from search.models.encoding.batching import batched
from search.models.encoding.cache import EmbeddingStore, store_key
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


def encode_batches(
    encoder: Encoder, texts: Sequence[str], role: Role
) -> Iterator[tuple[list[int], Vectors]]:
    """Encode texts batch by batch with the backend that is known to be best: places, and their vectors."""
    model = transformer_of(encoder)
    if model is not None:
        from search.models.encoding.backends.choice import known_backend
        from search.models.encoding.backends.pipeline import TorchBackend, encode

        yield from encode(model, known_backend(model) or TorchBackend(model), texts, role)
        return
    yield from plain_batches(encoder, texts, role)


def plain_batches(
    encoder: Encoder, texts: Sequence[str], role: Role
) -> Iterator[tuple[list[int], Vectors]]:
    """Encode texts batch by batch, as any encoder can."""
    run = encoder.encode_document if role == "document" else encoder.encode_query
    for places in batched(texts, _MANY, _MANY, _ROWS):
        yield places, np.asarray(run([texts[place] for place in places]), dtype=np.float32)


def seen_by(encoder: Encoder, role: Role) -> bytes:
    """What, beside a text, decides what the encoder makes of it: its prompt, or its role."""
    model = transformer_of(encoder)
    if model is None:
        return b"" if role == "document" else b"query"
    from search.models.encoding.backends.pipeline import seen_as

    return seen_as(model, role)
