"""The vectors of an index as they are, by position: one .npy file, mapped into memory, searched exactly.

Every index has them beside it: an approximate one computes its scores from them, an adapter multiplies them,
a map draws them.
"""

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from indexes.faiss_files import faiss
from indexes.mapped import MappedFile
from indexes.vector_index import (
    BadVectors,
    BrokenIndex,
    IndexFacts,
    Positions,
    Progress,
    Vectors,
    normalised,
    silent,
)

VECTORS_FILE = "vectors.npy"
_MARGIN = 16
_NOISE = 1e-5
_ROWS = 16_384  # Rows that are normalised, written or looked through at a time: 24 MB of 384 dimensions.


class StoredVectors:
    """Vectors of length 1 (or zero) by position, and exact search among them.

    FAISS returns equal scores in no fixed order, and its scores differ in the last bits between one query
    and a batch. So a few more than k are fetched, their cosines are computed again from the stored vectors,
    one row at a time, and ties are broken by position: the same answer, whatever the batch.

    >>> stored = StoredVectors(normalised(np.array([[3, 4], [0, 0]])))
    >>> stored.rows.round(1).tolist(), stored.zeros
    ([[0.6000000238418579, 0.800000011920929], [0.0, 0.0]], 1)
    """

    def __init__(self, rows: Vectors, zeros: int | None = None) -> None:
        """:param rows: what `normalised` gave, contiguous: shape (n, d).
        :param zeros: how many of them are zero, where that is known.
        """
        self._rows = rows
        self._mapped: list[MappedFile] = []
        self.zeros = len(self.zero_positions()) if zeros is None else zeros

    @classmethod
    def write(cls, vectors: Vectors, folder: Path, progress: Progress = silent) -> "StoredVectors":
        """Normalise vectors into a file of a folder, some rows at a time, and open it.

        :param vectors: shape (n, d); may be mapped from a file, and larger than memory.
        :raises BadVectors: for no vectors, a wrong shape, NaN or infinity.
        :raises OSError: when the disk is full.
        """
        if vectors.ndim != 2 or not vectors.shape[1]:
            raise BadVectors(f"expected vectors of shape (n, dimension), got {vectors.shape}")
        if not len(vectors):
            raise BadVectors("there are no vectors to index")
        header = {"descr": "<f4", "fortran_order": False, "shape": vectors.shape}
        # Written, not mapped: on a full disk a write is an error, a mapped page is the end of the process.
        zeros = 0
        with (folder / VECTORS_FILE).open("wb") as stream:
            np.lib.format.write_array_header_1_0(stream, header)
            for start in range(0, len(vectors), _ROWS):
                part = normalised(vectors[start : start + _ROWS], first=start)
                zeros += int((~part.any(axis=1)).sum())
                stream.write(part.astype("<f4", copy=False).data)
                progress(min(start + _ROWS, len(vectors)), len(vectors), "writing vectors")
        if isinstance(vectors, np.memmap) and vectors.mode == "r":
            _let_go(vectors)
        return cls.open(folder, zeros)

    @classmethod
    def open(cls, folder: Path, zeros: int | None = None) -> "StoredVectors":
        """Map the vectors of an index into memory.

        :param zeros: how many of them are zero, where that is known: else all are looked through.

        :raises BrokenIndex: when the file is missing, cut short, or holds something else.
        """
        path = folder / VECTORS_FILE
        try:
            with path.open("rb") as stream:
                if np.lib.format.read_magic(stream) != (1, 0):
                    raise ValueError("it is of another version of the format")
                shape, by_columns, kind = np.lib.format.read_array_header_1_0(stream)
                offset = stream.tell()
            if kind != np.float32 or by_columns or len(shape) != 2 or min(shape) < 1:
                raise ValueError("it holds other numbers")
            # In whole numbers of any size: what a header claims may overflow others.
            claimed, size = shape[0] * shape[1] * 4, path.stat().st_size - offset
            if claimed != size:
                raise ValueError(f"it holds {size:,} bytes instead of {claimed:,}")
            # Copied on a write: torch takes no read-only array, and nothing written reaches the file.
            rows = np.memmap(path, dtype="<f4", mode="c", offset=offset, shape=shape)
            mapped = MappedFile(path)
        except (OSError, ValueError, EOFError) as error:
            reason = str(error).strip().splitlines()[0][:200]
            raise BrokenIndex(f"{path} cannot be read as vectors: {reason}") from None
        opened = cls(np.asarray(rows), zeros)
        opened._mapped.append(mapped)
        return opened

    @property
    def rows(self) -> Vectors:
        """The vectors: shape (n, d).

        :raises BrokenIndex: when a file that they are mapped from was cut since it was opened.
        """
        for file in self._mapped:
            file.check()
        return self._rows

    def watch(self, path: Path) -> None:
        """Look at the length of a file that is mapped, too, before each use.

        :raises OSError: when it cannot be opened.
        """
        self._mapped.append(MappedFile(path))

    @property
    def dimension(self) -> int:
        """The number of components of each vector."""
        return int(self._rows.shape[1])

    def __len__(self) -> int:
        """The number of vectors."""
        return len(self._rows)

    def facts(self, engine: str, kind: str, **more: Any) -> IndexFacts:
        """What an index of these vectors is; `more` are other fields of `IndexFacts`."""
        return IndexFacts(engine, kind, len(self), self.dimension, self.zeros, **more)

    def zero_positions(self) -> Positions:
        """Which vectors are zero, looked through a part at a time so that no large mask is made."""
        parts = [
            start + np.flatnonzero(~self.rows[start : start + _ROWS].any(axis=1))
            for start in range(0, len(self), _ROWS)
        ]
        return np.concatenate(parts).astype(np.int64)

    def search(
        self, queries: Vectors, k: int, allowed: Positions | None = None
    ) -> tuple[Positions, Vectors]:
        """See `VectorIndex.search`; exact."""
        rows = self.checked(queries, k)
        positions, scores = no_hits(len(rows), k)
        askers = np.flatnonzero(rows.any(axis=1))
        among = None if allowed is None else in_order(allowed)
        most = len(self) if among is None else len(among)
        fetch = min(most, k + self.zeros + _MARGIN)
        while len(askers) and fetch:
            with threads_for(len(askers)):
                found_scores, found = self._rough(rows[askers], fetch, among)
            unsettled = []
            for asker, candidates, rough in zip(askers, found, found_scores, strict=True):
                kept, exact = self.best(rows[asker], candidates, k)
                last = exact[-1] if len(kept) == k else -np.inf
                if fetch < most and rough[-1] >= last - _NOISE:
                    unsettled.append(asker)
                    continue
                positions[asker, : len(kept)] = kept
                scores[asker, : len(kept)] = exact
            askers = np.array(unsettled, dtype=np.int64)
            fetch = min(most, fetch * 4)
        return positions, scores

    def checked(self, queries: Vectors, k: int) -> Vectors:
        """Queries of length 1 (or zero).

        :raises BadVectors: for a wrong shape, NaN or infinity, or k below 1.
        """
        if k < 1:
            raise BadVectors(f"k is {k}; it must be at least 1")
        _ = self.rows  # Says where they were cut.
        return normalised(queries, self.dimension)

    def best(self, query: Vectors, candidates: Positions, k: int) -> tuple[Positions, Vectors]:
        """The best k of some positions for one query, with their cosines; zero vectors are left out.

        :param candidates: positions, none twice; those below 0 are left out.
        """
        known = candidates[candidates >= 0]
        rows = self.rows[known]
        if not self.zeros and len(known) > k:
            # A product of matrices is fast and differs in the last bits from one batch to another: it only says which
            # rows are near enough to be looked at.
            rough = rows @ query
            near = rough >= np.partition(rough, -k)[-k] - _NOISE
            known, rows = known[near], rows[near]
        cosines: Vectors = (rows * query).sum(axis=1, dtype=np.float32)
        cosines = np.where(rows.any(axis=1), cosines, np.float32(-np.inf)).astype(np.float32)
        order = np.lexsort((known, -cosines))[:k]
        order = order[np.isfinite(cosines[order])]
        return known[order], cosines[order]

    def _rough(
        self, queries: Vectors, fetch: int, among: Positions | None
    ) -> tuple[Vectors, Positions]:
        """FAISS's exhaustive search over the file's own pages: nothing is copied."""
        scores = np.empty((len(queries), fetch), dtype=np.float32)
        found = np.empty((len(queries), fetch), dtype=np.int64)
        pointer = faiss.swig_ptr
        # An array of allowed positions makes FAISS go to these rows only.
        selector = None if among is None else faiss.IDSelectorArray(len(among), pointer(among))
        faiss.knn_inner_product(
            pointer(queries),
            pointer(self.rows),
            self.dimension,
            len(queries),
            len(self),
            fetch,
            pointer(scores),
            pointer(found),
            selector,
        )
        return scores, found


class StoredIndex:
    """What every index that has its vectors beside it does the same way.

    >>> index = StoredIndex(StoredVectors(np.eye(3, dtype=np.float32)), IndexFacts("faiss", "flat", 3, 3, 0))
    >>> len(index), index.dimension
    (3, 3)
    """

    def __init__(self, stored: StoredVectors, facts: IndexFacts) -> None:
        self.stored = stored
        self.facts = facts

    @property
    def dimension(self) -> int:
        """The number of components of each vector."""
        return self.stored.dimension

    def __len__(self) -> int:
        """The number of vectors."""
        return len(self.stored)

    @property
    def vectors(self) -> Vectors:
        """See `VectorIndex.vectors`."""
        return self.stored.rows

    def write_changed(
        self,
        vectors: Vectors,
        origins: Positions,
        folder: Path,
        progress: Progress = silent,
        questions: Vectors | None = None,
    ) -> IndexFacts | None:
        """See `VectorIndex.write_changed`: nothing is saved by it, unless an index knows better."""
        return None


def _let_go(vectors: np.memmap) -> None:
    """Give back the memory of pages that were read; they are in their file still."""
    pages: Any = vectors.base
    if isinstance(pages, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        pages.madvise(mmap.MADV_DONTNEED)


def no_hits(queries: int, k: int) -> tuple[Positions, Vectors]:
    """What a search returns where nothing is found: positions -1, scores -inf."""
    positions = np.full((queries, k), -1, dtype=np.int64)
    return positions, np.full((queries, k), -np.inf, dtype=np.float32)


def in_order(positions: Positions) -> Positions:
    """Positions ascending, none twice; as they are where they are so already."""
    given = np.ascontiguousarray(positions, dtype=np.int64)
    return given if bool((given[1:] > given[:-1]).all()) else np.unique(given)


@contextmanager
def threads_for(queries: int) -> Iterator[None]:
    """No more threads than there are queries.

    FAISS parts its work by queries, so a second thread has nothing to do for a single one; but it is waited for,
    and on a busy machine that took a hundred times as long as the search (20,000 vectors: .4 and 50 ms). The
    number belongs to the calling thread, so searches at the same time do not hinder each other.
    """
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(max(1, min(before, queries)))
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
