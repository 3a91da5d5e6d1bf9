"""The one place that builds an index by a plan and opens one by what its manifest says of it."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from indexes.stored_vectors import StoredVectors
from indexes.vector_index import (
    FAISS,
    MILVUS,
    BrokenIndex,
    IndexFacts,
    IndexPlan,
    Progress,
    VectorIndex,
    Vectors,
    silent,
)

NO_CONNECTION: Mapping[str, str] = MappingProxyType({})


class IndexEngine(Protocol):
    """Where indexes live. Each engine is a module of these functions, imported when it is asked for."""

    def check(self, plan: IndexPlan, count: int = 0, dimension: int = 0) -> None:
        """Find out, before hours of encoding, what would keep `build` from its work.

        :param count: how many vectors it will be, of so many dimensions.
        :raises Unsupported: when there is no index of that type.
        :raises IndexDoesNotFit: when it would need more memory than the plan allows; with the arithmetic.
        :raises EngineFailed: when a server does not answer.
        """
        ...

    def build(
        self, vectors: Vectors, plan: IndexPlan, folder: Path, progress: Progress
    ) -> IndexFacts:
        """Build an index; `folder` gets its files, the stored vectors among them.

        When it fails, nothing is left behind outside the folder.

        :raises BadVectors: for no vectors, a wrong shape, NaN or infinity.
        :raises IndexDoesNotFit: when it would need more memory than the plan allows.
        :raises OSError: when the disk is full.
        :raises EngineFailed: when a server could not do it.
        """
        ...

    def open_index(
        self, folder: Path, facts: IndexFacts, connection: Mapping[str, str]
    ) -> VectorIndex:
        """Open an index that `build` made.

        :raises BrokenIndex: when it cannot be read back.
        :raises EngineFailed: when a server does not answer.
        """
        ...

    def put_in_service(self, facts: IndexFacts, connection: Mapping[str, str]) -> None:
        """The artifact of an index was published: from now on, searches go to it, in one step."""
        ...

    def discard(self, facts: IndexFacts, connection: Mapping[str, str]) -> None:
        """Remove what `build` made outside the folder: its artifact was deleted, or never published."""
        ...


def check(plan: IndexPlan, count: int = 0, dimension: int = 0) -> None:
    """Find out what would keep an index from being built. See `IndexEngine.check`."""
    engine_named(plan.engine).check(plan, count, dimension)


def build(
    vectors: Vectors, plan: IndexPlan, folder: Path, progress: Progress = silent
) -> IndexFacts:
    """Build the index that a plan asks for. See `IndexEngine.build`."""
    return engine_named(plan.engine).build(vectors, plan, folder, progress)


def open_index(
    folder: Path, details: Mapping[str, Any], connection: Mapping[str, str] = NO_CONNECTION
) -> VectorIndex:
    """Open an index by the details of its manifest.

    :raises BrokenIndex: when it cannot be read back, or is not what the manifest says.
    """
    facts = IndexFacts.from_details(details)
    opened = engine_named(facts.engine).open_index(folder, facts, connection)
    if (len(opened), opened.dimension) != (facts.vectors, facts.dimension):
        raise BrokenIndex(
            f"{folder} holds {len(opened):,} vectors of {opened.dimension} dimensions instead of "
            f"{facts.vectors:,} of {facts.dimension}"
        )
    return opened


def stored_vectors(folder: Path) -> Vectors:
    """The vectors of any index, by position, of length 1 or zero: shape (n, d). Mapped, not read.

    :raises BrokenIndex: when they cannot be read back.
    """
    return StoredVectors.open(folder, zeros=0).rows


def put_in_service(
    details: Mapping[str, Any], connection: Mapping[str, str] = NO_CONNECTION
) -> None:
    """Let searches go to an index that was published. See `IndexEngine.put_in_service`."""
    facts = IndexFacts.from_details(details)
    engine_named(facts.engine).put_in_service(facts, connection)


def discard(details: Mapping[str, Any], connection: Mapping[str, str] = NO_CONNECTION) -> None:
    """Remove what an index has outside its folder. See `IndexEngine.discard`."""
    facts = IndexFacts.from_details(details)
    engine_named(facts.engine).discard(facts, connection)


def engine_named(name: str) -> IndexEngine:
    """An engine by its name.

    :raises BrokenIndex: when there is none of that name.
    """
    if name == FAISS:
        from indexes import faiss_engine

        return faiss_engine
    if name == MILVUS:
        from indexes.milvus import lifecycle

        return lifecycle
    raise BrokenIndex(f"there is no index engine {name!r}")
