"""The protocol of a vector index: vectors and their positions, nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Positions = NDArray[np.int64]
Progress = Callable[[float, float, str], object]
"""Told what is done, of how much, and in words what is being done."""

AUTO = "auto"
FLAT = "flat"
FAISS = "faiss"
MILVUS = "milvus"
TARGET_RECALL = 0.98
FLAT_BYTES = 32 << 20
"""Exact search over so many bytes of vectors takes a few milliseconds, less than encoding a query: 20,000 vectors of 384
dimensions. See benchmarks/growth.py for what was measured."""
ENOUGH_QUESTIONS = 100
"""So many questions of people measure a recall to about two in a hundred; fewer are not asked."""


class BadVectors(ValueError):
    """Vectors that cannot be indexed or searched: wrong shape, NaN, or infinite."""


class BrokenIndex(ValueError):
    """An index that cannot be read back.

    :param folder: of the index, where it broke after it was opened.
    """

    def __init__(self, what: str, folder: Path | None = None) -> None:
        super().__init__(what)
        self.folder = folder


class IndexDoesNotFit(ValueError):
    """An index that would need more memory than it may have; the message shows the arithmetic."""


class EngineFailed(ValueError):
    """A server that holds indexes is away, refuses us, or could not do it; the message is a whole sentence."""


class Unsupported(EngineFailed):
    """A plan that an engine has nothing for; the message is a whole sentence that says what it has."""


@dataclass(frozen=True)
class IndexPlan:
    """What kind of index is wanted.

    :param engine: where it lives: `faiss` is a folder on this machine, `milvus` a server or a cluster.
    :param type: how it searches; `auto` chooses by size, memory and the recall that is wanted.
    :param target_recall: the share of the ten exact nearest that a search should find.
    :param memory: how many bytes the index may keep in memory; None for no bound.
    :param connection: what an engine on another machine must know (an address, a token). It is kept in no
        folder and in no manifest, and is never printed.
    :param questions: vectors of questions that people ask of these documents, shape (m, dimension): an
        approximate index is tuned by them where there are enough, else by some that are made up.

    >>> IndexPlan(type="hnsw", target_recall=0.95).engine
    'faiss'
    """

    engine: str = FAISS
    type: str = AUTO
    target_recall: float = TARGET_RECALL
    memory: int | None = None
    connection: Mapping[str, str] = field(default_factory=dict, repr=False)
    questions: Vectors | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class IndexFacts:
    """What an index is. All of it is JSON: `details()` goes into a manifest, `from_details` comes back.

    :param engine: where it lives.
    :param type: how it searches; never `auto`.
    :param vectors: how many it holds.
    :param dimension: the number of components of each.
    :param zeros: how many of them are zero, so that they are never found.
    :param parameters: what it was built with and is searched with, by name.
    :param figures: what was measured: `recall@10` against exact search, `ms` a query, `exact_ms` a query of
        exact search, `speedup` by counted work, `bytes` in memory, and the like. A figure that was not measured is
        not there.
    :param reason: one sentence: why it is of this type.

    >>> facts = IndexFacts("faiss", "flat", vectors=2, dimension=3, zeros=0)
    >>> IndexFacts.from_details({**facts.details(), "corpus": "c-1"}) == facts
    True
    """

    engine: str
    type: str
    vectors: int
    dimension: int
    zeros: int
    parameters: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    reason: str = ""

    def details(self) -> dict[str, Any]:
        """The facts as JSON."""
        return dict(vars(self))

    @classmethod
    def from_details(cls, details: Mapping[str, Any]) -> "IndexFacts":
        """The facts that a manifest holds, among other details.

        :raises BrokenIndex: when one is missing.
        """
        try:
            return cls(**{name: details[name] for name in cls.__dataclass_fields__})
        except KeyError as error:
            raise BrokenIndex(f"the index does not say what its {error.args[0]} is") from None


class VectorIndex(Protocol):
    """Cosine search over vectors that are known by their position, 0 to len-1.

    The index normalises; a zero vector is never found, and finds nothing. It never changes: what a search may
    find is decided when it is built, so any number of threads may search it at once.

    >>> from indexes.flat import FlatIndex
    >>> index: VectorIndex = FlatIndex.of(np.eye(3, dtype=np.float32))
    >>> positions, scores = index.search(np.array([[0.0, 2.0, 0.0]], dtype=np.float32), k=2)
    >>> positions.tolist(), scores.tolist()
    ([[1, 0]], [[1.0, 0.0]])
    """

    @property
    def facts(self) -> IndexFacts:
        """What it is."""
        ...

    @property
    def dimension(self) -> int:
        """The number of components of each vector."""
        ...

    def __len__(self) -> int:
        """The number of vectors."""
        ...

    @property
    def vectors(self) -> Vectors:
        """All vectors, of length 1 (or zero), by position: shape (len, dimension). A view, not a copy."""
        ...

    def search(
        self, queries: Vectors, k: int, allowed: Positions | None = None
    ) -> tuple[Positions, Vectors]:
        """The k nearest vectors of each query.

        An exact index finds exactly these; any other finds most of them. Scores are exact either way.

        :param queries: shape (n, dimension), of any length but zero.
        :param allowed: the positions that may be found; None for all. It is as if the others were not there.
        :returns: positions and cosines, both of shape (n, k), best first; equal cosines in order of
            position. Where fewer than k are found, the rest has position -1 and score -inf.
        :raises BadVectors: for a wrong shape, NaN or infinity.
        """
        ...

    def write_changed(
        self,
        vectors: Vectors,
        origins: Positions,
        folder: Path,
        progress: Progress,
        questions: Vectors | None = None,
    ) -> IndexFacts | None:
        """Write the index of other vectors, many of which are in this one, without building it anew.

        :param vectors: all vectors that the other index shall hold, by position: shape (n, dimension).
        :param origins: for each of them the position in this index of the same vector, or -1 for one
            that is new: shape (n,). No position twice. What no origin names is removed.
        :param folder: an empty folder.
        :param questions: see `IndexPlan`.
        :returns: what was written; None (and nothing written) when it is better built anew.
        :raises BadVectors: for a wrong shape, NaN or infinity.
        """
        ...


def silent(done: float, total: float, message: str) -> None:
    """A progress that nobody watches."""


def part(progress: Progress, start: float, end: float) -> Progress:
    """The progress of a part of the work, told as that of the whole: from `start` to `end`, of 1."""

    def tell(done: float, total: float, message: str) -> None:
        progress(start + (end - start) * min(done / max(total, 1e-9), 1.0), 1.0, message)

    return tell


def normalised(vectors: Vectors, dimension: int | None = None, first: int = 0) -> Vectors:
    """Vectors scaled to length 1 (zero vectors stay zero), contiguous float32.

    :param vectors: shape (n, d).
    :param dimension: the d that is expected, if any.
    :param first: the number of the first row, for the error.
    :raises BadVectors: for a wrong shape, NaN or infinity, naming the row.
    """
    array = np.ascontiguousarray(vectors, dtype=np.float32)
    if array.ndim != 2 or array.shape[1] == 0:
        raise BadVectors(f"expected vectors of shape (n, dimension), got {array.shape}")
    if dimension is not None and array.shape[1] != dimension:
        raise BadVectors(f"vectors have {array.shape[1]} dimensions, the index has {dimension}")
    finite = np.isfinite(array).all(axis=1)
    if not finite.all():
        raise BadVectors(f"vector {first + int(np.argmin(finite))} holds NaN or infinity")
    # Scaling by the largest component first keeps tiny and huge vectors from under- or overflowing.
    largest = np.abs(array).max(axis=1, keepdims=True)
    array = np.divide(array, largest, out=np.zeros_like(array), where=largest > 0)
    lengths = np.linalg.norm(array, axis=1, keepdims=True)
    result: Vectors = np.divide(array, lengths, out=np.zeros_like(array), where=lengths > 0)
    return result
