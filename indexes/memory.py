"""How many bytes an index keeps in memory: the arithmetic before anything is built."""

from indexes.hnsw import HNSW, NEIGHBOURS
from indexes.ivf import PQ, pq_bytes
from indexes.kmeans import list_count
from indexes.vector_index import AUTO, FLAT, DoesNotFit

_ID = 8


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


def check_fits(kind: str, count: int, dimension: int, memory: int | None) -> None:
    """Refuse what cannot fit, before any work.

    :param kind: a type, or auto, which fits when its smallest choice does.
    :raises DoesNotFit: with the arithmetic.
    """
    if memory is None:
        return
    smallest = "ivf-rabitq" if kind == AUTO else kind
    needed = bytes_needed(smallest, count, dimension)
    if needed > memory and not (kind == AUTO and bytes_needed(FLAT, count, dimension) <= memory):
        raise DoesNotFit(
            f"{count:,} vectors of {dimension:,} numbers of 4 bytes are "
            f"{told(count * dimension * 4)}; an index of type {smallest} keeps {told(needed)} of "
            f"them in memory, and it may use {told(memory)}"
        )


def told(size: int) -> str:
    """Bytes as a person says them."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return f"{size / unit:,.1f} {name}"
    return f"{size:,} bytes"
