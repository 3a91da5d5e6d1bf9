"""The child: started ahead, asked, watched while somebody waits for its answer, and ended."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import psutil

from search.corpus.isolated import messages
from search.corpus.isolated.limits import Allowance, Limit, over
from search.corpus.readers.grades import UnclearGrades
from search.projects.errors import Failed, Refused
from search.projects.scratch import scratch_folder
from search.projects.settings import reader_environment

_ROOT = Path(__file__).resolve().parents[3]
_CODE = (
    "import sys; sys.path.insert(0, sys.argv[1]); from importlib import import_module; "
    "import_module(sys.argv[2]).main(int(sys.argv[3]), int(sys.argv[4]))"
)
_POLL = 0.05  # seconds between two looks at a child
_GRANDCHILDREN = (
    4  # looks after which its children are counted anew: that reads the list of all processes
)


class Child:
    """A process that reads files, one after another, until one ends it.

    It is started with pipes of its own, nothing on its standard streams, none of this process' secrets, and ends with
    this process: a thread of it notices when the other end of its pipe is gone.

    :param worker: the module whose `main` it runs.
    """

    def __init__(self, worker: str = "search.corpus.isolated.worker") -> None:
        request, self._requests = os.pipe()
        self._answers, answer = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _CODE, str(_ROOT), worker, str(request), str(answer)],
                pass_fds=(request, answer),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env=reader_environment(),
            )
        finally:
            os.close(request)
            os.close(answer)
        self._out = os.fdopen(self._requests, "wb")
        self._in = os.fdopen(self._answers, "rb")
        self._stack = contextlib.ExitStack()
        self._scratch = self._stack.enter_context(scratch_folder("sources"))
        self._closed = False
        self.ready = False
        self.has_read = False

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return not self._closed and self._process.poll() is None

    def ask(
        self, source: str, task: str, arguments: list[Any], allowed: Allowance
    ) -> Generator[dict[str, Any], None, None]:
        """The messages of an answer, as they come; closing the iterator before its end ends the child.

        :param source: what messages to people call the file.
        :raises OverLimit: when it takes too much, or ends; the child is ended then.
        :raises Refused: what the reader refused.
        """
        watch = _Watch(self._process, allowed)
        finished = False
        try:
            with watch:
                self._await_ready(watch)
                self.has_read = True
                request = {
                    "task": task,
                    "arguments": messages.packed(arguments),
                    "folder": str(Path.cwd()),
                    "scratch": str(self._scratch),
                    "seconds": allowed.seconds,
                }
                watch.begin()
                self._send(request)
                while True:
                    message = self._next(watch)
                    if "done" in message:
                        break
                    if not {"rows", "part"} & message.keys():
                        # After an error that nobody foresaw, who knows what is left in it.
                        finished = "error" not in message
                        raise _raised(source, message, allowed)
                    yield message
            finished = True
        except messages.Garbled as error:
            self.end()
            raise over(source, watch.ended_by or "answer", allowed, self._words(error)) from None
        finally:
            if not finished:
                self.end()

    def _await_ready(self, watch: "_Watch") -> None:
        if self.ready:
            return
        try:
            if self._next(watch) != {"ready": True}:
                raise messages.Garbled("said something else first")
        except messages.Garbled:
            raise Failed(
                "The process that reads files did not start. Is there memory left, and was make app run?"
            ) from None
        self.ready = True

    def _send(self, request: dict[str, Any]) -> None:
        try:
            messages.write(self._out, json.dumps(request))
        except OSError:
            raise messages.Garbled("ended") from None

    def _next(self, watch: "_Watch") -> dict[str, Any]:
        with watch.waiting():
            message = messages.read(self._in)
        if not isinstance(message, dict):
            raise messages.Garbled("ended without an answer")
        return message

    def _words(self, error: messages.Garbled) -> str:
        code = self._process.returncode
        if isinstance(error.__cause__, Exception) or "ended" not in str(error):
            return "gave an answer that cannot be understood"
        how = f" by {signal.Signals(-code).name}" if code is not None and code < 0 else ""
        if code == -signal.SIGKILL:
            how = ""  # Ours: it had closed its pipe.
        return f"ended without an answer{how}"

    def end(self) -> None:
        """End it, and whatever it started; may be called twice."""
        if self._closed:
            return
        self._closed = True
        # One that is dead by itself has said how; one that only closed its pipe is still there.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_POLL)
        end_tree(self._process.pid)
        self._process.wait()
        for stream in (self._out, self._in):
            with contextlib.suppress(OSError):
                stream.close()
        self._stack.close()


class _Watch:
    """Looks at a child while it works, and ends it when it takes more than it may."""

    def __init__(self, process: "subprocess.Popen[bytes]", allowed: Allowance) -> None:
        self._pid = process.pid
        self._allowed = allowed
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, name="reader-watch", daemon=True)
        self._since: float | None = None
        self._waited = 0.0
        self._before = 0.0
        self.ended_by: Limit | None = None

    def __enter__(self) -> "_Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def begin(self) -> None:
        """What the child took until now is not of this request."""
        with contextlib.suppress(psutil.Error):
            self._before = _seconds([psutil.Process(self._pid)])
        self._waited = 0.0

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """While in the block, somebody waits for the child."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._waited += time.monotonic() - self._since
            self._since = None

    def _look(self) -> None:
        looks = 0
        children: list[psutil.Process] = []
        while not self._done.wait(_POLL):
            with contextlib.suppress(psutil.Error):
                child = psutil.Process(self._pid)
                if looks % _GRANDCHILDREN == 0:
                    children = child.children(recursive=True)
                looks += 1
                self.ended_by = self._over([child, *children])
            if self.ended_by is not None:
                end_tree(self._pid)
                return

    def _over(self, processes: list[psutil.Process]) -> Limit | None:
        since = self._since
        if sum(_resident(one) for one in processes) > self._allowed.memory:
            return "memory"
        if _seconds(processes) - self._before > self._allowed.seconds:
            return "processor time"
        waited = self._waited + (time.monotonic() - since if since is not None else 0.0)
        return "time" if waited > self._allowed.waiting else None


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:  # It ended meanwhile.
        return 0


def _seconds(processes: list[psutil.Process]) -> float:
    """The processor time of processes, and of the children of theirs that have ended."""
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def end_tree(pid: int) -> None:
    """Kill a child, its group and everything that it started, also what left its group."""
    with contextlib.suppress(psutil.Error):
        root = psutil.Process(pid)
        root.suspend()  # It starts nothing more.
        while started := [one for one in root.children(recursive=True) if _is_running(one)]:
            for one in started:
                with contextlib.suppress(psutil.Error):
                    one.kill()
            psutil.wait_procs(started, timeout=_POLL)
    with contextlib.suppress(OSError):
        os.killpg(pid, signal.SIGKILL)


def _is_running(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _raised(source: str, message: dict[str, Any], allowed: Allowance) -> Exception:
    """The error that a child tells of."""
    if "refused" in message:
        return Refused(str(message["refused"]))
    if "unclear" in message:
        text, column, values, roles = messages.unpacked(message["unclear"])
        unclear = UnclearGrades(text, column, values)
        unclear.roles = roles
        return unclear
    if "system" in message:
        number, words = messages.unpacked(message["system"])
        return OSError(number, words, source)
    kind = str(message.get("error"))[:80]
    if kind == "MemoryError":
        return over(source, "memory", allowed)
    return over(source, "answer", allowed, f"failed by an error that was not foreseen ({kind})")


class Spare:
    """A child that was started ahead, so that nobody waits for its start; each upload has one that read nothing before.

    :param start: makes a child.
    :ivar reuse: for tests: a child that did nothing wrong serves the next upload as well.
    """

    def __init__(self, start: Callable[[], Child] = Child) -> None:
        self._start = start
        self._lock = threading.Lock()
        self._child: Child | None = None
        self.reuse = False

    def prepare(self) -> None:
        """Start one, unless there is one."""
        with self._lock:
            if self._child is None or not self._child.alive:
                self._child = self._start()

    def take(self) -> Child:
        """The one that was started ahead, or a new one."""
        with self._lock:
            child, self._child = self._child, None
        return child if child is not None and child.alive else self._start()

    def give_back(self, child: Child) -> None:
        """Take back a child; one that has read a file is ended."""
        with self._lock:
            if self._child is None and child.alive and (self.reuse or not child.has_read):
                self._child = child
                return
        child.end()


SPARE = Spare()
