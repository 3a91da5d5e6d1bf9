"""Inverted lists: vectors in the list of their nearest centroid; a search looks into the nearest lists only.

Sivic and Zisserman, "Video Google" (ICCV 2003), as FAISS has it: https://github.com/facebookresearch/faiss/wiki.
The codes in the lists are the vectors themselves (ivf), 8 bits a component (ivf-sq8), a product quantiser's 4 bits for
two components of what a vector is beside its centroid (ivf-pq; Jégou et al., TPAMI 2011), which are compared 32 at a time
in the processor's registers (André et al., "Cache locality is not enough", VLDB 2015), or 1 bit a component (ivf-rabitq;
Gao and Long, SIGMOD 2024).
"""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from indexes.approximate import ApproximateIndex, bitmap
from indexes.faiss_files import INDEX_FILE, faiss, read_faiss, write_faiss
from indexes.kmeans import centroids_of, list_count, nearest
from indexes.stored_vectors import StoredVectors
from indexes.vector_index import (
    FAISS,
    BrokenIndex,
    IndexFacts,
    Positions,
    Progress,
    Vectors,
    part,
)

PQ = "ivf-pq"
CLASSES = {
    "ivf": "IndexIVFFlat",
    "ivf-sq8": "IndexIVFScalarQuantizer",
    PQ: "IndexIVFPQFastScan",
    "ivf-rabitq": "IndexIVFRaBitQ",
}
# How long a code takes, beside a vector of exact search.
_CODE_COST = {"ivf": 1.0, "ivf-sq8": 1.0, PQ: 0.35, "ivf-rabitq": 0.4}
_ROWS = 32_768
_TRAINED_ON = 50_000  # Enough to learn the range of a component, or 16 centroids of a part of one.
_MOST_PARTS = 256  # So many of 8 bits add up in 16, as they are compared.
_INWARDS = 0.99
_WORN = 0.5  # The share of changed vectors from which the centroids are learned anew.


class IvfIndex(ApproximateIndex):
    """Inverted lists over stored vectors. What FAISS calls an id is a position here.

    >>> from tempfile import TemporaryDirectory
    >>> from indexes.opening import build, open_index
    >>> from indexes.vector_index import IndexPlan
    >>> with TemporaryDirectory() as name:
    ...     facts = build(np.eye(4, dtype=np.float32), IndexPlan(type="ivf-sq8"), Path(name))
    ...     index = open_index(Path(name), facts.details())
    >>> type(index).__name__, index.search(index.vectors[2:3], k=1)[0].item()
    ('IvfIndex', 2)
    """

    def __init__(self, stored: StoredVectors, facts: IndexFacts, index: Any, folder: Path) -> None:
        super().__init__(stored, facts)
        self._index = index
        self._folder = folder

    @classmethod
    def open(cls, folder: Path, facts: IndexFacts, stored: StoredVectors) -> "IvfIndex":
        """Open what `build_ivf` wrote beside or for some vectors.

        :raises BrokenIndex: when it cannot be read back.
        """
        index = read_faiss(folder, CLASSES[facts.type], facts.parameters["file_bytes"])
        stored.watch(folder / INDEX_FILE)
        if (index.ntotal, index.d) != (len(stored) - stored.zeros, stored.dimension):
            raise BrokenIndex(
                f"{folder / INDEX_FILE} cannot be read as the index of these vectors: it holds "
                f"{index.ntotal:,} of {index.d} dimensions"
            )
        opened = cls(stored, facts, index, folder)
        _ = opened._lists  # Reads every position once: one that is out of range is found here.
        return opened

    @property
    def widths(self) -> list[int]:
        """See `ApproximateIndex.widths`: how many lists are looked into."""
        steps = {round(2 ** (step / 4)) for step in range(4 * 16)}
        return [*sorted(step for step in steps if step < self._index.nlist), self._index.nlist]

    def exact_below(self, speedup: float) -> int:
        """See `ApproximateIndex.exact_below`: a filtered search looks at as many vectors as any other."""
        return int(len(self) / max(speedup, 1.0))

    @cached_property
    def _lists(self) -> Any:
        """The list of each position, -1 for zero vectors: shape (len,)."""
        lists = np.full(len(self), -1, dtype=np.int32)
        for number in range(self._index.nlist):
            positions = _positions(self._index, number)
            if len(positions) and (positions.min() < 0 or positions.max() >= len(self)):
                raise BrokenIndex(
                    f"{self._folder / INDEX_FILE} cannot be read as this index: it names vectors "
                    "that are not there"
                )
            lists[positions] = number
        return lists

    def compared(self, width: int, fetch: int) -> float:
        """See `ApproximateIndex.compared`: every centroid, and the codes in the lists that are looked into."""
        lists, average = self._index.nlist, self._average
        probes = min(lists, max(width, int(np.ceil(fetch / average))))
        return float(lists + probes * average * _CODE_COST[self.facts.type])

    @property
    def _average(self) -> float:
        """How many vectors a list holds, on average."""
        return float(max(self._index.ntotal / self._index.nlist, 1.0))

    def nearest(
        self, queries: Vectors, fetch: int, among: Positions | None, width: int
    ) -> Positions:
        """See `ApproximateIndex.nearest`."""
        lists = self._index.nlist
        average = self._average
        wanted = max(width * average, float(fetch))  # Fewer than are asked for cannot be enough.
        if among is None:
            probes = min(lists, max(width, int(np.ceil(wanted / average))))
            parameters = faiss.SearchParametersIVF(nprobe=probes)
            found: Positions = self._index.search(queries, fetch, params=parameters)[1]
            return found
        return self._nearest_among(queries, fetch, among, width, wanted)

    def _nearest_among(
        self, queries: Vectors, fetch: int, among: Positions, width: int, wanted: float
    ) -> Positions:
        """Look into the nearest lists that hold allowed vectors, until as many of these were seen as of any.

        So a filter that leaves a tenth looks into ten times as many lists, and one that leaves only vectors
        far from the query goes to where they are.
        """
        held = np.bincount(self._lists[among] + 1, minlength=self._index.nlist + 1)[1:]
        near, order = self._index.quantizer.search(queries, self._index.nlist)
        here = held[order]
        useful = here > 0
        seen = np.cumsum(here, axis=1) - here
        rank = np.cumsum(useful, axis=1) - useful
        taken = useful & ((seen < wanted) | (rank < width))
        probes = max(int(taken.sum(axis=1).max()), 1)
        keys = np.full((len(queries), probes), -1, dtype=np.int64)
        scores = np.zeros((len(queries), probes), dtype=np.float32)
        for row, chosen in enumerate(taken):
            count = int(chosen.sum())
            keys[row, :count] = order[row, chosen]
            scores[row, :count] = near[row, chosen]
        mask = np.zeros(len(self), dtype=bool)
        mask[among] = True
        parameters = faiss.SearchParametersIVF(nprobe=probes, sel=bitmap(mask))
        rough = np.empty((len(queries), fetch), dtype=np.float32)
        found = np.empty((len(queries), fetch), dtype=np.int64)
        pointer = faiss.swig_ptr
        self._index.search_preassigned_c(
            len(queries),
            pointer(queries),
            fetch,
            pointer(keys),
            pointer(scores),
            pointer(rough),
            pointer(found),
            False,
            parameters,
        )
        return found

    def changed(
        self, vectors: Vectors, origins: Positions, folder: Path, progress: Progress
    ) -> ApproximateIndex | None:
        """See `ApproximateIndex.changed`: vectors go out of their lists and into them."""
        kept = origins >= 0
        changed = float(self.facts.figures["changed"])
        changed += (len(self) + len(origins) - 2 * int(kept.sum())) / max(len(self), 1)
        if changed > _WORN:
            return None
        stored = StoredVectors.write(vectors, folder, part(progress, 0, 0.3))
        size = self.facts.parameters["file_bytes"]
        index = read_faiss(self._folder, CLASSES[self.facts.type], size, mapped=False)
        places = np.full(len(self), -1, dtype=np.int64)
        places[origins[kept]] = np.flatnonzero(kept)
        # A vector that was kept may have become zero or have been so: what is in a list must not be.
        zero = np.zeros(len(stored), dtype=bool)
        zero[stored.zero_positions()] = True
        places[places >= 0] = np.where(zero[places[places >= 0]], -1, places[places >= 0])
        held = np.zeros(len(stored), dtype=bool)
        if self.facts.type == PQ and (places[self._lists >= 0] < 0).any():
            # FAISS 1.15 leaves the codes that were removed in the last block of a list, and mixes what is added there
            # with them. Coded anew with what was learned, a million takes a quarter of a minute.
            index.reset()
        else:
            index.remove_ids(bitmap(places < 0))
            for number in range(index.nlist):
                positions = _positions(index, number)
                positions[:] = places[positions]
            held[places[(places >= 0) & (self._lists >= 0)]] = True
        _add(index, stored, np.flatnonzero(~held & ~zero), part(progress, 0.3, 1))
        facts = _written(self.facts.type, stored, index, folder, changed)
        return IvfIndex.open(folder, facts, stored)


def build_ivf(kind: str, stored: StoredVectors, folder: Path, progress: Progress) -> IndexFacts:
    """Learn centroids from a sample, put every vector into its list, write the index into a folder."""
    zeros = stored.zero_positions()
    positions = np.delete(np.arange(len(stored), dtype=np.int64), zeros)
    index = _empty(kind, stored, positions, part(progress, 0, 0.5))
    _add(index, stored, positions, part(progress, 0.5, 1))
    return _written(kind, stored, index, folder, 0.0)


def _empty(kind: str, stored: StoredVectors, positions: Positions, progress: Progress) -> Any:
    """An index with its centroids and codes learned, and nothing in it."""
    dimension = stored.dimension
    count = list_count(len(positions), fast=kind == PQ)
    centroids = centroids_of(stored, positions, count, progress)
    coarse = faiss.IndexFlatIP(dimension)
    # RaBitQ codes the direction from the centroid, which a vector that is its own centroid has not.
    coarse.add(centroids * np.float32(_INWARDS) if kind == "ivf-rabitq" else centroids)
    product, lists = faiss.METRIC_INNER_PRODUCT, len(centroids)
    if kind == "ivf":
        index = faiss.IndexIVFFlat(coarse, dimension, lists, product)
    elif kind == "ivf-sq8":
        bits = faiss.ScalarQuantizer.QT_8bit
        index = faiss.IndexIVFScalarQuantizer(coarse, dimension, lists, bits, product, False)
    elif kind == PQ:
        parts = pq_parts(dimension)
        index = faiss.IndexIVFPQFastScan(coarse, dimension, lists, parts, 4, product)
        index.by_residual = True
        index.pq.cp.min_points_per_centroid = 1
    else:
        index = faiss.IndexIVFRaBitQ(coarse, dimension, lists, product)
    rng = np.random.default_rng(1)
    some = np.sort(rng.permutation(positions)[:_TRAINED_ON])
    progress(1, 1, "learning the codes")
    sample = stored.rows[some] if len(some) else centroids
    # Sixteen are the fewest that a product quantiser learns from, though they be the same.
    index.train(np.resize(sample, (max(len(sample), 16), dimension)))
    return index


def pq_parts(dimension: int) -> int:
    """How many parts a product quantiser cuts a vector into: parts of two components, or as many as it takes."""
    sizes = [size for size in range(2, 9) if dimension % size == 0]
    few = (dimension // size for size in sizes if dimension // size <= _MOST_PARTS)
    return next(few, dimension // sizes[-1] if sizes else dimension)


def pq_bytes(dimension: int) -> int:
    """How many bytes a product quantiser's code has: half of one for each part, rounded up."""
    return (pq_parts(dimension) + 1) // 2


def _add(index: Any, stored: StoredVectors, positions: Positions, progress: Progress) -> None:
    """Put vectors into their lists, which a matrix product of numpy finds faster than the index does by itself.

    Only the codes that lie in blocks of 32 have to be added by the index.
    """
    pointer = faiss.swig_ptr
    centroids = index.quantizer.reconstruct_n(0, index.nlist)
    for start in range(0, len(positions), _ROWS):
        progress(start, len(positions), "putting vectors into lists")
        part = np.ascontiguousarray(positions[start : start + _ROWS])
        rows = np.ascontiguousarray(stored.rows[part])
        if isinstance(index, faiss.IndexIVFFastScan):
            index.add_with_ids(rows, part)
            continue
        lists = nearest(rows, centroids)
        index.add_core(len(part), pointer(rows), pointer(part), pointer(lists))


def _positions(index: Any, number: int) -> Positions:
    """The positions in a list, as a view of FAISS's memory."""
    size = index.invlists.list_size(number)
    if not size:
        return np.zeros(0, dtype=np.int64)
    view: Positions = faiss.rev_swig_ptr(index.invlists.get_ids(number), size)
    return view


def _written(
    kind: str, stored: StoredVectors, index: Any, folder: Path, changed: float
) -> IndexFacts:
    size, lists = write_faiss(index, folder), int(index.nlist)
    return stored.facts(
        FAISS,
        kind,
        parameters={"lists": lists, "width": lists, "oversampling": 1, "file_bytes": size},
        figures={"bytes": float(size), "changed": round(changed, 6)},
    )
