"""One segment of the embedding store: two files that only grow, of which a killed process can spoil nothing.

`<name>.vectors` holds rows of float32 and `<name>.keys` one record a row, written after its row: the key, the
CRC-32 of the vector, and the CRC-32 of the record itself. A row without a whole record does not exist; the next
writer overwrites it. A row that is damaged is blanked when that is found, and a segment whose header is wrong (it may be another
model's) or that cannot be read is set aside: what they held is computed again. Nothing here is mapped into memory.

Two locks of the operating system (flock; they end with their process) keep processes apart: whoever writes
holds `.keys` alone; whoever reads or writes holds `.vectors` together with others, and what is held is not evicted.
"""

import fcntl
import os
import struct
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexes.vector_index import Vectors
from search.projects.files import PRIVATE_FILE, flush
from search.projects.locks import still_there

KEY_BYTES = 16
KEYS, VECTORS = ".keys", ".vectors"
SEGMENT_BYTES = 64 * 1024 * 1024
_MAGIC = b"bspkemb1"
_HEADER = struct.Struct(
    "<8sIII4x"
)  # magic, dimension, CRC-32 of the folder's name, of what stands before
HEADER_BYTES = _HEADER.size
_RECORD = np.dtype([("key", "<u8", 2), ("vector", "<u4"), ("record", "<u4")])
assert _HEADER.size == _RECORD.itemsize == KEY_BYTES + 8

Records = NDArray[np.void]


class DamagedSegment(ValueError):
    """A segment that cannot be used as a whole; what is wrong with it."""


def read_records(path: Path, dimension: int) -> tuple[Records, NDArray[np.bool_]]:
    """The whole records of a segment's `.keys`, and which of them are as they were written; a torn tail is left out.

    :raises DamagedSegment: for a wrong header: it may belong to another model.
    :raises OSError: when a file cannot be read (it may have been evicted).
    """
    content = path.read_bytes()
    if len(content) < _HEADER.size:
        return np.zeros(0, dtype=_RECORD), np.zeros(
            0, dtype=bool
        )  # Its writer has only begun, or was killed.
    if content[: _HEADER.size] != _header(path, dimension):
        raise DamagedSegment(f"{path} does not begin as it should")
    count = (len(content) - _HEADER.size) // _RECORD.itemsize
    rows = path.with_suffix(VECTORS).stat().st_size // (4 * dimension)
    records = np.frombuffer(content, _RECORD, min(count, rows), _HEADER.size)
    return records, _record_sums(records) == records["record"]


def read_rows(handle: int, rows: NDArray[np.int64], dimension: int) -> Vectors:
    """Rows of an open `.vectors`: shape (rows, dimension). What the file has no more of is NaN, which fits no sum.

    They are read, not mapped: a file that is cut under a reader ends a process that has it mapped.

    :raises OSError: when the disk fails.
    """
    size = 4 * dimension
    found = np.full((len(rows), dimension), np.nan, dtype="<f4")
    starts = np.flatnonzero(np.diff(rows, prepend=-2) != 1)
    for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
        content = os.pread(handle, size * int(end - start), size * int(rows[start]))
        whole = len(content) // size
        found[start : start + whole] = np.frombuffer(content, "<f4", whole * dimension).reshape(
            whole, dimension
        )
    return found


def blank(path: Path, rows: NDArray[np.int64]) -> None:
    """Let damaged rows be rows of nothing, which nobody asks for: they are found damaged once. A segment that another
    process writes to, or that cannot be written, stays as it is.
    """
    record = np.zeros(1, dtype=_RECORD)
    record["record"] = _record_sums(record)
    with suppress(OSError):
        handle = os.open(path, os.O_RDWR)
        try:
            if locked(handle, fcntl.LOCK_EX):
                for row in rows:
                    _write(handle, record.tobytes(), _HEADER.size + int(row) * _RECORD.itemsize)
        finally:
            os.close(handle)


def set_aside(path: Path) -> None:
    """Take a segment that cannot be read away, unless another process writes to it. What is no file is renamed."""
    if path.is_file():
        with suppress(OSError):
            handle = os.open(path, os.O_RDONLY)
            try:
                if not locked(handle, fcntl.LOCK_EX):
                    return
            finally:
                os.close(handle)
    for part in (path, path.with_suffix(VECTORS)):
        move_aside(part)


def move_aside(path: Path) -> None:
    """Remove a file; rename what is there in the place of one, so that nothing of somebody else's is lost."""
    with suppress(OSError):
        if path.is_dir():
            path.rename(path.with_name(f".{path.name}.{os.getpid()}.aside"))
        else:
            path.unlink(missing_ok=True)


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
    ...     len(read_records(Path(name, "s" + KEYS), dimension=2)[0])
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
        handles = [os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)]
        try:
            handles.append(os.open(path.with_suffix(VECTORS), os.O_RDWR | os.O_CREAT, PRIVATE_FILE))
            keys, vectors = handles
            held = locked(keys, fcntl.LOCK_EX) and locked(vectors, fcntl.LOCK_SH)
            if not held or not still_there(path, keys):
                _close(handles)
                return None
            records, sound = read_records(path, dimension)
            rows = len(records) - int(not sound[-1:].all())  # The last may be torn.
            if not sound[:rows].all():
                raise DamagedSegment(f"{path} has wrong records")
            os.ftruncate(keys, _HEADER.size + rows * _RECORD.itemsize if rows else 0)
            if not rows:
                os.pwrite(keys, _header(path, dimension), 0)
                flush(path.parent)
        except (OSError, DamagedSegment):
            _close(handles)
            raise
        return cls(path, dimension, (keys, vectors), rows)

    @property
    def full(self) -> bool:
        """Whether the next rows belong into another segment."""
        return self._rows * self._dimension * 4 >= SEGMENT_BYTES

    def append(self, keys: Sequence[bytes], vectors: Vectors) -> None:
        """Add rows: first the vectors, then, in one write, the records that make them exist. Both are on disk after.

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
            os.fsync(self._vectors)
            os.fsync(self._keys)
        except OSError:
            os.ftruncate(self._keys, end)
            raise
        self._rows += len(keys)

    def close(self) -> None:
        """Let go."""
        _close((self._vectors, self._keys))


def halves(keys: Sequence[bytes]) -> NDArray[np.uint64]:
    """Keys as pairs of numbers: shape (n, 2)."""
    return np.frombuffer(b"".join(keys), dtype="<u8").reshape(len(keys), 2)


def locked(handle: int, kind: int) -> bool:
    """Whether a lock could be had at once; not on a disk that has none, whose vectors are computed again."""
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _close(handles: Sequence[int]) -> None:
    for handle in handles:
        os.close(handle)


def _header(path: Path, dimension: int) -> bytes:
    model = zlib.crc32(path.parent.name.encode())
    start = _MAGIC + struct.pack("<II", dimension, model)
    return _HEADER.pack(_MAGIC, dimension, model, zlib.crc32(start))


def _record_sums(records: Records) -> NDArray[np.uint32]:
    content = np.frombuffer(records.tobytes(), np.uint8).reshape(-1, _RECORD.itemsize)[:, :20]
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
        except OSError:
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
    except OSError:
        return False  # Something else is in its place, or the disk may only be read.
    finally:
        os.close(handle)
