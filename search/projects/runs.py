"""Long work in a process of its own: started, watched, cancelled and found again from its folder.

A run is a command of the terminal. Its folder holds command.json (what was asked), status.json (how it
stands, replaced at each change), events.jsonl (numbers for curves) and log (what it printed). Whoever
reads the folder sees the same: the page that started it, a second tab, the app after a restart.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import psutil
from pydantic import BaseModel, ConfigDict, Field

from search.projects import audit
from search.projects.artifacts import Manifest, new_id, now
from search.projects.damage import notice
from search.projects.errors import Failed, Refused
from search.projects.files import whole_lines, write_atomically
from search.projects.locks import Owner, exclusive, is_owned, project_lock
from search.projects.outcome import in_words, is_whole, result_of
from search.projects.project import Project
from search.projects.publishing import published_by, sweep
from search.projects.sealed import seal, unseal
from search.projects.settings import child_environment

State = Literal[
    "starting", "waiting", "running", "done", "failed", "refused", "cancelled", "interrupted"
]
OVER: frozenset[State] = frozenset({"done", "failed", "refused", "cancelled", "interrupted"})
_STOPPED: frozenset[State] = frozenset({"failed", "cancelled", "interrupted"})
_IN_THE_BACKGROUND = frozenset({"train", "curve", "advise", "blend", "disagree"})
_NICENESS = 10
UNREADABLE = "unreadable"
"""The message of a run whose status is damaged."""
_COMMAND = "command.json"
_STATUS = "status.json"
_EVENTS = "events.jsonl"
_LOG = "log"
_CHECKPOINTS = "checkpoints"
_PROCESS = "process.json"
_OWNER = "owner"
_CANCEL = "cancel"


def _sum(line: bytes) -> bytes:
    return b"%08x" % zlib.crc32(line)


class Status(BaseModel):
    """How a run stands. `pace` is the share of it that is done in a second, where that can be told."""

    model_config = ConfigDict(frozen=True)
    state: State = "starting"
    message: str = "starting"
    done: float = 0.0
    total: float = 0.0
    started: float = Field(default_factory=time.time)
    updated: float = Field(default_factory=time.time)
    pace: float | None = None
    pid: int | None = None
    process_started: float | None = None
    error: str | None = None
    notes: list[str] = Field(default_factory=list)
    result: dict[str, Any] = Field(default_factory=dict)

    def ended(self, state: State, **facts: Any) -> "Status":
        """The status of a run that ended so, with what else is to be said of it."""
        return self.model_copy(update={"state": state, "message": state, **facts})

    @property
    def share(self) -> float | None:
        """How much is done, 0 to 1; None while the total is unknown."""
        return min(self.done / self.total, 1.0) if self.total > 0 else None

    @property
    def elapsed(self) -> float:
        """Seconds since the start, up to now or to the end."""
        end = self.updated if self.state in OVER else time.time()
        return max(end - self.started, 0.0)

    @property
    def remaining(self) -> float | None:
        """Seconds left at the pace of late; None when that cannot be told yet."""
        if self.state != "running" or self.share is None or not self.pace:
            return None
        return max((1 - self.share) / self.pace - (time.time() - self.updated), 0.0)


class Run:
    """One run, as its folder tells it."""

    def __init__(self, project: Project, identity: str) -> None:
        self.project = project
        self.id = identity
        self.folder = project.folder / "runs" / identity

    @property
    def arguments(self) -> list[str]:
        """The arguments of cli.py, without the interpreter; the project by the name that it has now."""
        try:
            content = json.loads(unseal((self.folder / _COMMAND).read_bytes()))
        except (OSError, ValueError):
            notice(
                Failed(
                    f"{self.folder / _COMMAND} is missing or damaged: what the run was asked is not known. Everything "
                    f"else goes on. Delete the folder {self.folder}, or: python cli.py check PROJECT --repair."
                )
            )
            return []
        arguments = [str(argument) for argument in content["arguments"]]
        former = content.get("project", self.project.name)
        if (
            former != self.project.name and former in arguments[1:]
        ):  # Renamed, or restored as another.
            arguments[arguments.index(former, 1)] = self.project.name
        return arguments

    @property
    def command(self) -> str:
        """The line that does the same in a terminal."""
        return shlex.join(["python", "cli.py", *self.arguments])

    @property
    def events_file(self) -> Path:
        """What is reported for curves, a line each."""
        return self.folder / _EVENTS

    @property
    def checkpoints(self) -> Path:
        """Where the work keeps how far it came, if it does."""
        return self.folder / _CHECKPOINTS

    @property
    def verb(self) -> str:
        """The command's name: train, index, evaluate, ..."""
        return self.arguments[0] if self.arguments else ""

    @property
    def status(self) -> Status:
        """How the run stands now; a process that vanished makes it "interrupted"."""
        status = self.read()
        if status.state in OVER or self._alive():
            return status
        status = self.read()  # It may have ended, properly, between the two looks.
        if status.state in OVER:
            return status
        made = published_by(self.project.folder, self.id)
        if is_whole(self.arguments, made):
            note = f"Its process ended before it could say so, after all was published: {in_words(made)}."
            result = {**status.result, **result_of(self.arguments, made)}
            return status.ended("done", notes=[*status.notes, note], result=result)
        if status.state == "starting" and self.log():
            words = self.log().strip().splitlines()[-1]
            return status.ended("failed", error=f"It could not start: {words}")
        return status.ended(
            "interrupted",
            error="Its process ended without a word: it was killed, ran out of memory, or "
            f"the machine stopped. {_published(made)} Start it again.",
        )

    @property
    def published(self) -> list[Manifest]:
        """What it published and is still there, the oldest first."""
        return published_by(self.project.folder, self.id)

    @property
    def is_published(self) -> bool:
        """Whether it published what it was for."""
        return is_whole(self.arguments, self.published)

    def events(self) -> list[dict[str, Any]]:
        """What was reported for curves: {"time", "done", "total", "message", "metrics"}, oldest first."""
        try:
            lines = self.events_file.read_bytes().splitlines()
        except OSError:
            return []
        # The last line of a run that was killed may be cut short; what was changed does not pass its own sum.
        return [json.loads(line[:-9]) for line in lines if line[-8:] == _sum(line[:-9])]

    def problem_with_events(self) -> str | None:
        """What is wrong with the lines of its curve, in words; a last line that was cut short is not."""
        if os.path.lexists(self.events_file) and not self.events_file.is_file():
            return "The curve of a run is no file: it is drawn empty. Delete it."
        with suppress(OSError):
            lines = whole_lines(self.events_file.read_bytes())
            if wrong := sum(line[-8:] != _sum(line[:-9]) for line in lines):
                return f"{wrong:,} lines of a run's curve are damaged: they are left out of it."
        return None

    def add_event(self, event: dict[str, Any]) -> None:
        """Report something for curves: a line of JSON, a space, and the CRC-32 of that."""
        line = json.dumps(event).encode()
        with self.events_file.open("ab") as stream:
            stream.write(line + b" " + _sum(line) + b"\n")

    def log(self, characters: int = 4_000) -> str:
        """The end of what the process printed."""
        try:
            return (self.folder / _LOG).read_text(encoding="utf-8", errors="replace")[-characters:]
        except OSError:
            return ""

    def cancel(self, patience: float = 10.0) -> Status:
        """Ask the process to stop, wait, and kill it if it does not; returns how the run ended."""
        status = self.status
        if status.state in OVER:
            return status
        process = self._process(status)
        with suppress(OSError):  # It may be in another container: there no signal reaches it.
            (self.folder / _CANCEL).touch()
        try:
            if process is not None:
                process.terminate()
                process.wait(patience)
        except psutil.TimeoutExpired:
            if process is not None:
                process.kill()
        except psutil.NoSuchProcess:
            pass
        deadline = time.time() + (2.0 if process is not None else patience)
        while self._alive() and time.time() < deadline:
            time.sleep(0.05)
        last = self.read()
        if last.state in OVER or self._alive():
            return last
        last = self.status
        if last.state != "done":
            last = last.ended("cancelled", error=None, updated=time.time())
        self.write(last)
        return last

    @property
    def asked_to_stop(self) -> bool:
        """Whether somebody cancelled it who may not be able to send it a signal."""
        return (self.folder / _CANCEL).exists()

    def read(self) -> Status:
        """How the run stands as its folder tells it, whether its process lives or not."""
        try:
            status = Status.model_validate_json(unseal((self.folder / _STATUS).read_bytes()))
        except (OSError, ValueError):
            return Status(
                state="failed",
                message=UNREADABLE,
                error=f"{self.folder / _STATUS} is missing or damaged.",
            )
        # A process that has not yet reported itself: whom did the starter start?
        if status.pid is None:
            with suppress(OSError, ValueError):
                known = json.loads(unseal((self.folder / _PROCESS).read_bytes()))
                status = status.model_copy(update=known)
        return status

    def write(self, status: Status) -> None:
        """Replace what the folder tells."""
        write_atomically(self.folder / _STATUS, seal(status.model_dump_json()))

    def _alive(self) -> bool:
        return is_owned(self.owner_file)

    @property
    def owner_file(self) -> Path:
        """What the run's process owns as long as it lives, whatever container it is in."""
        return self.folder / _OWNER

    @staticmethod
    def _process(status: Status) -> psutil.Process | None:
        """The run's process, to send it a signal, told from a later one of the same number by its start time."""
        if status.pid is None:
            return None
        try:
            process = psutil.Process(status.pid)
            same = process.create_time() == status.process_started
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None


def runs(project: Project) -> list[Run]:
    """All runs of a project, the newest first."""
    parent = project.folder / "runs"
    if not parent.is_dir():
        return []
    try:
        # A folder that holds neither is being made at this moment.
        names = [
            f.name
            for f in parent.iterdir()
            if f.name[0] != "." and (os.path.lexists(f / _STATUS) or (f / _COMMAND).is_file())
        ]
    except OSError:
        return []
    return [Run(project, name) for name in sorted(names, reverse=True)]


def going_on(project: Project) -> list[Run]:
    """The runs of a project that go on now, the newest first; the others are not looked at."""
    owned = sorted((project.folder / "runs").glob(f"[!.]*/{_OWNER}"), reverse=True)
    found = (Run(project, path.parent.name) for path in owned)
    return [run for run in found if run.status.state not in OVER]


def start(project: Project, arguments: Sequence[str]) -> Run:
    """Start `python cli.py ARGUMENTS` in a process of its own; returns at once.

    :param project: the project it works for; the run's folder is made in it.
    :param arguments: the command line after `cli.py`.
    """
    run, owner = owned_run(project, arguments)
    _launch(run, owner)
    return run


def resumable(run: Run) -> bool:
    """Whether a run ended before its time and left something to go on from."""
    return run.status.state in _STOPPED and run.checkpoints.is_dir() and bool(run.arguments)


def stopped_run(project: Project, identity: str | None = None) -> Run:
    """The run of that id, or the newest, that can be resumed.

    :raises Refused: when there is none.
    """
    for run in runs(project):
        if identity in (None, run.id) and resumable(run):
            return run
    which = f"The run {identity!r}" if identity else "None of the project's runs"
    raise Refused(
        f"{which} can be resumed: only a training that was stopped before its end, and kept how far it came, can. "
        "Start it again."
    )


def made_ready_again(run: Run) -> Run:
    """Let the folder of a stopped run be used by a second process; it goes on from the checkpoints there."""
    for name in (
        _PROCESS,
        _EVENTS,
        _CANCEL,
    ):  # Of the process that is gone; the curve is told again.
        (run.folder / name).unlink(missing_ok=True)
    run.write(Status())
    return run


def resume(run: Run) -> Run:
    """Start the command of a stopped run again, in a process of its own and in the same folder."""
    owner = Owner.take(run.owner_file)
    _launch(made_ready_again(run), owner)
    return run


def unreported(project: Project, arguments: Sequence[str]) -> Run | None:
    """The last run of the same command, where its process ended after it published something and before it said how
    it ended; None where the last one did say so.
    """
    for run in runs(project):
        if run.arguments != list(arguments):
            continue
        status = run.read()
        if status.state in OVER or is_owned(run.owner_file):
            return None
        if published_by(project.folder, run.id):
            return run
    return None


def _published(made: Sequence[Manifest]) -> str:
    return f"Published before that: {in_words(made)}." if made else "Nothing was published."


def _launch(run: Run, owner: Owner) -> None:
    """Start the process of a run; what it says beside its result, which may be of texts, goes into the log of its folder."""
    arguments = run.arguments
    # The open lock is handed over, so there is no moment at which nobody owns the run.
    with owner.handed_over(), (run.folder / _LOG).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).parents[2] / "cli.py"), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            env=child_environment(run.folder, audit.person()),
            start_new_session=True,
            pass_fds=[owner.handle],
        )
    threading.Thread(target=process.wait, daemon=True).start()  # Leaves no zombie behind.
    if run.verb in _IN_THE_BACKGROUND:
        _stand_back(process.pid)
    # Who works for a run that has not yet reported itself: a file that only the starter writes.
    with suppress(psutil.Error):
        started = psutil.Process(process.pid).create_time()
        known = {"pid": process.pid, "process_started": started}
        write_atomically(run.folder / _PROCESS, seal(json.dumps(known)))


def _stand_back(pid: int) -> None:
    """Let long work come after what people wait for, and leave them a core; its threads are not there yet, and inherit it."""
    with suppress(psutil.Error, OSError, AttributeError):  # Not every system has it.
        process = psutil.Process(pid)
        process.nice(_NICENESS)
        cores = process.cpu_affinity() or []
        if len(cores) > 1:
            process.cpu_affinity(cores[:-1])


def new_run(project: Project, arguments: Sequence[str]) -> Run:
    """The folder of a new run of a command, which nobody works for yet."""
    run, owner = owned_run(project, arguments)
    owner.release()
    return run


def owned_run(project: Project, arguments: Sequence[str]) -> tuple[Run, Owner]:
    """The folder of a new run of a command, owned by this process from its first moment on."""
    run = Run(project, new_id())
    content = {"arguments": list(arguments), "project": project.name, "created": now()}
    # One at a time begins and sweeps: a folder that is being made belongs to nobody yet.
    lock = project_lock(project.folder.parent, f"{project.name}/runs")
    with exclusive(lock, f"the runs of {project.name!r}"):
        project.complete()
        sweep(project.folder)
        _sweep(run.folder.parent)
        draft = Run(project, f".{run.id}")
        draft.folder.mkdir(parents=True)
        owner = Owner.take(draft.owner_file)
        try:
            draft.write(Status())
            write_atomically(draft.folder / _COMMAND, seal(json.dumps(content)))
            draft.folder.rename(run.folder)
        except BaseException:
            owner.release()
            shutil.rmtree(draft.folder, ignore_errors=True)
            raise
        owner.path = run.owner_file
    return run, owner


def _sweep(parent: Path) -> None:
    """Remove what processes that were killed while they wrote about their runs left behind."""
    for leftover in parent.glob("*/.*"):
        if not is_owned(leftover.parent / _OWNER):
            leftover.unlink(missing_ok=True)
    for owner in parent.glob(f"*/{_OWNER}"):
        if not is_owned(owner):
            with suppress(OSError, Refused):
                Owner.take(owner).release()
    for draft in parent.glob(".*"):
        shutil.rmtree(draft, ignore_errors=True)
