"""A disk that counts the changes below a folder, and lets one of them be the last, or fail.

Changes are: opening to write, writing, renaming, removing, making folders, flushing, and every statement of SQLite that
is no question. tests/faults.py runs commands on such a disk.
"""

import builtins
import contextlib
import errno
import functools
import importlib
import io
import os
import re
import shutil
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

_GROWS = frozenset({"open", "write", "mkdir", "sqlite", "rename"})
_CHANGES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_ASKS = re.compile(r"\s*(SELECT|EXPLAIN|PRAGMA[^=]*$)", re.IGNORECASE)


class Disk:
    """Counts changes below a folder, and lets one of them fail."""

    def __init__(self, home: Path, at: int, how: str) -> None:
        self._home = os.path.realpath(home) + os.sep
        self._at = at
        self._how = how
        self.kinds: list[str] = []
        self.paths: list[str] = []

    def concerns(self, path: Any) -> bool:
        """Whether a path, or an open file, is in the folder."""
        return (self._real(path) + os.sep).startswith(self._home)

    @staticmethod
    def _real(path: Any) -> str:
        try:
            named = f"/proc/self/fd/{path}" if isinstance(path, int) else os.fspath(path)
            return os.path.realpath(os.fsdecode(named))
        except (TypeError, ValueError, OSError):
            return ""

    def fault(self, kind: str, path: Any) -> str | None:
        """What is to happen at this change; None where it may be made."""
        if not self.concerns(path):
            return None
        self.kinds.append(kind)
        self.paths.append(self._real(path).removeprefix(self._home))
        number = len(self.kinds)
        if not self._at or number < self._at:
            return None
        if self._how == "ENOSPC":
            return self._how if kind in _GROWS else None
        return self._how if number == self._at else None

    def before(self, kind: str, path: Any) -> None:
        """Count a change, and let it fail.

        :raises OSError: when it is to fail so.
        """
        how = self.fault(kind, path)
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif how is not None:
            raise error_of(how, path)


def error_of(how: str, path: Any) -> OSError:
    """The system's own error: ENOSPC, EIO."""
    number = getattr(errno, how)
    return OSError(number, os.strerror(number), None if isinstance(path, int) else str(path))


def watch(disk: Disk) -> None:
    """From now on, this process asks before each change. Only for a process that ends afterwards."""
    _watch_functions(disk)
    _watch_files(disk)
    _watch_sqlite(disk)
    _watch_libraries(disk)


def _watch_functions(disk: Disk) -> None:
    for name, kind in (
        ("rename", "rename"), ("replace", "rename"), ("mkdir", "mkdir"), ("rmdir", "rmdir"), ("unlink", "unlink"),
        ("remove", "unlink"), ("fsync", "fsync"), ("ftruncate", "truncate"), ("truncate", "truncate"),
        ("link", "rename"), ("symlink", "open"),
    ):  # fmt: skip
        setattr(os, name, _asking(disk, kind, getattr(os, name)))
    for name in ("write", "pwrite"):
        setattr(os, name, _writing(disk, getattr(os, name)))
    shutil._USE_CP_SENDFILE = False  # type: ignore[attr-defined]  # It copies by writing.
    original = os.open

    def opened(path: Any, flags: int, *more: Any, dir_fd: int | None = None) -> int:
        if flags & _CHANGES:
            disk.before("open", path)
        return original(path, flags, *more, dir_fd=dir_fd)

    os.open = opened


def _asking(disk: Disk, kind: str, change: Any) -> Any:
    @functools.wraps(change)
    def asked(path: Any, *more: Any, **named: Any) -> Any:
        parent = named.get("dir_fd")  # shutil removes by the open folder and a name in it.
        inside = path if parent is None else f"/proc/self/fd/{parent}/{os.fspath(path)}"
        disk.before(kind, inside)
        return change(path, *more, **named)

    return asked


def _writing(disk: Disk, write: Any) -> Any:
    @functools.wraps(write)
    def written(handle: int, content: Any, *where: Any) -> int:
        how = disk.fault("write", handle)
        if how == "kill":
            write(handle, memoryview(content)[: len(content) // 2], *where)
            os.kill(os.getpid(), signal.SIGKILL)
        elif how is not None:
            raise error_of(how, handle)
        return int(write(handle, content, *where))

    return written


def _watch_files(disk: Disk) -> None:
    class File(io.FileIO):
        def write(self, content: Any) -> int:
            how = disk.fault("write", self.fileno())
            if how == "kill":
                super().write(memoryview(content)[: len(content) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            elif how is not None:
                raise error_of(how, self.fileno())
            return int(super().write(content))

    original = io.open

    def opened(
        file: Any, mode: str = "r", buffering: int = -1, encoding: str | None = None,
        errors: str | None = None, newline: str | None = None, closefd: bool = True, opener: Any = None,
    ) -> Any:  # fmt: skip
        changes = any(sign in mode for sign in "wax+")
        if not changes or not disk.concerns(file):
            return original(file, mode, buffering, encoding, errors, newline, closefd, opener)
        if not isinstance(file, int):
            disk.before("open", file)
        raw = File(file, mode.replace("b", "").replace("t", ""), closefd, opener)
        if buffering == 0:
            return raw
        whole: Any = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return whole if "b" in mode else io.TextIOWrapper(whole, encoding, errors, newline)

    io.open = opened
    builtins.open = opened
    os.fdopen = opened


def _watch_sqlite(disk: Disk) -> None:
    class Connection(sqlite3.Connection):
        database: Any = None

        def _ask(self, statement: str) -> None:
            if _ASKS.match(statement):
                return
            how = disk.fault("sqlite", self.database)
            if how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            elif how is not None:
                full = how == "ENOSPC"
                error = sqlite3.OperationalError(
                    "database or disk is full" if full else "disk I/O error"
                )
                error.sqlite_errorcode = sqlite3.SQLITE_FULL if full else sqlite3.SQLITE_IOERR
                raise error

        def execute(self, statement: str, *more: Any) -> sqlite3.Cursor:
            self._ask(statement)
            return super().execute(statement, *more)

        def executemany(self, statement: str, *more: Any) -> sqlite3.Cursor:
            self._ask(statement)
            return super().executemany(statement, *more)

        def executescript(self, script: str) -> sqlite3.Cursor:
            self._ask(script)
            return super().executescript(script)

        def commit(self) -> None:
            self._ask("COMMIT")
            super().commit()

        def backup(self, target: sqlite3.Connection, **named: Any) -> None:
            if isinstance(target, Connection):
                target._ask("BACKUP")
            super().backup(target, **named)

    original = sqlite3.connect

    def connect(database: Any, *more: Any, **named: Any) -> sqlite3.Connection:
        if named.get("factory") is None and len(more) < 5:
            named["factory"] = Connection
        made: Any = original(database, *more, **named)
        if isinstance(made, Connection):
            made.database = str(database).removeprefix("file:").split("?")[0]
        return made

    sqlite3.connect = connect


def _watch_libraries(disk: Disk) -> None:
    """What writes beneath Python: safetensors, and numpy where it finds a plain file."""
    for name in ("numpy.lib.format", "numpy.lib._format_impl"):
        with contextlib.suppress(ImportError):
            importlib.import_module(name).isfileobj = lambda _: False  # type: ignore[attr-defined]
    # Also for what imports it later: safetensors.torch would take torch, and seconds, into every fork.
    changed = _serializing(disk, importlib.import_module("safetensors").serialize_file)
    for name in ("safetensors", "safetensors.numpy", "safetensors.torch"):
        module: Any = sys.modules.get(name)
        if module is not None:
            module.serialize_file = changed


def _serializing(disk: Disk, serialize: Any) -> Any:
    from safetensors import SafetensorError

    def serialized(tensors: Any, path: Any, *more: Any, **named: Any) -> None:
        for kind in ("open", "write"):
            how = disk.fault(kind, path)
            if kind == "write":
                serialize(tensors, path, *more, **named)
                if how is not None:
                    os.truncate(path, Path(path).stat().st_size // 2)
            if how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            elif how is not None:
                number = getattr(errno, how)
                said = (
                    f"Error while serializing: I/O error: {os.strerror(number)} (os error {number})"
                )
                raise SafetensorError(said)

    return serialized
