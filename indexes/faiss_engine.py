"""Indexes in a folder on this machine, searched by FAISS."""

from collections.abc import Mapping
from pathlib import Path

from indexes.flat import FlatIndex, flat_facts
from indexes.stored_vectors import StoredVectors
from indexes.vector_index import (
    AUTO,
    FLAT,
    BrokenIndex,
    Facts,
    Plan,
    Progress,
    Unsupported,
    VectorIndex,
    Vectors,
)

TYPES = (FLAT,)


def check(plan: Plan) -> None:
    """See `Engine.check`."""
    if plan.type not in (AUTO, *TYPES):
        known = ", ".join((AUTO, *TYPES))
        raise Unsupported(f"FAISS has no index of type {plan.type!r} here. Choose one of: {known}.")


def build(vectors: Vectors, plan: Plan, folder: Path, progress: Progress) -> Facts:
    """See `Engine.build`."""
    check(plan)
    return flat_facts(StoredVectors.write(vectors, folder, progress))


def open_index(folder: Path, facts: Facts, connection: Mapping[str, str]) -> VectorIndex:
    """See `Engine.open_index`."""
    if facts.type not in TYPES:
        raise BrokenIndex(f"there is no FAISS index of type {facts.type!r}")
    return FlatIndex(StoredVectors.open(folder, facts.zeros), facts)


def put_in_service(facts: Facts, connection: Mapping[str, str]) -> None:
    """See `Engine.put_in_service`: a folder is there or is not."""


def discard(facts: Facts, connection: Mapping[str, str]) -> None:
    """See `Engine.discard`: there is nothing outside the folder."""
