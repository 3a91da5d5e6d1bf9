"""Faults before every change to the disk: a command is killed there, or the disk is full or broken from there on.

`python -m tests.faults MODULE...` imports the modules once and then takes cases as lines of JSON:

    {"home": workspace, "arguments": ["add", "p", "a.txt"], "at": 7, "how": "kill"}

It forks for each, runs the command in the fork with BESPOKE_HOME=home, and answers {"status", "points", "kinds", "out",
"err"}: how it ended (-9 where it was killed), how many changes it made, and what each was. `at` 0 disturbs nothing.
`how` is kill (SIGKILL; of a write, the first half is on disk), ENOSPC (everything that needs room fails from there on)
or EIO (that one change fails). Changes are counted inside of `home` alone (tests/failing_disk.py).
"""

import contextlib
import gc
import importlib
import io
import json
import os
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

from tests.failing_disk import Disk, watch

REPOSITORY = Path(__file__).resolve().parents[1]


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
        [sys.executable, "-m", "tests.faults", *modules],
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
    for name in ("cli", "safetensors", *sys.argv[1:]):
        importlib.import_module(name)
    _keep_what_is_there()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Whatever else prints here is no answer.
    for line in sys.stdin:
        print(json.dumps(_case(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
