"""The protocol of a vector index: vectors and their positions, nothing else."""

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Positions = NDArray[np.int64]


class BadVectors(ValueError):
    """Vectors that cannot be indexed or searched: wrong shape, NaN, or infinite."""


class BrokenIndex(ValueError):
    """An index file that cannot be read back."""


class VectorIndex(Protocol):
    """Cosine search over vectors that are known by their position, 0 to len-1.

    The index normalises; a zero vector is never found, and finds nothing.
    """

    @property
    def dimension(self) -> int:
        """The number of components of each vector."""
        ...

    def __len__(self) -> int:
        """The number of vectors."""
        ...

    def search(
        self, queries: Vectors, k: int, allowed: Positions | None = None
    ) -> tuple[Positions, Vectors]:
        """The k nearest vectors of each query.

        :param queries: shape (n, dimension), of any length but zero.
        :param allowed: the positions that may be found; None for all. It is as if the others were not there.
        :returns: positions and cosines, both of shape (n, k), best first; equal cosines in order of
            position. Where fewer than k are found, the rest has position -1 and score -inf.
        :raises BadVectors: for a wrong shape, NaN or infinity.
        """
        ...

    def save(self, folder: Path) -> None:
        """Write the index into an empty folder."""
        ...


def normalised(vectors: Vectors, dimension: int | None = None) -> Vectors:
    """Vectors scaled to length 1 (zero vectors stay zero), contiguous float32.

    :param vectors: shape (n, d).
    :param dimension: the d that is expected, if any.
    :raises BadVectors: for a wrong shape, NaN or infinity, naming the row.
    """
    array = np.ascontiguousarray(vectors, dtype=np.float32)
    if array.ndim != 2 or array.shape[1] == 0:
        raise BadVectors(f"expected vectors of shape (n, dimension), got {array.shape}")
    if dimension is not None and array.shape[1] != dimension:
        raise BadVectors(f"vectors have {array.shape[1]} dimensions, the index has {dimension}")
    finite = np.isfinite(array).all(axis=1)
    if not finite.all():
        raise BadVectors(f"vector {int(np.argmin(finite))} holds NaN or infinity")
    # Scaling by the largest component first keeps tiny and huge vectors from under- or overflowing.
    largest = np.abs(array).max(axis=1, keepdims=True)
    array = np.divide(array, largest, out=np.zeros_like(array), where=largest > 0)
    lengths = np.linalg.norm(array, axis=1, keepdims=True)
    result: Vectors = np.divide(array, lengths, out=np.zeros_like(array), where=lengths > 0)
    return result
