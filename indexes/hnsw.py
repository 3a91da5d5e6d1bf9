"""A graph of near vectors, walked from a coarse level to a fine one.

Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using hierarchical navigable small
world graphs" (TPAMI 2018). The graph keeps 8 bits a component: it is walked by these, ranked by the vectors.

FAISS gives its nodes numbers of its own and cannot take one out: `slots.npy` says which position a node has now,
-1 for one that was removed. A removed node is still walked over, never found.
"""

from pathlib import Path
from typing import Any

import numpy as np

from indexes.approximate import ApproximateIndex, bitmap
from indexes.faiss_files import INDEX_FILE, faiss, read_faiss, write_faiss
from indexes.stored_vectors import StoredVectors
from indexes.vector_index import FAISS, BrokenIndex, IndexFacts, Positions, Progress, Vectors, part

HNSW = "hnsw"
SLOTS_FILE = "slots.npy"
NEIGHBOURS = 32
_CLASS = "IndexHNSWSQ"
_CONSTRUCTION = 80
_ROWS = 4_096
_TRAINED_ON = 50_000
_MOST_REMOVED = 0.5  # The share of removed nodes from which the graph is built anew at once.


class HnswIndex(ApproximateIndex):
    """A graph over stored vectors.

    >>> from tempfile import TemporaryDirectory
    >>> from indexes.opening import build, open_index
    >>> from indexes.vector_index import IndexPlan
    >>> with TemporaryDirectory() as name:
    ...     facts = build(np.eye(4, dtype=np.float32), IndexPlan(type="hnsw"), Path(name))
    ...     index = open_index(Path(name), facts.details())
    >>> type(index).__name__, index.search(index.vectors[2:3], k=1)[0].item()
    ('HnswIndex', 2)
    """

    def __init__(
        self, stored: StoredVectors, facts: IndexFacts, index: Any, slots: Positions, folder: Path
    ) -> None:
        super().__init__(stored, facts)
        self._index = index
        self._slots = slots
        self._folder = folder
        self._alive = slots >= 0
        self._whole = bool(self._alive.all())

    @classmethod
    def open(cls, folder: Path, facts: IndexFacts, stored: StoredVectors) -> "HnswIndex":
        """Open what `build_hnsw` wrote.

        :raises BrokenIndex: when it cannot be read back.
        """
        index = read_faiss(folder, _CLASS, facts.parameters["file_bytes"])
        stored.watch(folder / INDEX_FILE)
        path = folder / SLOTS_FILE
        try:
            slots = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            reason = str(error).strip().splitlines()[0][:200]
            raise BrokenIndex(f"{path} cannot be read as positions: {reason}") from None
        fits = slots.dtype == np.int64 and slots.shape == (index.ntotal,)
        alive = slots[slots >= 0] if fits else slots
        if not fits or index.d != stored.dimension or len(alive) != len(stored) - stored.zeros:
            raise BrokenIndex(f"{path} cannot be read as the positions of these vectors")
        if len(alive) and (alive.max() >= len(stored) or len(np.unique(alive)) != len(alive)):
            raise BrokenIndex(f"{path} cannot be read as the positions of these vectors")
        return cls(stored, facts, index, slots, folder)

    @property
    def widths(self) -> list[int]:
        """See `ApproximateIndex.widths`: how many of the nearest nodes a walk keeps in view."""
        steps = [16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048]
        most = max(len(self._slots), 1)
        return [*(step for step in steps if step < most), min(4096, most)]

    def exact_below(self, speedup: float) -> int:
        """See `ApproximateIndex.exact_below`: a filter that leaves a tenth makes a walk ten times as long."""
        return int(len(self) / max(speedup, 1.0) ** 0.5)

    def compared(self, width: int, fetch: int) -> float:
        """See `ApproximateIndex.compared`: every node in view, with all of its neighbours."""
        return float(max(width, fetch) * 2 * NEIGHBOURS)

    def nearest(
        self, queries: Vectors, fetch: int, among: Positions | None, width: int
    ) -> Positions:
        """See `ApproximateIndex.nearest`."""
        view, selector = max(width, fetch), None
        if among is not None:
            mask = np.zeros(len(self) + 1, dtype=bool)  # The last one stands for removed nodes.
            mask[among] = True
            selector = bitmap(mask[self._slots])
            view = min(len(self._slots), int(view * len(self) / len(among)))
        elif not self._whole:
            selector = bitmap(self._alive)
        parameters = faiss.SearchParametersHNSW(efSearch=view, sel=selector)
        found: Positions = self._index.search(queries, fetch, params=parameters)[1]
        return np.where(found >= 0, self._slots[found], -1)

    def changed(
        self, vectors: Vectors, origins: Positions, folder: Path, progress: Progress
    ) -> ApproximateIndex | None:
        """See `ApproximateIndex.changed`: new nodes join the graph, removed ones stay as tombstones."""
        kept = origins >= 0
        places = np.full(len(self) + 1, -1, dtype=np.int64)
        places[origins[kept]] = np.flatnonzero(kept)
        slots = places[self._slots]
        new = len(origins) - int((slots >= 0).sum())
        if (slots < 0).sum() > _MOST_REMOVED * (len(slots) + new):
            return None
        stored = StoredVectors.write(vectors, folder, part(progress, 0, 0.3))
        zero = np.zeros(len(stored) + 1, dtype=bool)
        zero[stored.zero_positions()] = True
        slots = np.where(zero[slots], -1, slots)
        held = np.zeros(len(stored) + 1, dtype=bool)
        held[slots] = True
        index = read_faiss(self._folder, _CLASS, self.facts.parameters["file_bytes"], mapped=False)
        added = np.flatnonzero(~held[:-1] & ~zero[:-1])
        _add(index, stored, added, part(progress, 0.3, 1))
        facts = _written(stored, index, np.concatenate([slots, added]), folder)
        return HnswIndex.open(folder, facts, stored)


def build_hnsw(stored: StoredVectors, folder: Path, progress: Progress) -> IndexFacts:
    """Build the graph and write it beside the vectors."""
    slots = np.delete(np.arange(len(stored), dtype=np.int64), stored.zero_positions())
    index = faiss.IndexHNSWSQ(
        stored.dimension, faiss.ScalarQuantizer.QT_8bit, NEIGHBOURS, faiss.METRIC_INNER_PRODUCT
    )
    index.hnsw.efConstruction = _CONSTRUCTION
    some = np.sort(np.random.default_rng(1).permutation(slots)[:_TRAINED_ON])
    sample = stored.rows[some] if len(some) else np.ones((1, stored.dimension), np.float32)
    index.train(np.ascontiguousarray(sample))
    _add(index, stored, slots, progress)
    return _written(stored, index, slots, folder)


def _add(index: Any, stored: StoredVectors, positions: Positions, progress: Progress) -> None:
    for start in range(0, len(positions), _ROWS):
        progress(start, len(positions), "linking vectors")
        index.add(np.ascontiguousarray(stored.rows[positions[start : start + _ROWS]]))


def _written(stored: StoredVectors, index: Any, slots: Positions, folder: Path) -> IndexFacts:
    size = write_faiss(index, folder)
    with (folder / SLOTS_FILE).open("wb") as stream:
        np.save(stream, slots, allow_pickle=False)
    removed = float((slots < 0).mean()) if len(slots) else 0.0
    return stored.facts(
        FAISS,
        HNSW,
        parameters={
            "neighbours": NEIGHBOURS,
            "width": max(len(slots), 1),
            "oversampling": 1,
            "file_bytes": size,
        },
        figures={"bytes": float(size + slots.nbytes), "removed": round(removed, 6)},
    )
