"""Files that are written whole and on disk, and their checksums."""

import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from glob import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

from search.projects.errors import Failed, Refused

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
"""What everybody but their owner may do with files and folders of a workspace: nothing."""

_LINE = 1024 * 1024
_EXPORT = ".bespoke-export-"
_TEMPORARY = re.compile(r"\..+\.\d+\.[0-9a-f]{4}")


def write_atomically(path: Path, text: str) -> None:
    """Write a small file so that a reader sees the old content or the new one, never a part."""
    sweep_unwritten(path.parent, path.name)
    temporary, stream = _new_temporary(path)
    try:
        with stream:
            stream.write(text.encode())
            stream.flush()
            os.fsync(stream.fileno())
            temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def append_line(path: Path, line: bytes) -> None:
    """Add a line to a file of lines; one that a killed process or a full disk left half is taken away before.

    :raises OSError: when it cannot be written.
    """
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, PRIVATE_FILE)
    try:
        with suppress(OSError):  # A disk that knows no locks: one write is mostly whole there, too.
            fcntl.flock(handle, fcntl.LOCK_EX)
        size = os.fstat(handle).st_size
        half = os.pread(handle, _LINE, max(size - _LINE, 0)).rpartition(b"\n")[2]
        if half:
            os.ftruncate(handle, size - len(half))
        data = line + b"\n"
        while data:
            data = data[os.write(handle, data) :]
    finally:
        os.close(handle)


def sweep_unwritten(folder: Path, name: str = "*") -> None:
    """Remove what killed processes were writing in a folder (`write_atomically`); who still writes holds it.

    :param name: of the files that were to be written; by default all of them, in a folder where nobody else writes.
    """
    for path in folder.glob(f".{escape(name) if name != '*' else name}.*"):
        if _TEMPORARY.fullmatch(path.name):
            with suppress(OSError), path.open("rb") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()


def _new_temporary(path: Path) -> tuple[Path, BinaryIO]:
    """A new file beside `path`, open and held: it is not swept as long as it is."""
    while True:
        temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(2)}")
        stream = new_private_file(temporary)
        try:
            fcntl.flock(stream, fcntl.LOCK_EX)
            if temporary.exists():
                return temporary, stream
        except OSError:  # A disk that knows no locks: nobody can sweep there, either.
            return temporary, stream
        stream.close()  # It was swept in the moment before it was held.


def new_private_file(path: Path) -> BinaryIO:
    """Open a new file for writing that only its owner can read.

    :raises OSError: when it is there already, or cannot be written.
    """
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "wb")


def keep_private(home: Path) -> None:
    """From now on, what this process and its children make is for its user alone; called when a face starts.

    :param home: the workspace; one that others could look into is closed to them, where it is ours to close.
    """
    os.umask(0o077)
    with suppress(OSError):
        if home.stat().st_mode & 0o077:
            home.chmod(PRIVATE_FOLDER)


def make_private(folder: Path) -> None:
    """Take a folder, and all that is in it, from everybody but its owner."""
    folder.chmod(PRIVATE_FOLDER)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(PRIVATE_FOLDER if path.is_dir() else PRIVATE_FILE)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold a folder while the block runs: of all that hold it so, one at a time does. For what is over at once.

    :raises OSError: when it is not there.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # A disk that knows no locks.
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def whole_lines(content: bytes) -> list[bytes]:
    r"""The lines of a file that is appended to, without one at its end that was cut short.

    >>> whole_lines(b"one\ntwo\nthr")
    [b'one', b'two']
    """
    return content.split(b"\n")[:-1]


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file (UTF-8, readable by a person)."""
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2), encoding="utf-8")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def known_sha256(path: Path) -> str:
    """The SHA-256 of a file, worked out once for as long as its size and its time of change stay."""
    stat = path.stat()
    return _sha256_once(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4096)
def _sha256_once(path: Path, _changed: int, _size: int) -> str:
    return sha256_of(path)


def package_folder(module: str) -> Path:
    """Where an installed package is. Does not import it.

    :raises Failed: when it is not installed.
    """
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise Failed(f"The package {module.replace('_', '-')} is not installed. Run: make app.")
    return Path(spec.origin).parent


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Write a folder outside the workspace whole or not at all: what the block writes into the one it gets.

    :param folder: must not exist, or be empty.
    :raises Refused: where something is in the way.
    """
    if folder.parent.is_dir():
        _sweep_exports(folder.parent)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(f"{folder} exists and is not empty. Choose a new folder.")
    if not folder.parent.is_dir():
        raise Refused(f"There is no folder {folder.parent} to write into.")
    scratch, handle = _new_export(folder.parent)
    try:
        target = scratch / "whole"
        target.mkdir()
        yield target
        if folder.exists():
            folder.rmdir()
        target.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        os.close(handle)


def _new_export(parent: Path) -> tuple[Path, int]:
    """A hidden folder, and the open handle that holds it: it is not swept as long as that is open."""
    while True:
        scratch = Path(tempfile.mkdtemp(prefix=_EXPORT, dir=parent))
        with suppress(FileNotFoundError):  # It was swept in the moment before it was held.
            handle = os.open(scratch, os.O_RDONLY)
            with suppress(OSError):  # Where a disk knows no locks, nobody sweeps.
                fcntl.flock(handle, fcntl.LOCK_EX)
            if scratch.is_dir():
                return scratch, handle
            os.close(handle)


def _sweep_exports(parent: Path) -> None:
    """Remove exports that were cut off; who writes one holds it."""
    for path in parent.glob(f"{_EXPORT}*/"):
        with suppress(OSError):
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(handle)


def flush(path: Path) -> None:
    """See that a file, or a folder's list of names, is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def size_in_words(count: float) -> str:
    """Bytes as people say them.

    >>> size_in_words(999), size_in_words(120_400), size_in_words(90_900_000)
    ('999 bytes', '120.4 kB', '90.9 MB')
    """
    for unit in ("bytes", "kB", "MB"):
        if count < 1_000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1_000
    return f"{count:.1f} GB"
