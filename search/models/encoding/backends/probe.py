"""Which backend computes a model: measured on the person's own passages, for speed and for agreement."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from indexes.vector_index import Vectors, normalised
from search.models.encoding.backends.openvino import attention_window
from search.models.encoding.backends.pipeline import Backend, encode
from search.models.prompts import prompt_of

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

PASSAGES = 32
# Vectors of the two backends stand in one store, and a query encoded by one searches vectors of the other. Sixteen
# bits of precision keep .9999 and every neighbour; weights of eight bits fell to .9987 and lost one neighbour in
# a hundred, which is as much as many a training gains.
LOWEST_COSINE = 0.9999
LEAST_OVERLAP = 0.99
# Less than a tenth faster is within the noise of so short a measurement.
WORTH_IT = 1.1
_NEIGHBOURS = 10
_WARM_UP = 4
_LONG = 512
_FEW = 5


@dataclass(frozen=True)
class Measured:
    """One backend on the probe's passages.

    `speed` is passages a second; `lowest` and `mean` are cosines to PyTorch's vectors, and `overlap` the share of
    each passage's ten nearest that stay its ten nearest.

    >>> Measured("openvino bf16", speed=90.0, lowest=0.99995, mean=0.99999, overlap=1.0).agrees
    True
    """

    name: str
    speed: float
    lowest: float
    mean: float
    overlap: float

    @property
    def agrees(self) -> bool:
        """Whether its vectors may stand in for PyTorch's."""
        return self.lowest >= LOWEST_COSINE and self.overlap >= LEAST_OVERLAP

    def as_json(self) -> dict[str, float | str]:
        """For the file beside the conversion, and for manifests."""
        return {
            name: round(v, 6) if isinstance(v, float) else v for name, v in asdict(self).items()
        }


def sample(count: int) -> list[int]:
    """Positions of the passages to measure on, spread evenly over `count`."""
    return sorted({int(place) for place in np.linspace(0, count - 1, min(PASSAGES, count))})


def measured(
    model: "SentenceTransformer", backend: Backend, texts: Sequence[str], reference: Vectors | None
) -> tuple[Measured, Vectors]:
    """Encode the texts with a backend, after a short warm-up, and compare; then one batch of very unlike lengths.

    :param reference: what this returned for PyTorch; None when this is PyTorch.
    :returns: what was measured, and vectors of the texts and of the batch.
    """
    encoded(model, backend, texts[:_WARM_UP])
    started = time.perf_counter()
    plain = encoded(model, backend, texts)
    speed = len(texts) / (time.perf_counter() - started)
    both = np.vstack([plain, _run_together(model, backend, unlike(model, texts))])
    vectors = normalised(np.nan_to_num(both))
    if reference is None:
        return Measured(backend.name, speed, 1.0, 1.0, 1.0), vectors
    cosines = np.einsum("nd,nd->n", vectors, reference)
    cosines[~np.isfinite(both).all(axis=1)] = -1.0  # What is no number does not agree.
    count = len(texts)
    overlap = neighbours_shared(vectors[:count], reference[:count])
    return Measured(
        backend.name, speed, float(cosines.min()), float(cosines.mean()), overlap
    ), vectors


def unlike(model: "SentenceTransformer", texts: Sequence[str]) -> list[str]:
    """Texts that make one batch mostly padding: a word, a few, and as many as the model reads or its window twice.

    Texts are sorted by length before they are encoded, so passages alone never make such a batch; searches do.
    """
    words = " ".join(texts).split() or ["a"]
    pieces = min(max(_LONG, 2 * (attention_window(model) or 0) + 2), model.max_seq_length or _LONG)
    many = (words * (pieces // len(words) + 1))[:pieces]
    return [min(words, key=len)[:_FEW], " ".join(many), " ".join(words[:_FEW])]


def _run_together(model: "SentenceTransformer", backend: Backend, texts: Sequence[str]) -> Vectors:
    """Vectors of texts in one batch, whatever their lengths."""
    features = model.preprocess(list(texts), prompt=prompt_of(model, "document"), task="document")
    return next(iter(backend.vectors(iter([features]), "document")))


def encoded(model: "SentenceTransformer", backend: Backend, texts: Sequence[str]) -> Vectors:
    """Vectors of texts, in their order: shape (texts, dimension)."""
    rows: dict[int, Vectors] = {}
    for places, vectors in encode(model, backend, texts, "document"):
        rows.update(zip(places, vectors, strict=True))
    return np.stack([rows[place] for place in range(len(texts))])


def neighbours_shared(vectors: Vectors, reference: Vectors) -> float:
    """The share of each row's ten nearest rows under the reference that are its nearest under the vectors too.

    :param vectors: of length 1, shape (n, d); `reference` likewise.
    """
    k = min(_NEIGHBOURS, len(vectors) - 1)
    if k < 1:
        return 1.0
    near = [_nearest(rows, k) for rows in (vectors, reference)]
    kept = [len(set(a) & set(b)) / k for a, b in zip(*near, strict=True)]
    return float(np.mean(kept))


def _nearest(rows: Vectors, k: int) -> list[list[int]]:
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -np.inf)
    order: list[list[int]] = np.argsort(-cosines, axis=1, kind="stable")[:, :k].tolist()
    return order
