"""The exact index: every vector is compared. Fast enough up to some tens of thousands of vectors."""

from indexes.stored_vectors import StoredIndex, StoredVectors
from indexes.vector_index import (
    FAISS,
    FLAT,
    BadVectors,
    IndexFacts,
    Positions,
    Vectors,
    normalised,
)


class FlatIndex(StoredIndex):
    """Exact search over stored vectors; the file of vectors is all there is of it.

    >>> import numpy as np
    >>> index = FlatIndex.of(np.eye(3, dtype=np.float32))
    >>> index.search(np.array([[1, 1, 0]], dtype=np.float32), k=1, allowed=np.array([1, 2]))[0].tolist()
    [[1]]
    """

    def __init__(self, stored: StoredVectors, facts: IndexFacts | None = None) -> None:
        super().__init__(stored, facts or flat_facts(stored, "exact"))

    @classmethod
    def of(cls, vectors: Vectors) -> "FlatIndex":
        """An index in memory, of vectors of shape (n, d).

        :raises BadVectors: for no vectors, a wrong shape, NaN or infinity.
        """
        rows = normalised(vectors)
        if not len(rows):
            raise BadVectors("there are no vectors to index")
        return cls(StoredVectors(rows))

    def search(
        self, queries: Vectors, k: int, allowed: Positions | None = None
    ) -> tuple[Positions, Vectors]:
        """See `VectorIndex.search`."""
        return self.stored.search(queries, k, allowed)


def flat_facts(stored: StoredVectors, reason: str) -> IndexFacts:
    """What an exact index over these vectors is, and why it is one."""
    figures = {"recall@10": 1.0, "bytes": float(stored.rows.nbytes)}
    return stored.facts(FAISS, FLAT, figures=figures, reason=reason)
