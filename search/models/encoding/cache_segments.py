"""One segment of the embedding store: two files that only grow, of which a killed process can spoil nothing.

`<name>.vectors` holds rows of float32 and `<name>.keys` one record a row, written after its row: the key, the
CRC-32 of the vector, and the CRC-32 of the record itself. A row without a whole record does not exist; the next
writer overwrites it. The file of vectors is never shortened, because others may have it mapped.

Two locks of the operating system (flock; they end with their process) keep processes apart: whoever writes
holds `.keys` alone; whoever reads or writes holds `.vectors` together with others, and what is held is not evicted.
"""

import fcntl
import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexes.vector_index import Vectors

KEY_BYTES = 16
KEYS, VECTORS = ".keys", ".vectors"
SEGMENT_BYTES = 64 * 1024 * 1024
_MAGIC = b"bspkemb1"
_HEADER = struct.Struct("<8sIII4x")  # magic, dimension, zero, CRC-32 of what stands before
_RECORD = np.dtype([("key", "<u8", 2), ("vector", "<u4"), ("record", "<u4")])
assert _HEADER.size == _RECORD.itemsize == KEY_BYTES + 8

Records = NDArray[np.void]


class DamagedSegment(ValueError):
    """A segment that says other than it should; what is wrong with it."""


def read_records(path: Path, dimension: int) -> Records:
    """The whole records of a segment's `.keys`; a torn tail is left out.

    :raises DamagedSegment: for a wrong header or a wrong record before the last.
    :raises OSError: when the file cannot be read (it may have been evicted).
    """
    content = path.read_bytes()
    if len(content) < _HEADER.size:
        return np.zeros(0, dtype=_RECORD)  # Its writer has only begun, or was killed at once.
    if content[: _HEADER.size] != _header(dimension):
        raise DamagedSegment(f"{path} does not begin as it should")
    count = (len(content) - _HEADER.size) // _RECORD.itemsize
    records = np.frombuffer(content, dtype=_RECORD, count=count, offset=_HEADER.size)
    rows = path.with_suffix(VECTORS).stat().st_size // (4 * dimension)
    records = records[:rows]
    sound = _record_sums(records) == records["record"]
    if not sound[:-1].all():
        raise DamagedSegment(f"{path} has a wrong record at row {int(np.argmin(sound)):,}")
    return records[: int(sound.sum())]


def map_vectors(path: Path, dimension: int, rows: int) -> Vectors:
    """The first rows of a segment's `.vectors`, memory-mapped: shape (rows, dimension)."""
    mapped: Vectors = np.memmap(path, dtype="<f4", mode="r", shape=(rows, dimension))
    return mapped


def vector_sums(vectors: Vectors) -> NDArray[np.uint32]:
    """The CRC-32 of each row."""
    rows = np.ascontiguousarray(vectors, dtype="<f4")
    return np.fromiter((zlib.crc32(row) for row in rows), dtype=np.uint32, count=len(rows))


class SegmentWriter:
    """The one process that appends to a segment.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as name:
    ...     writer = SegmentWriter.take(Path(name, "s" + KEYS), dimension=2)
    ...     writer.append([bytes(KEY_BYTES)], np.ones((1, 2), dtype=np.float32))
    ...     writer.close()
    ...     len(read_records(Path(name, "s" + KEYS), dimension=2))
    1
    """

    def __init__(self, keys: Path, dimension: int, handles: tuple[int, int], rows: int) -> None:
        self.path = keys
        self._dimension = dimension
        self._keys, self._vectors = handles
        self._rows = rows

    @classmethod
    def take(cls, path: Path, dimension: int) -> "SegmentWriter | None":
        """Hold a segment (a new one, if the file is not there) for writing; None when another process does.

        A torn tail is cut off.

        :raises DamagedSegment: when what it holds is wrong.
        :raises OSError: when the files cannot be written.
        """
        handles = [os.open(path, os.O_RDWR | os.O_CREAT, 0o644)]
        try:
            handles.append(os.open(path.with_suffix(VECTORS), os.O_RDWR | os.O_CREAT, 0o644))
            keys, vectors = handles
            held = locked(keys, fcntl.LOCK_EX) and locked(vectors, fcntl.LOCK_SH)
            if not held or not _still_there(path, keys):
                _close(handles)
                return None
            rows = len(read_records(path, dimension))
            os.ftruncate(keys, _HEADER.size + rows * _RECORD.itemsize if rows else 0)
            if not rows:
                os.pwrite(keys, _header(dimension), 0)
        except (OSError, DamagedSegment):
            _close(handles)
            raise
        return cls(path, dimension, (keys, vectors), rows)

    @property
    def full(self) -> bool:
        """Whether the next rows belong into another segment."""
        return self._rows * self._dimension * 4 >= SEGMENT_BYTES

    def append(self, keys: Sequence[bytes], vectors: Vectors) -> None:
        """Add rows: first the vectors, then, in one write, the records that make them exist.

        :raises OSError: when the disk is full; the segment is as it was.
        """
        rows = np.ascontiguousarray(vectors, dtype="<f4")
        records = np.zeros(len(keys), dtype=_RECORD)
        records["key"] = halves(keys)
        records["vector"] = vector_sums(rows)
        records["record"] = _record_sums(records)
        end = _HEADER.size + self._rows * _RECORD.itemsize
        try:
            _write(self._vectors, rows.tobytes(), self._rows * self._dimension * 4)
            _write(self._keys, records.tobytes(), end)
        except OSError:
            os.ftruncate(self._keys, end)
            raise
        self._rows += len(keys)

    def close(self) -> None:
        """Flush and let go."""
        for handle in (self._vectors, self._keys):
            os.fsync(handle)
            os.close(handle)


def halves(keys: Sequence[bytes]) -> NDArray[np.uint64]:
    """Keys as pairs of numbers: shape (n, 2)."""
    return np.frombuffer(b"".join(keys), dtype="<u8").reshape(len(keys), 2)


def locked(handle: int, kind: int) -> bool:
    """Whether a lock could be had at once."""
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _still_there(path: Path, handle: int) -> bool:
    """Whether an open file is still the one of that name: an eviction may have come between."""
    try:
        return path.stat().st_ino == os.fstat(handle).st_ino
    except FileNotFoundError:
        return False


def _close(handles: Sequence[int]) -> None:
    for handle in handles:
        os.close(handle)


def _header(dimension: int) -> bytes:
    start = _MAGIC + struct.pack("<II", dimension, 0)
    return _HEADER.pack(_MAGIC, dimension, 0, zlib.crc32(start))


def _record_sums(records: Records) -> NDArray[np.uint32]:
    content = np.ascontiguousarray(records).view(np.uint8).reshape(len(records), -1)[:, :20]
    return np.fromiter((zlib.crc32(row.tobytes()) for row in content), np.uint32, len(records))


def _write(handle: int, content: bytes, offset: int) -> None:
    view = memoryview(content)
    while view:
        written = os.pwrite(handle, view, offset)
        view, offset = view[written:], offset + written


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
