"""Faults before every change to the disk: a command is killed there, or the disk is full or broken from there on.

`python tests/faults.py MODULE...` imports the modules once and then takes cases as lines of JSON:

    {"home": workspace, "arguments": ["add", "p", "a.txt"], "at": 7, "how": "kill"}

It forks for each, runs the command in the fork with BESPOKE_HOME=home, and answers {"status", "points", "kinds", "out",
"err"}: how it ended (-9 where it was killed), how many changes it made, and what each was. `at` 0 disturbs nothing.
`how` is kill (SIGKILL; of a write, the first half is on disk), ENOSPC (everything that needs room fails from there on)
or EIO (that one change fails). Changes are counted inside of `home` alone: opening to write, writing, renaming,
removing, making folders, flushing, and every statement of SQLite that is no question.
"""

import builtins
import contextlib
import errno
import functools
import importlib
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
_GROWS = frozenset({"open", "write", "mkdir", "sqlite", "rename"})
_CHANGES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_ASKS = ("SELECT", "EXPLAIN", "PRAGMA")


class Disk:
    """Counts changes below a folder, and lets one of them fail."""

    def __init__(self, home: Path, at: int, how: str) -> None:
        self._home = os.path.realpath(home) + os.sep
        self._at = at
        self._how = how
        self.kinds: list[str] = []

    def concerns(self, path: Any) -> bool:
        """Whether a path, or an open file, is in the folder."""
        try:
            named = f"/proc/self/fd/{path}" if isinstance(path, int) else os.fspath(path)
            return (os.path.realpath(os.fsdecode(named)) + os.sep).startswith(self._home)
        except (TypeError, ValueError, OSError):
            return False

    def fault(self, kind: str, path: Any) -> str | None:
        """What is to happen at this change; None where it may be made."""
        if not self.concerns(path):
            return None
        self.kinds.append(kind)
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


def _watch_functions(disk: Disk) -> None:
    for name, kind in (
        ("rename", "rename"), ("replace", "rename"), ("mkdir", "mkdir"), ("rmdir", "rmdir"), ("unlink", "unlink"),
        ("remove", "unlink"), ("fsync", "fsync"), ("ftruncate", "truncate"), ("truncate", "truncate"),
        ("link", "rename"), ("symlink", "open"),
    ):  # fmt: skip
        setattr(os, name, _asking(disk, kind, getattr(os, name)))
    for name in ("write", "pwrite"):
        setattr(os, name, _writing(disk, getattr(os, name)))
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
            if statement.lstrip().upper().startswith(_ASKS):
                return
            how = disk.fault("sqlite", self.database)
            if how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            elif how is not None:
                said = "database or disk is full" if how == "ENOSPC" else "disk I/O error"
                raise sqlite3.OperationalError(said)

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

    original = sqlite3.connect

    def connect(database: Any, *more: Any, **named: Any) -> sqlite3.Connection:
        if named.get("factory") is None and len(more) < 5:
            named["factory"] = Connection
        made: Any = original(database, *more, **named)
        if isinstance(made, Connection):
            made.database = str(database).removeprefix("file:").split("?")[0]
        return made

    sqlite3.connect = connect


def _command(home: str, arguments: Sequence[str], at: int, how: str, answer: int) -> None:
    """Run a command to its end, in a fork; tells what it changed through an open pipe."""
    import cli

    os.environ["BESPOKE_HOME"] = home
    sys.argv = ["cli.py", *arguments]
    disk = Disk(Path(home), at, how)
    write = os.write
    watch(disk)
    status = 0
    try:
        cli.main()
    except SystemExit as ended:
        status = int(ended.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        write(answer, json.dumps({"status": status, "kinds": disk.kinds}).encode())


def _case(case: dict[str, Any]) -> dict[str, Any]:
    reading, answer = os.pipe()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = os.fork()
        if not child:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            try:
                _command(case["home"], case["arguments"], case["at"], case["how"], answer)
            finally:
                os._exit(0)
        os.close(answer)
        with os.fdopen(reading, "rb") as pipe:
            said = pipe.read()
        _, ended = os.waitpid(child, 0)
        out.seek(0)
        err.seek(0)
        known = (
            json.loads(said) if said else {"status": os.waitstatus_to_exitcode(ended), "kinds": []}
        )
        return {**known, "points": len(known["kinds"]), "out": out.read(), "err": err.read()}


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit status (-9: killed), what it changed, and what it printed."""

    status: int
    points: int
    kinds: Sequence[str]
    out: str
    err: str


class Faults:
    """Runs commands with faults; see the top of this file."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def run(self, home: Path, *arguments: object, at: int = 0, how: str = "kill") -> Ended:
        """Run a command of cli.py, with a fault before its change number `at`."""
        case = {"home": str(home), "arguments": [*map(str, arguments)], "at": at, "how": how}
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(case) + "\n")
        self._process.stdin.flush()
        return Ended(**json.loads(self._process.stdout.readline()))


@contextlib.contextmanager
def faults(*modules: str) -> Iterator[Faults]:
    """A process that runs commands with faults, after it imported what they need."""
    with subprocess.Popen(
        [sys.executable, __file__, *modules],
        cwd=REPOSITORY,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Faults(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()


def main() -> None:
    """Answer cases until there are no more."""
    sys.path.insert(0, str(REPOSITORY))
    for name in ("cli", *sys.argv[1:]):
        importlib.import_module(name)
    for line in sys.stdin:
        print(json.dumps(_case(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
