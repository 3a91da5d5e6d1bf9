"""Gzip of any single file: unpacked to a temporary file, in bounded space."""

import gzip
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import IO, BinaryIO, cast

from search.corpus.readers.report import refused_if_unreadable, source_of
from search.corpus.readers.signatures import kind_of, refuse_other_kind
from search.projects.errors import Refused
from search.projects.scratch import scratch_folder
from search.projects.settings import LIMITS

_CHUNK = 1024 * 1024


def is_compressed(path: PurePath) -> bool:
    """Whether a file's name says that it is the gzip of one file."""
    return path.suffix.lower() == ".gz"


def inner_name(path: PurePath) -> str:
    """The name of what is read of a file: without .gz, or unchanged; its ending decides the format."""
    return path.name[: -len(".gz")] if is_compressed(path) else path.name


def opened(path: Path) -> BinaryIO:
    """A file, or what is in it when its name ends in .gz, as a seekable stream.

    What was unpacked is on disk without a name, and gone when the stream is closed.

    :raises Refused: when the file cannot be opened, or is not gzip, damaged, truncated or a bomb.
    """
    if not is_compressed(path):
        with refused_if_unreadable(path):
            return path.open("rb")
    stream = cast(BinaryIO, tempfile.TemporaryFile(prefix="bespoke-gzip-"))  # noqa: SIM115
    try:
        _unpack(path, stream)
    except BaseException:
        stream.close()
        raise
    stream.seek(0)
    return stream


@contextmanager
def inflated(path: Path) -> Iterator[Path]:
    """A file that can be read as it is: `path` itself, or what a .gz holds, unpacked for the block.

    For readers that need a path. The ending of the path that is given decides the format, as `inner_name`
    says; the name before it is not the person's: take names for ids and messages from `inner_name(path)`
    and from the report.

    :raises Refused: as `opened`.
    """
    if not is_compressed(path):
        yield path
        return
    suffix = PurePath(inner_name(path)).suffix.lower()
    with scratch_folder("gzip") as folder:
        target = Path(folder) / f"content{suffix if suffix[1:].isalnum() else ''}"
        with target.open("wb") as stream:
            _unpack(path, stream)
        yield target


def unpacked_limit(size: int) -> int:
    """To how many bytes a compressed file of `size` bytes may unpack.

    A small file of one repeated line shrinks by more than the ratio, and harms nobody.
    """
    return min(LIMITS.upload_bytes, max(_CHUNK, size * LIMITS.zip_ratio))


def _unpack(path: Path, target: IO[bytes]) -> None:
    source = source_of(path)
    budget = unpacked_limit(path.stat().st_size)
    with path.open("rb") as raw:
        if raw.read(2) != b"\x1f\x8b":
            refuse_other_kind(kind_of(raw), source, "gzip")
            raise Refused(f"{source} is not a gzip file, although its name ends in .gz.")
        raw.seek(0)
        total = 0
        with gzip.GzipFile(fileobj=raw) as packed:
            while chunk := _read(packed, source):
                total += len(chunk)
                if total > budget:
                    raise Refused(
                        f"{source} unpacks to more than {budget:,} bytes, which is far more than its "
                        "size or over the limit: not read further."
                    )
                target.write(chunk)
    if total == 0:
        raise Refused(f"{source} holds an empty file (0 bytes).")


def _read(packed: gzip.GzipFile, source: str) -> bytes:
    try:
        return packed.read(_CHUNK)
    except EOFError:
        raise Refused(
            f"{source} ends in the middle: the gzip file is truncated. Copy or download it again."
        ) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise Refused(f"{source} is not a gzip file that can be read: {error}.") from None
