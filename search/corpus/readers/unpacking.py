"""Archives are never trusted: every byte that comes out of one is counted, and its errors are told."""

import lzma
import shutil
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from search.corpus.readers.compressed import unpacked_limit
from search.projects.errors import Refused
from search.projects.settings import LIMITS

_CHUNK = 1024 * 1024
_ZIP64 = 0xFFFF  # the count of entries of a zip that holds the real one elsewhere
_END_BYTES = 22 + 0xFFFF
# What the modules of the standard library raise over damaged archives.
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    lzma.LZMAError,
    tarfile.TarError,
    NotImplementedError,
    RecursionError,
    EOFError,
    ValueError,
    OSError,
)


class Budget:
    """How many bytes may still come out of an archive."""

    def __init__(self, path: Path, source: str) -> None:
        self._left = unpacked_limit(path.stat().st_size)
        self._source = source

    def take(self, count: int) -> None:
        """Count bytes.

        :raises Refused: when there were too many.
        """
        self._left -= count
        if self._left < 0:
            raise Refused(f"{self._source} unpacks to far more than its size: not read further.")


def copy_out(stream: IO[bytes], target: Path, budget: Budget) -> None:
    """Write what is in a member of an archive to a new file."""
    with target.open("xb") as copy:
        while chunk := stream.read(_CHUNK):
            budget.take(len(chunk))
            copy.write(chunk)


@contextmanager
def opened_zip(path: Path, source: str, kind: str = "a zip") -> Iterator[zipfile.ZipFile]:
    """A zip of not too many entries; what goes wrong with it in the block is refused.

    :param kind: what the person takes it for, for the message.
    :raises Refused: when it is no zip, damaged, truncated, or has too many entries.
    """
    with refused_damage(source, kind), zipfile.ZipFile(path) as archive:
        count = len(archive.infolist())
        if count > LIMITS.zip_entries:
            raise Refused(f"{source} has {count:,} entries; the limit is {LIMITS.zip_entries:,}.")
        if _entries_said(path) not in (count, _ZIP64):
            raise zipfile.BadZipFile("its list of entries is damaged")
        yield archive


@contextmanager
def refused_damage(source: str, kind: str) -> Iterator[None]:
    """Tell the person what is wrong with an archive that is damaged; a full disk stays an error.

    :raises Refused: for errors of unpacking in the block.
    """
    try:
        yield
    except DAMAGE as error:
        if isinstance(error, OSError) and _disk_is_full():
            raise
        reason = "it ends in the middle" if isinstance(error, EOFError) else str(error)
        if isinstance(error, OSError) and error.strerror:  # without the number of the error
            reason = error.strerror
        raise Refused(f"{source} is not {kind} that can be read: {reason}.") from None


def _entries_said(path: Path) -> int:
    """How many entries a zip says that it has, at its end; zipfile does not compare."""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - _END_BYTES))
        end = stream.read()
    return int.from_bytes(end[end.rfind(b"PK\x05\x06") + 10 :][:2], "little")


def _disk_is_full() -> bool:
    return shutil.disk_usage(tempfile.gettempdir()).free < _CHUNK
