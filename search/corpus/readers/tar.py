"""TAR archives, also compressed, member by member in one pass; damage never passes for the end."""

import bz2
import gzip
import io
import lzma
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO, Self, cast

from search.corpus.readers.unpacking import Budget
from search.projects.errors import Refused
from search.projects.settings import LIMITS

_CHUNK = 1024 * 1024
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
