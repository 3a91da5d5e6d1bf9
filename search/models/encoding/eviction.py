"""Keeping the embedding store within its limit: segments that were not used for longest go first."""

import fcntl
import os
from pathlib import Path

from search.models.encoding.cache_segments import KEYS, VECTORS, locked


def evict(store: Path, limit: int) -> int:
    """Remove the least recently used segments, of any model, until the store fits its limit.

    What another process reads or writes is left alone.

    :param store: the folder with one folder a model.
    :param limit: bytes.
    :returns: how many segments went.
    """
    segments = []
    for vectors in store.glob(f"*/*{VECTORS}"):
        keys = vectors.with_suffix(KEYS)
        try:
            used = keys.stat().st_mtime_ns if keys.exists() else 0  # 0: a removal that was cut off.
            size = vectors.stat().st_size + (keys.stat().st_size if used else 0)
        except FileNotFoundError:
            continue  # Another process is at it, too.
        segments.append((used, size, keys))
    total, gone = sum(size for _, size, _ in segments), 0
    for used, size, keys in sorted(segments):
        if total <= limit and used:
            break
        if _removed(keys):
            total -= size
            gone += 1
    return gone


def _removed(keys: Path) -> bool:
    """Whether a segment that nobody uses could be removed: its keys first, so that it is whole or not there."""
    vectors = keys.with_suffix(VECTORS)
    try:
        handle = os.open(vectors, os.O_RDONLY)
    except OSError:
        return False
    try:
        if not locked(handle, fcntl.LOCK_EX):
            return False
        keys.unlink(missing_ok=True)
        vectors.unlink(missing_ok=True)
        return True
    finally:
        os.close(handle)
