"""Archives are never trusted: every byte that comes out of one is counted, and its errors are told."""

import bz2
import gzip
import io
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
from typing import IO, BinaryIO, Self, cast

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


_HEADER_BYTES = 1024 * 1024
_HEADERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


def tar_members(
    path: Path, source: str, budget: Budget
) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    """The members of an archive and what is in each; None for what is not a plain file.

    A stream must be read before the next member is asked for.

    :param budget: of all bytes that come out of the compression, also of members nobody reads.
    :raises Refused: when it has too many entries, or too many bytes come out of it.
    :raises unpacking.DAMAGE: when it is no tar, damaged or truncated, here or in reading a stream.
    """
    with path.open("rb") as raw:
        unpacked = _Counted(_decompressed(raw), budget)
        with tarfile.open(fileobj=unpacked, mode="r|", tarinfo=_Member) as archive:
            for number, member in enumerate(archive, start=1):
                if number > LIMITS.zip_entries:
                    raise Refused(f"{source} has more than {LIMITS.zip_entries:,} entries.")
                plain = member.isreg() and not member.issparse()
                yield member, archive.extractfile(member) if plain else None
            while unpacked.read(_CHUNK):  # to where the compression has its checksum
                pass


def _decompressed(raw: BinaryIO) -> BinaryIO:
    start = raw.read(6)
    raw.seek(0)
    if start.startswith(b"\x1f\x8b"):
        return cast(BinaryIO, gzip.GzipFile(fileobj=raw))
    if start.startswith(b"BZh"):
        return cast(BinaryIO, bz2.BZ2File(raw))
    if start == b"\xfd7zXZ\x00":
        return cast(BinaryIO, lzma.LZMAFile(raw))
    return raw


class _Counted(io.RawIOBase):
    """A stream of which every byte is counted."""

    def __init__(self, stream: BinaryIO, budget: Budget) -> None:
        self._stream = stream
        self._budget = budget

    def read(self, size: int = -1) -> bytes:
        chunk = self._stream.read(size)
        self._budget.take(len(chunk))
        return chunk


class _Member(tarfile.TarInfo):
    """A header; tarfile takes a damaged one for the end of the archive, and reads long ones into memory."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        if not buf:
            raise EOFError
        if not any(buf):  # what an archive ends with
            return super().frombuf(buf, encoding, errors)
        try:
            member = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            raise ValueError(f"a header is damaged ({error})") from None
        if member.type in _HEADERS and member.size > _HEADER_BYTES:
            raise ValueError("a header is far too long")
        return member
