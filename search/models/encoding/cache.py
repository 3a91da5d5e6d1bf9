"""The embedding store: vectors by what computed them and what it saw, kept for every project of a workspace.

A vector is found by the fingerprint of its model and a hash of the text that the model saw, prompt included. So
versions of a corpus, projects, trainings and indexes that have texts in common compute each vector once. It lives
in `<workspace>/.embeddings/<fingerprint>-<dimension>-<format>/` in segments (`segments.py`), survives a process that is killed at any
moment, and may be written by several processes at once. It is only a memory: what is damaged or evicted is
computed again, and every vector is held against its checksum when it is read.
"""

import fcntl
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from stat import S_ISREG
from typing import Self

import numpy as np
from numpy.typing import NDArray

from indexes.vector_index import Vectors
from search.models.encoding.cache_segments import (
    KEY_BYTES,
    KEYS,
    VECTORS,
    DamagedSegment,
    Records,
    SegmentWriter,
    blank,
    evict,
    halves,
    locked,
    move_aside,
    read_records,
    read_rows,
    set_aside,
    vector_sums,
)
from search.projects.artifacts import new_id
from search.projects.errors import Failed, in_words
from search.projects.files import append_line
from search.projects.settings import settings

STORE = ".embeddings"
FORMAT = 3
"""The number of the format of what is stored. Vectors of another one are in folders that are never read; they go first
when the store is full, being used by nobody."""


VIEWS = "views"
"""The file of a store that lists what was seen beside texts, in hexadecimal, a line each."""


def views_of(folder: Path) -> set[str]:
    """What `EmbeddingStore.note_view` noted in a store's folder; a line that was cut off is passed over."""
    try:
        lines = (folder / VIEWS).read_text(encoding="ascii", errors="replace").split("\n")[:-1]
    except OSError:
        return set()
    return {line for line in lines if re.fullmatch("(?:[0-9a-f]{2})*", line)}


def store_key(text_key: bytes, seen_as: bytes = b"") -> bytes:
    """The key of a vector.

    :param text_key: the hash of a text (`corpus.embedded_key`).
    :param seen_as: whatever else decides what the model sees or how exactly it computes (a prompt).
    """
    return blake2b(text_key + seen_as, digest_size=KEY_BYTES).digest()


class EmbeddingStore:
    """The vectors of one model. Open it for one piece of work, then close it (it is a context manager).

    Used by one thread at a time. `notes` tells of damage that was found.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as name:
    ...     with EmbeddingStore(Path(name, "m"), dimension=2, limit=10**6) as store:
    ...         store.add([store_key(b"rent")], np.ones((1, 2), dtype=np.float32))
    ...     with EmbeddingStore(Path(name, "m"), dimension=2, limit=10**6) as store:
    ...         found = store.fill([store_key(b"rent"), store_key(b"due")], np.empty((2, 2), np.float32))
    >>> found.tolist()
    [True, False]
    """

    def __init__(self, folder: Path, dimension: int, limit: int) -> None:
        self.notes: list[str] = []
        self._folder = folder
        self._dimension = dimension
        self._limit = limit
        self._held: dict[Path, int] = {}
        self._paths: list[Path] = []
        self._writer: SegmentWriter | None = None
        self._grown = False
        self._clear()
        if limit:
            self._read()

    @classmethod
    def of(cls, fingerprint: str, dimension: int) -> "EmbeddingStore":
        """The store of the model with this fingerprint (hexadecimal), in this workspace."""
        assert fingerprint.isalnum(), fingerprint
        folder = settings().home / STORE / f"{fingerprint}-{dimension}-{FORMAT}"
        return cls(folder, dimension, settings().store_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        """How many vectors it knew when it was last read."""
        return len(self._first)

    def note_view(self, seen_as: bytes) -> None:
        """Note what, beside texts, decides the keys of this store (see `store_key`): by that it can be told later which
        vectors belong to a text (`cache_removal`).

        :raises Failed: when it cannot be written.
        """
        path = self._folder / VIEWS
        line = seen_as.hex()
        if not self._limit or line in views_of(self._folder):
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            append_line(path, line.encode())
        except OSError as error:
            raise Failed(f"{path} cannot be written: {error.strerror or error}.") from error

    def fill(self, keys: Sequence[bytes], into: Vectors) -> NDArray[np.bool_]:
        """Write the vectors that are known into the rows of `into`, shape (keys, dimension).

        :returns: which rows were known, shape (keys,).
        """
        known = np.zeros(len(keys), dtype=bool)
        if not len(self._first) or not keys:
            return known
        asked = halves(keys)
        places = np.searchsorted(self._first, asked[:, 0])
        places[places == len(self._first)] = 0
        found = (self._first[places] == asked[:, 0]) & (self._second[places] == asked[:, 1])
        rows = np.flatnonzero(found)
        for segment in np.unique(self._segment[places[rows]]):
            here = rows[self._segment[places[rows]] == segment]
            known[here] = self._take(int(segment), places[here], here, into)
        return known

    def _take(
        self, segment: int, records: NDArray[np.int64], rows: NDArray[np.int64], into: Vectors
    ) -> NDArray[np.bool_]:
        """Copy vectors of one segment into rows of `into`; returns which of them are as they were written."""
        path, at = self._paths[segment], self._row[records]
        order = np.argsort(at)
        vectors = np.empty((len(at), self._dimension), dtype=np.float32)
        try:
            vectors[order] = read_rows(self._held[path], at[order], self._dimension)
        except OSError as error:
            self._tell(f"{path.with_suffix(VECTORS)}: {in_words(error)}")
            return np.zeros(len(at), dtype=bool)
        sound: NDArray[np.bool_] = vector_sums(vectors) == self._sum[records]
        into[rows[sound]] = vectors[sound]
        if not sound.all():
            self._tell(f"{int((~sound).sum()):,} vectors differ from their checksums")
            blank(path, at[~sound])
        return sound

    def add(self, keys: Sequence[bytes], vectors: Vectors) -> None:
        """Keep vectors, shape (keys, dimension); rows that are not finite are not kept.

        They are found by whoever opens the store from now on.

        :raises Failed: when they cannot be written; what was kept before stays.
        """
        finite = np.isfinite(vectors).all(axis=1)
        if not self._limit or not finite.any():
            return
        kept = [keys[int(row)] for row in np.flatnonzero(finite)]
        try:
            if self._writer is None:
                for folder in (self._folder.parent, self._folder):
                    if folder.exists() and not folder.is_dir():
                        move_aside(folder)
                self._folder.mkdir(parents=True, exist_ok=True)
                self._writer = self._segment_to_fill()
            self._writer.append(kept, vectors[finite])
            self._grown = True
            if self._writer.full:
                self._end_segment()
                evict(self._folder.parent, self._limit)
        except OSError as error:
            raise Failed(
                f"Vectors cannot be written to {self._folder}: {error.strerror or error}. What was encoded "
                "before is kept: make room and start again, it goes on from there."
            ) from error

    def close(self) -> None:
        """Let go of the files, and evict what is over the limit."""
        with suppress(OSError):
            self._end_segment()
        self._clear()
        if self._grown:
            evict(self._folder.parent, self._limit)

    def _end_segment(self) -> None:
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.close()

    def _segment_to_fill(self) -> SegmentWriter:
        """A segment that has room and that nobody writes to, or a new one."""
        for path in self._segments():
            with suppress(DamagedSegment, OSError):
                writer = SegmentWriter.take(path, self._dimension)
                if writer is not None and not writer.full:
                    return writer
                if writer is not None:
                    writer.close()
        while True:  # Another process may take a new segment before the one that made it.
            fresh = SegmentWriter.take(self._folder / f"{new_id()}{KEYS}", self._dimension)
            if fresh is not None:
                return fresh

    def _clear(self) -> None:
        for handle in self._held.values():
            os.close(handle)
        self._held.clear()
        self._paths.clear()
        self._first = self._second = np.zeros(0, dtype=np.uint64)
        self._segment = self._row = np.zeros(0, dtype=np.int64)
        self._sum = np.zeros(0, dtype=np.uint32)

    def _read(self) -> None:
        """Learn what all segments hold. What is damaged is told of: wrong rows are blanked, else it is set aside."""
        found: list[tuple[Records, NDArray[np.int64]]] = []
        for path in self._segments():
            try:
                handle = os.open(path.with_suffix(VECTORS), os.O_RDONLY)
            except FileNotFoundError:
                continue  # Evicted a moment ago, or only begun.
            except OSError as error:
                self._lose(path, f"{path.with_suffix(VECTORS)}: {in_words(error)}")
                continue
            if not locked(handle, fcntl.LOCK_SH):
                os.close(handle)
                continue  # Being evicted.
            self._held[path] = handle
            try:
                if not S_ISREG(os.fstat(handle).st_mode):
                    raise DamagedSegment(f"{path.with_suffix(VECTORS)} is no file")
                records, sound = read_records(path, self._dimension)
                with suppress(OSError):  # On a disk that may only be read.
                    os.utime(path)
            except FileNotFoundError:
                continue
            except (DamagedSegment, OSError) as error:
                said = f"{path}: {in_words(error)}" if isinstance(error, OSError) else str(error)
                self._lose(path, said)
                continue
            wrong = np.flatnonzero(~sound[:-1])  # The last may be torn, or being written.
            if len(wrong):
                self._tell(f"{path} has a wrong record at row {int(wrong[0]):,}")
                blank(path, wrong)
            if sound.any():
                found.append((records[sound], np.flatnonzero(sound)))
                self._paths.append(path)
        if not found:
            return
        keys = np.concatenate([records["key"] for records, _ in found])
        order = np.argsort(keys[:, 0], kind="stable")
        self._first, self._second = keys[order, 0], keys[order, 1]
        self._sum = np.concatenate([records["vector"] for records, _ in found])[order]
        self._row = np.concatenate([rows for _, rows in found])[order]
        sizes = [len(records) for records, _ in found]
        self._segment = np.repeat(np.arange(len(found)), sizes)[order]

    def _segments(self) -> list[Path]:
        return sorted(path for path in self._folder.glob(f"*{KEYS}") if path.name[0] != ".")

    def _lose(self, path: Path, damage: str) -> None:
        self._tell(damage)
        set_aside(path)

    def _tell(self, damage: str) -> None:
        note = f"The embedding store {self._folder} is damaged ({damage}); these vectors are computed again."
        if not self.notes:
            self.notes.append(note)
