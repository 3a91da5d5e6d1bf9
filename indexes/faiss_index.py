"""Exact cosine search with FAISS (IndexFlatIP over vectors of length 1).

FAISS returns equal scores in no fixed order, and its scores differ in the last bits between one query
and a batch. So a few more than k are fetched, their cosines are computed again from the stored vectors,
one row at a time, and ties are broken by position: the same answer, whatever the batch.
"""

import threading
from pathlib import Path
from typing import Any

import numpy as np

from indexes.vector_index import BadVectors, BrokenIndex, Positions, Vectors, normalised

INDEX_FILE = "index.faiss"
_MARGIN = 16
_NOISE = 1e-5
_READING = threading.Lock()  # The byte limit of reading belongs to the whole process.


class _Rows:
    """The vectors inside a FAISS index as an array that keeps the index alive, without a copy."""

    def __init__(self, index: Any) -> None:
        import faiss

        self._index = index
        values = faiss.rev_swig_ptr(index.get_xb(), index.ntotal * index.d)
        self.__array_interface__ = values.reshape(index.ntotal, index.d).__array_interface__


class FaissFlatIndex:
    """Every vector is compared: exact, and fast enough up to some hundred thousand vectors."""

    def __init__(self, index: Any) -> None:
        self._index = index
        self._vectors: Vectors = np.asarray(_Rows(index))
        self._zeros = int((~self._vectors.any(axis=1)).sum())

    @classmethod
    def from_vectors(cls, vectors: Vectors) -> "FaissFlatIndex":
        """Build an index of vectors of shape (n, d); they are normalised here.

        :raises BadVectors: for no vectors, a wrong shape, NaN or infinity.
        """
        import faiss

        rows = normalised(vectors)
        if not len(rows):
            raise BadVectors("there are no vectors to index")
        index = faiss.IndexFlatIP(rows.shape[1])
        index.add(rows)
        return cls(index)

    @classmethod
    def load(cls, folder: Path) -> "FaissFlatIndex":
        """Read an index that `save` wrote.

        :raises BrokenIndex: when the file is missing, damaged or of another type.
        """
        import faiss

        path = folder / INDEX_FILE
        try:
            with _READING:
                faiss.set_deserialization_vector_byte_limit(max(path.stat().st_size, 1))
                index = faiss.read_index(str(path))
        except (OSError, RuntimeError) as error:
            reason = str(error).strip().splitlines()[-1][:200]
            raise BrokenIndex(f"{path} cannot be read as a FAISS index: {reason}") from None
        if not isinstance(index, faiss.IndexFlatIP):
            raise BrokenIndex(f"{path} is not an exact inner-product index")
        return cls(index)

    @property
    def dimension(self) -> int:
        """The number of components of each vector."""
        return int(self._index.d)

    def __len__(self) -> int:
        """The number of vectors."""
        return int(self._index.ntotal)

    @property
    def vectors(self) -> Vectors:
        """All vectors, of length 1, by position: shape (len, dimension). A view, not a copy."""
        return self._vectors

    def save(self, folder: Path) -> None:
        """Write the index into a folder."""
        import faiss

        faiss.write_index(self._index, str(folder / INDEX_FILE))

    def search(
        self, queries: Vectors, k: int, allowed: Positions | None = None
    ) -> tuple[Positions, Vectors]:
        """See `VectorIndex.search`."""
        if k < 1:
            raise BadVectors(f"k is {k}; it must be at least 1")
        rows = normalised(queries, self.dimension)
        positions = np.full((len(rows), k), -1, dtype=np.int64)
        scores = np.full((len(rows), k), -np.inf, dtype=np.float32)
        askers = np.flatnonzero(rows.any(axis=1))
        parameters, most = self._only(allowed)
        fetch = min(most, k + self._zeros + _MARGIN)
        while len(askers) and fetch:
            found_scores, found = self._index.search(rows[askers], fetch, params=parameters)
            unsettled = []
            for asker, candidates, rough in zip(askers, found, found_scores, strict=True):
                exact = self._exact(rows[asker], candidates)
                order = np.lexsort((candidates, -exact))
                kept = order[np.isfinite(exact[order])][:k]
                last = exact[kept[-1]] if len(kept) == k else -np.inf
                if fetch < most and rough[-1] >= last - _NOISE:
                    unsettled.append(asker)
                    continue
                positions[asker, : len(kept)] = candidates[kept]
                scores[asker, : len(kept)] = exact[kept]
            askers = np.array(unsettled, dtype=np.int64)
            fetch = min(most, fetch * 4)
        return positions, scores

    def _only(self, allowed: Positions | None) -> tuple[Any, int]:
        """What makes FAISS look at the allowed vectors only, and how many these are."""
        if allowed is None:
            return None, len(self)
        import faiss

        library: Any = (
            faiss  # Its Python layer takes arrays and names, which its type stubs do not know.
        )
        bits = np.zeros(len(self), dtype=bool)
        bits[allowed] = True
        packed = np.packbits(bits, bitorder="little")
        selector = library.IDSelectorBitmap(packed)
        return library.SearchParameters(sel=selector), int(bits.sum())

    def _exact(self, query: Vectors, candidates: Positions) -> Vectors:
        """Cosines of one query with the vectors at `candidates`; -inf for zero vectors."""
        rows = self._vectors[candidates]
        cosines: Vectors = (rows * query).sum(axis=1, dtype=np.float32)
        return np.where(rows.any(axis=1), cosines, np.float32(-np.inf)).astype(np.float32)
