"""Indexes in a folder on this machine, searched by FAISS: by a type that is named, or by the best one."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from indexes.approximate import ApproximateIndex, RecallTrial, tuned
from indexes.flat import FlatIndex, flat_facts
from indexes.hnsw import HNSW, NEIGHBOURS, HnswIndex, build_hnsw
from indexes.ivf import CLASSES, PQ, IvfIndex, build_ivf, pq_bytes
from indexes.kmeans import list_count
from indexes.stored_vectors import StoredVectors
from indexes.vector_index import (
    AUTO,
    FLAT,
    FLAT_BYTES,
    BrokenIndex,
    IndexDoesNotFit,
    IndexFacts,
    IndexPlan,
    Progress,
    Unsupported,
    VectorIndex,
    Vectors,
    part,
)

TYPES = (FLAT, HNSW, *CLASSES)
_FAST = 10.0  # A type is taken at once when it is so many times faster than exact search.
_FASTER = 2.0  # Less than so many times: exact search is taken.
_ID = 8  # Bytes.
_GRAPH_VECTORS = 300_000  # Up to so many a graph is built within minutes on two cores.


def check(plan: IndexPlan, count: int = 0, dimension: int = 0) -> None:
    """See `IndexEngine.check`."""
    if plan.type not in (AUTO, *TYPES):
        known = ", ".join((AUTO, *TYPES))
        raise Unsupported(f"FAISS has no index of type {plan.type!r} here. Choose one of: {known}.")
    _check_fits(plan.type, count, dimension, plan.memory)


def build(vectors: Vectors, plan: IndexPlan, folder: Path, progress: Progress) -> IndexFacts:
    """See `IndexEngine.build`."""
    check(plan, len(vectors), vectors.shape[-1])
    stored = StoredVectors.write(vectors, folder, part(progress, 0, 0.05))
    if plan.type == FLAT:
        return flat_facts(stored, "asked for")
    if plan.type == AUTO:
        return _chosen(stored, plan, folder, part(progress, 0.05, 1))
    trial = RecallTrial(stored, plan.questions)
    made = _made(plan.type, trial, folder, plan.target_recall, part(progress, 0.05, 1))
    return replace(made, reason="asked for")


def open_index(folder: Path, facts: IndexFacts, connection: Mapping[str, str]) -> VectorIndex:
    """See `IndexEngine.open_index`."""
    stored = StoredVectors.open(folder, facts.zeros)
    return FlatIndex(stored, facts) if facts.type == FLAT else _opened(folder, facts, stored)


def put_in_service(facts: IndexFacts, connection: Mapping[str, str]) -> None:
    """See `IndexEngine.put_in_service`: a folder is there or is not."""


def discard(facts: IndexFacts, connection: Mapping[str, str]) -> None:
    """See `IndexEngine.discard`: there is nothing outside the folder."""


def _opened(folder: Path, facts: IndexFacts, stored: StoredVectors) -> ApproximateIndex:
    if facts.type not in TYPES:
        raise BrokenIndex(f"there is no FAISS index of type {facts.type!r}")
    kind = HnswIndex if facts.type == HNSW else IvfIndex
    return kind.open(folder, facts, stored)


def _made(
    kind: str, trial: RecallTrial, folder: Path, target: float, progress: Progress
) -> IndexFacts:
    """Build an index of a type in a folder, and tune it."""
    building = part(progress, 0, 0.85)
    if kind == HNSW:
        facts = build_hnsw(trial.stored, folder, building)
    else:
        facts = build_ivf(kind, trial.stored, folder, building)
    return tuned(_opened(folder, facts, trial.stored), target, trial, part(progress, 0.85, 1))


def _chosen(stored: StoredVectors, plan: IndexPlan, folder: Path, progress: Progress) -> IndexFacts:
    """Exact where that is fast; else the first type that fits, reaches the target and is much faster.

    Inverted lists of a product quantiser's codes come first: they are searched and built fastest. Where memory is too
    short for them, 1 bit a component. Where the vectors do not part well into lists, a graph is tried, too.
    """

    def fits(kind: str) -> bool:
        needed = bytes_needed(kind, len(stored), stored.dimension)
        return plan.memory is None or needed <= plan.memory

    size = _in_units(stored.rows.nbytes)
    if stored.rows.nbytes <= FLAT_BYTES and fits(FLAT):
        return flat_facts(stored, f"{size} of vectors are compared one by one in little time")
    trial = RecallTrial(stored, plan.questions)
    kinds = [PQ if fits(PQ) else "ivf-rabitq"]
    if fits(HNSW) and len(stored) <= _GRAPH_VECTORS:
        kinds.append(HNSW)
    with TemporaryDirectory(dir=folder) as rooms:
        tried: dict[str, IndexFacts] = {}
        for number, kind in enumerate(kinds):
            (Path(rooms) / kind).mkdir()
            ahead = part(progress, number / len(kinds), (number + 1) / len(kinds))
            tried[kind] = _made(kind, trial, Path(rooms) / kind, plan.target_recall, ahead)
            if _worth(tried[kind]) >= (True, _FAST):
                break
        best = max(tried.values(), key=_worth)
        reaches, speedup = _worth(best)
        if fits(FLAT) and (not reaches or speedup < _FASTER):
            recall = best.figures["recall@10"]
            return flat_facts(
                stored,
                f"{best.type} would find {recall:.3f} of the ten nearest {speedup:.1f} times as fast "
                "as exact search, so exact search it is",
            )
        for path in (Path(rooms) / best.type).iterdir():
            path.rename(folder / path.name)
    return replace(best, reason=f"{size} of vectors are many to compare one by one")


def _worth(facts: IndexFacts) -> tuple[bool, float]:
    """Whether an index reaches its target, and how many times less work than exact search it is."""
    figures = facts.figures
    return figures["recall@10"] >= figures["target"], figures["speedup"]


def bytes_needed(kind: str, count: int, dimension: int) -> int:
    """What an index of a type keeps in memory; the vectors themselves stay in their file."""
    lists = list_count(count, fast=kind == PQ) * dimension * 4
    return {
        FLAT: count * dimension * 4,
        HNSW: count * (dimension + 2 * NEIGHBOURS * 4 + _ID),
        "ivf": count * (dimension * 4 + _ID) + lists,
        "ivf-sq8": count * (dimension + _ID) + lists,
        PQ: count * (pq_bytes(dimension) + _ID) + lists,
        "ivf-rabitq": count * (-(-dimension // 8) + 2 * 4 + _ID) + lists,
    }[kind]


def _check_fits(kind: str, count: int, dimension: int, memory: int | None) -> None:
    """Refuse what cannot fit, before any work.

    :param kind: a type, or auto, which fits when its smallest choice does.
    :raises IndexDoesNotFit: with the arithmetic.
    """
    if memory is None:
        return
    smallest = "ivf-rabitq" if kind == AUTO else kind
    needed = bytes_needed(smallest, count, dimension)
    if needed > memory and not (kind == AUTO and bytes_needed(FLAT, count, dimension) <= memory):
        raise IndexDoesNotFit(
            f"{count:,} vectors of {dimension:,} numbers of 4 bytes are "
            f"{_in_units(count * dimension * 4)}; an index of type {smallest} keeps {_in_units(needed)} of "
            f"them in memory, and it may use {_in_units(memory)}"
        )


def _in_units(size: int) -> str:
    """Bytes as a person says them."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return f"{size / unit:,.1f} {name}"
    return f"{size:,} bytes"
