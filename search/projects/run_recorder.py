"""Work that writes down how it goes: the run it belongs to can be watched, cancelled and found again."""

import shutil
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psutil

from search.projects import errors
from search.projects.damage import noticed
from search.projects.errors import AlreadyDone, AlreadyThere, BespokeError, Cancelled, Refused
from search.projects.locks import Owner, is_owned, waiting_progress
from search.projects.outcome import in_words, result_of
from search.projects.pace import Pace
from search.projects.progress import Progress
from search.projects.project import Project
from search.projects.publishing import RunMark, run_mark
from search.projects.quoting import without_quotations
from search.projects.runs import Run, State, Status, owned_run, unreported
from search.projects.settings import settings
from search.projects.unexpected import unexpected

_WRITE_EVERY = 0.25


@contextmanager
def recorded(project: Project, arguments: Sequence[str], also: Progress) -> Iterator["Recorder"]:
    """Run the block as a run: the one this process was started for, or a new one.

    :param arguments: the command line after `cli.py`, for a new run.
    :param also: a second progress that is told too (the terminal's bar).
    """
    folder = settings().run_folder
    own = folder is None or folder.parent != project.folder / "runs"
    owner: Owner | None
    if folder is None or own:
        earlier = unreported(project, arguments)
        run, owner = owned_run(project, arguments)
    else:
        run = Run(project, folder.name)
        earlier = run if run.published else unreported(project, arguments)
        # Who started this process mostly handed it over.
        owner = None if is_owned(run.owner_file) else Owner.take(run.owner_file)
    with _owned(run, owner):
        recorder = Recorder(run, also)
        mark = run_mark.set(RunMark(run.id, earlier.id if earlier else None))
        waits = waiting_progress.set(recorder.waiting)
        try:
            with _cancel_on_signal(recorder):
                yield from _recorded(recorder, earlier, own)
        finally:
            waiting_progress.reset(waits)
            run_mark.reset(mark)


def _recorded(recorder: "Recorder", earlier: Run | None, own: bool) -> Iterator["Recorder"]:
    """The work, and how it ended: done, where what it was for is published, whatever came after that."""
    run = recorder.run
    try:
        yield recorder
    except BaseException as error:
        if isinstance(error, Exception) and not run.folder.exists():
            noticed()  # What is missing is not damaged.
            raise run.project.is_gone() from error
        if isinstance(error, AlreadyThere) and earlier is not None and earlier.is_published:
            raise recorder.done_before(earlier) from error
        if run.is_published:
            raise recorder.done_although(error) from error
        known = isinstance(error, BespokeError | KeyboardInterrupt | SystemExit)
        if recorder.cancelled or known:
            recorder.end(error)
            if own and isinstance(error, Refused):
                recorder.forget()
            raise
        failed = unexpected(error, run.folder)
        recorder.end(failed)
        raise failed from error
    recorder.end(None)


@contextmanager
def _owned(run: Run, owner: Owner | None) -> Iterator[None]:
    """Own the run while the block runs; without an owner, another open file of this process does."""
    try:
        yield
    finally:
        if owner is not None:
            owner.release()
        with suppress(OSError):
            run.owner_file.unlink()


class Recorder:
    """Writes a run's status and events while the work goes on."""

    def __init__(self, run: Run, also: Progress) -> None:
        self.run = run
        self.cancelled = False
        self._also = also
        self._written = 0.0
        self._pace = Pace()
        process = psutil.Process()
        self._status = Status(
            state="running",
            message="starting",
            started=run.read().started,
            pid=process.pid,
            process_started=process.create_time(),
        )
        run.write(self._status)

    def __call__(
        self, done: float, total: float, message: str, metrics: dict[str, float] | None = None
    ) -> None:
        """The progress callable of the work."""
        if self._status.state == "waiting":
            self._status = self._status.model_copy(update={"state": "running"})
            self._pace = Pace()
        self._say(done, total, message, metrics)

    def _say(
        self, done: float, total: float, message: str, metrics: dict[str, float] | None = None
    ) -> None:
        moment = time.time()
        if moment - self._written >= _WRITE_EVERY and self.run.asked_to_stop:
            self.cancelled = True
        if self.cancelled:
            raise Cancelled("Cancelled. Nothing was published.")
        fresh = message != self._status.message
        self._status = self._status.model_copy(
            update={"done": done, "total": total, "message": message, "updated": moment}
        )
        share = self._status.share
        pace = None if share is None else self._pace.seen(moment, share)
        self._status = self._status.model_copy(update={"pace": pace})
        if metrics:
            event = {"time": moment, "done": done, "total": total, "message": message}
            event["metrics"] = metrics
            with suppress(OSError):  # Work does not end because nobody can be told how far it is.
                self.run.add_event(event)
        if fresh or moment - self._written >= _WRITE_EVERY:
            self._write()
            self._written = moment
        self._also(done, total, message, metrics)

    def waiting(self, sentence: str) -> None:
        """Say that the work waits, and for what."""
        self._status = self._status.model_copy(update={"state": "waiting"})
        self._say(self._status.done, self._status.total, sentence)

    def done_before(self, earlier: Run) -> AlreadyDone:
        """It was done by an equal run, which could not say so."""
        self._adopt(earlier)
        return AlreadyDone(
            f"This was done already: {in_words(earlier.published)}, by the run {earlier.id}, which was stopped before "
            "it could say so."
        )

    def done_although(self, error: BaseException) -> AlreadyDone:
        """It is done, although something failed after all was published."""
        self._adopt(self.run)
        said = "it was cancelled" if isinstance(error, Cancelled) else _in_words(error).rstrip(".")
        return AlreadyDone(
            f"This is done: {in_words(self.run.published)}. What came after publishing was not: {said}."
        )

    def _adopt(self, run: Run) -> None:
        self.cancelled = False
        self.result(**result_of(run.arguments, run.published))
        self.end(None)

    def _write(self) -> None:
        with suppress(OSError):  # What was published says how it ended; see `Run.status`.
            self.run.write(self._status)

    def note(self, text: str) -> None:
        """Something the person should read when the run is over."""
        notes = [*self._status.notes, without_quotations(text, self.run.arguments)]
        self._status = self._status.model_copy(update={"notes": notes})

    def result(self, **facts: Any) -> None:
        """Facts about what was made (ids, names), for the page that watches."""
        self._status = self._status.model_copy(update={"result": {**self._status.result, **facts}})

    def end(self, error: BaseException | None) -> None:
        """Write how it ended."""
        state: State = "done"
        if isinstance(error, Cancelled | KeyboardInterrupt) or (error and self.cancelled):
            state = "cancelled"
        elif isinstance(error, Refused):
            state = "refused"
        elif error is not None:
            state = "failed"
        text = None
        if error is not None and state != "cancelled":
            text = without_quotations(_in_words(error), self.run.arguments)
        said = {"message": self._status.message} if state == "done" else {}
        self._status = self._status.ended(state, error=text, updated=time.time(), **said)
        self._write()

    def forget(self) -> None:
        """Remove the run's folder: the input was refused, so nothing happened."""
        shutil.rmtree(self.run.folder)
        self.run.project.discard_if_empty()


def _in_words(error: BaseException) -> str:
    if isinstance(error, BespokeError):
        return str(error)
    if isinstance(error, OSError):
        named = f"{error.filename}: " if error.filename else ""
        return named + errors.in_words(error)
    return f"{type(error).__name__}: {error}"


@contextmanager
def _cancel_on_signal(recorder: Recorder) -> Iterator[None]:
    """Turn SIGTERM and SIGINT into `Cancelled`, so that drafts are cleaned up on the way out."""

    def cancel(_signal: int, _frame: object) -> None:
        if not recorder.cancelled:
            recorder.cancelled = True
            raise Cancelled("Cancelled. Nothing was published.")

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {s: signal.signal(s, cancel) for s in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
