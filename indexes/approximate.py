"""What every approximate index does the same way: exact scores, exact answers where few vectors count.

An approximate index names candidates by codes that are smaller than the vectors. Their cosines are then computed
from the stored vectors themselves, so a score is exact and so is the order of what was found.
"""

from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from indexes.stored_vectors import StoredIndex, in_order, no_hits, threads_for
from indexes.tuning import K, RecallTrial, tuned
from indexes.vector_index import BadVectors, IndexFacts, Positions, Progress, Vectors, part, silent

_MARGIN = 16
_FEW = 1_000  # So many vectors are compared in no time.
# What a search costs, in multiplications of two components, as measured with 40,000 vectors of 384 on one core.
_SETUP = 500_000  # Whatever it looks at: a tenth of a millisecond.
# A candidate's own vector lies anywhere in its file: as much as so many vectors in a row.
_RERANKED = 10
_LARGEST_SHARE = 0.25  # More candidates than this share of all vectors: exact search is no slower.


class ApproximateIndex(StoredIndex, ABC):
    """Candidates from `nearest`, ranked by the stored vectors.

    `width` is how many places a search looks at (lists or nodes), `oversampling` how many candidates are ranked for
    each one that is wanted. Where no more than `exact_below` vectors are allowed, all of them are compared.

    >>> from tempfile import TemporaryDirectory
    >>> from indexes.opening import build, open_index
    >>> from indexes.vector_index import IndexPlan
    >>> with TemporaryDirectory() as name:
    ...     facts = build(np.eye(4, dtype=np.float32), IndexPlan(type="hnsw"), Path(name))
    ...     index = open_index(Path(name), facts.details())
    >>> isinstance(index, ApproximateIndex), facts.figures["recall@10"], index.search(index.vectors[2:3], k=1)[0].item()
    (True, 1.0, 2)
    """

    @property
    @abstractmethod
    def widths(self) -> list[int]:
        """Widths worth trying, ascending; the last is all that can be done."""

    @abstractmethod
    def exact_below(self, speedup: float) -> int:
        """Up to how many allowed vectors exact search costs no more than this index.

        :param speedup: how many times faster it is than exact search over all vectors.
        """

    @abstractmethod
    def compared(self, width: int, fetch: int) -> float:
        """About how many vectors exact search compares in the time in which `nearest` finds candidates."""

    def work(self, width: int, oversampling: int) -> float:
        """What a search costs, in multiplications: counted, so that it is the same on a busy machine."""
        fetch = min(K * oversampling + _MARGIN, len(self))
        if len(self) <= _FEW or fetch > _LARGEST_SHARE * len(self):
            return self.exact_work
        return _SETUP + self.dimension * (self.compared(width, fetch) + _RERANKED * fetch)

    @property
    def exact_work(self) -> float:
        """What exact search costs, in the same unit."""
        return float(self.dimension * len(self))

    @abstractmethod
    def nearest(
        self, queries: Vectors, fetch: int, among: Positions | None, width: int
    ) -> Positions:
        """Candidates for each query by their codes: shape (queries, fetch), -1 where there are none.

        :param queries: of length 1, none of them zero.
        :param among: the only positions that may be found, ascending.
        """

    @abstractmethod
    def changed(
        self, vectors: Vectors, origins: Positions, folder: Path, progress: Progress
    ) -> "ApproximateIndex | None":
        """`write_changed` without the tuning."""

    def write_changed(
        self, vectors: Vectors, origins: Positions, folder: Path, progress: Progress = silent
    ) -> IndexFacts | None:
        """See `VectorIndex.write_changed`; tuned again, to what the index holds now."""
        if vectors.shape[1:] != (self.dimension,):
            width = vectors.shape[-1]
            raise BadVectors(f"vectors have {width} dimensions, the index has {self.dimension}")
        made = self.changed(vectors, origins, folder, part(progress, 0, 0.8))
        if made is None:
            return None
        target = float(self.facts.figures["target"])
        facts = tuned(made, target, RecallTrial(made.stored), part(progress, 0.8, 1))
        return replace(facts, reason=self.facts.reason)

    def search(
        self, queries: Vectors, k: int, allowed: Positions | None = None
    ) -> tuple[Positions, Vectors]:
        """See `VectorIndex.search`."""
        chosen: dict[str, Any] = self.facts.parameters
        return self.search_with(queries, k, chosen["width"], chosen["oversampling"], allowed)

    def search_with(
        self,
        queries: Vectors,
        k: int,
        width: int,
        oversampling: int,
        allowed: Positions | None = None,
    ) -> tuple[Positions, Vectors]:
        """Search with another width than the index was tuned to."""
        rows = self.stored.checked(queries, k)
        among = None if allowed is None else in_order(allowed)
        most = len(self) if among is None else len(among)
        fetch = min(k * oversampling + _MARGIN, most)
        few = self.facts.parameters.get("exact_below", 0) if among is not None else 0
        if most <= max(few, _FEW) or fetch > _LARGEST_SHARE * most:
            return self.stored.search(queries, k, among)
        if k > K:  # The width finds ten. A hundred lie further apart, but not ten times so.
            width = round(width * (k / K) ** 0.5)
        positions, scores = no_hits(len(rows), k)
        askers = np.flatnonzero(rows.any(axis=1))
        if not len(askers):
            return positions, scores
        lacking = []
        with threads_for(len(askers)):
            found = self.nearest(rows[askers], fetch, among, width)
        for asker, candidates in zip(askers, found, strict=True):
            best, exact = self.stored.best(rows[asker], candidates, k)
            positions[asker, : len(best)] = best
            scores[asker, : len(best)] = exact
            if len(best) < k:
                lacking.append(asker)
        if lacking:  # Fewer than were wanted: whether there are more, only exact search can say.
            positions[lacking], scores[lacking] = self.stored.search(rows[lacking], k, among)
        return positions, scores


def bitmap(mask: Any) -> Any:
    """A FAISS selector of the places where a mask is true."""
    import faiss

    library: Any = faiss  # Its type stubs do not know that its Python layer takes arrays.
    return library.IDSelectorBitmap(np.packbits(mask, bitorder="little"))
