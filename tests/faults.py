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
import gc
import importlib
import io
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
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


class _ForkedReader:
    """The process that reads files, as a fork: a new interpreter takes as long as all else. In place of a Popen."""

    def __init__(self, line: Sequence[str], pass_fds: Sequence[int], **_: Any) -> None:
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid:
            return
        try:
            os.setsid()
            request, answer = sorted(pass_fds)
            for first, last in ((3, request), (request + 1, answer), (answer + 1, 4096)):
                os.closerange(first, last)
            importlib.import_module(line[5]).main(*pass_fds)
        finally:
            os._exit(1)

    def poll(self) -> int | None:
        """How it ended; None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self, timeout: float = 60.0) -> int:
        """Wait for its end."""
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("reader", timeout)
            time.sleep(0.002)
        assert self.returncode is not None
        return self.returncode


def _work(case: dict[str, Any], answer: int) -> None:
    """Run a command, or a function, to its end, in a fork; tells what it changed through an open pipe."""
    disk = Disk(Path(case.get("watch") or case["home"]), case["at"], case["how"])
    write = os.write
    watch(disk)
    status, result = 0, None
    try:
        if case.get("call"):
            module, _, name = case["call"].partition(":")
            result = getattr(importlib.import_module(module), name)(*case["arguments"])
        else:
            _command(case["arguments"])
    except SystemExit as ended:
        status = int(ended.code or 0)
    except BaseException as error:
        status = getattr(error, "exit_status", 70)
        if status == 70:
            traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        said = {"status": status, "kinds": disk.kinds, "paths": disk.paths, "result": result}
        content = memoryview(json.dumps(said).encode())
        while content:
            content = content[write(answer, content) :]


def _command(arguments: Sequence[str]) -> None:
    """Run a command of cli.py; what it goes on as by exec, it goes on as here."""
    import cli

    def again(_program: str, line: Sequence[str], environment: Mapping[str, str]) -> None:
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = list(line[1:])
        cli.main()

    os.execve = again  # type: ignore[assignment]
    readers = importlib.import_module("search.corpus.isolated.process")
    readers.subprocess = SimpleNamespace(  # type: ignore[attr-defined]
        Popen=_ForkedReader, DEVNULL=subprocess.DEVNULL, TimeoutExpired=subprocess.TimeoutExpired
    )
    sys.argv = ["cli.py", *arguments]
    cli.main()


def _case(case: dict[str, Any]) -> dict[str, Any]:
    os.environ.update({"BESPOKE_HOME": case["home"], **case.get("environment", {})})
    tempfile.tempdir = os.environ.get(
        "TMPDIR"
    )  # Else Python tries the folder by a file of its own.
    if case.get("warm"):
        _work_here(case)
        return {"status": 0, "kinds": [], "paths": [], "result": None, "out": "", "err": ""}
    reading, answer = os.pipe()
    with (
        tempfile.TemporaryFile("w+", dir="/tmp") as out,
        tempfile.TemporaryFile("w+", dir="/tmp") as err,
    ):
        child = os.fork()
        if not child:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            try:
                _work(case, answer)
            finally:
                os._exit(0)
        os.close(answer)
        with os.fdopen(reading, "rb") as pipe:
            said = pipe.read()
        _, ended = os.waitpid(child, 0)
        out.seek(0)
        err.seek(0)
        nothing = {
            "status": os.waitstatus_to_exitcode(ended),
            "kinds": [],
            "paths": [],
            "result": None,
        }
        known = json.loads(said) if said else nothing
        return {**known, "out": out.read(), "err": err.read()}


def _work_here(case: dict[str, Any]) -> None:
    """Run a command in this process, so that its forks have imported and loaded all that it needs."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        _command(case["arguments"])
    _keep_what_is_there()


def _keep_what_is_there() -> None:
    """Let the collector pass over it in forks, too: it would copy all of it there."""
    gc.collect()
    gc.freeze()


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit status (-9: killed), what it changed, and what it printed."""

    status: int
    kinds: Sequence[str]
    paths: Sequence[str]
    result: Any
    out: str
    err: str

    @property
    def points(self) -> int:
        """How many changes it made."""
        return len(self.kinds)


class Faults:
    """Runs commands with faults; see the top of this file."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def run(
        self, home: Path, *arguments: object, at: int = 0, how: str = "kill", **more: Any
    ) -> Ended:
        """Run a command of cli.py, with a fault before its change number `at`.

        :param more: `watch`, a folder around `home` in which changes are counted; `environment`; `call`, a function
            ("module:name") to be called instead of the command; `warm`, to run it once in the process that forks.
        """
        case = {"home": str(home), "arguments": [*map(str, arguments)], "at": at, "how": how}
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(case | more) + "\n")
        self._process.stdin.flush()
        return Ended(**json.loads(self._process.stdout.readline()))


@contextlib.contextmanager
def faults(*modules: str) -> Iterator[Faults]:
    """A process that runs commands with faults, after it imported what they need."""
    with subprocess.Popen(
        [sys.executable, __file__, *modules],
        cwd=REPOSITORY,
        env={**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"},
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
    for name in ("cli", "safetensors", *sys.argv[1:]):
        importlib.import_module(name)
    _keep_what_is_there()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Whatever else prints here is no answer.
    for line in sys.stdin:
        print(json.dumps(_case(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
