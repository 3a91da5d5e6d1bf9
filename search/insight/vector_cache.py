"""Vectors of texts that are asked for again and again (frequent words, training queries), kept as artifacts."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from indexes.vector_index import Vectors, normalised
from search.models.encoder import Encoder, Metered
from search.models.registry import ModelInfo
from search.projects.artifacts import Manifest
from search.projects.errors import Damaged
from search.projects.progress import Progress, silent
from search.projects.project import Project

Side = Literal["query", "document"]
_FILE = "vectors.npy"
_CHUNK = 256
SOON = 512
"""So many short texts are encoded in a second or two: no need to keep them."""


def at_hand(project: Project, info: ModelInfo, purpose: str, texts: Sequence[str]) -> bool:
    """Whether vectors of texts can be had without a wait: they are few, or were encoded before."""
    return len(texts) <= SOON or _stored(project, info, purpose, texts) is not None


def cached_vectors(
    project: Project,
    info: ModelInfo,
    purpose: str,
    texts: Sequence[str],
    encoder: Encoder,
    side: Side,
    progress: Progress = silent,
) -> Vectors:
    """Vectors of texts, of length 1 (zero where the model knows no word): shape (n, dimension).

    Those of many texts are published, so that the next call reads instead of encoding. A model's older ones for the
    same purpose are removed.

    :param purpose: what the texts are, in the plural and in words: it is said while they are encoded.
    :param side: as what the encoder takes these texts: queries or documents.
    :raises Refused: where a server encodes, and would be sent more than its cap allows; nothing was sent.
    :raises Damaged: when what was kept cannot be read.
    """
    found = _stored(project, info, purpose, texts)
    if found is not None:
        return _read(project.checked(found) / _FILE, (len(texts), info.dimension))
    if isinstance(encoder, Metered):
        encoder.admit(texts)
    encode = encoder.encode_query if side == "query" else encoder.encode_document
    vectors = np.zeros((len(texts), info.dimension), dtype=np.float32)
    for start in range(0, len(texts), _CHUNK):
        progress(start, len(texts), f"reading {len(texts):,} {purpose} with {info.name}")
        chunk = list(texts[start : start + _CHUNK])
        vectors[start : start + len(chunk)] = normalised(encode(chunk), info.dimension)
    if len(texts) > SOON:
        stale = list(project.all_where("vectors", {"purpose": purpose}, model=info.id))
        facts = {"purpose": purpose, "texts": len(texts), "key": _key(info, purpose, texts)}
        with project.publish("vectors", {"model": info.id}, **facts) as draft:
            np.save(draft.folder / _FILE, vectors, allow_pickle=False)
        for manifest in stale:
            project.remove(manifest)
    return vectors


def _stored(
    project: Project, info: ModelInfo, purpose: str, texts: Sequence[str]
) -> Manifest | None:
    """The artifact that holds these texts as this model sees them, or None."""
    return project.newest_where("vectors", {"key": _key(info, purpose, texts)})


def _key(info: ModelInfo, purpose: str, texts: Sequence[str]) -> str:
    digest = hashlib.sha256(f"{info.id}\0{info.fingerprint}\0{purpose}".encode())
    for text in texts:
        digest.update(b"\0" + text.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _read(path: Path, shape: tuple[int, int]) -> Vectors:
    try:
        vectors: Vectors = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise Damaged(f"{path} cannot be read: {error}.", path.parent) from None
    if vectors.shape != shape or vectors.dtype != np.float32:
        raise Damaged(f"{path} holds {vectors.shape} instead of {shape}.", path.parent)
    return vectors
