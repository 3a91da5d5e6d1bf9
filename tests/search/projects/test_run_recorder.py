"""Work that is recorded in this process: what it tells, how it ends, what a signal does to it."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from search.projects.errors import Cancelled, Failed, Refused
from search.projects.progress import silent
from search.projects.project import Project
from search.projects.run_recorder import recorded
from search.projects.runs import Run, new_run, runs
from tests.conftest import REPOSITORY


def _record(plain, work, also=silent):
    with recorded(plain, ["index", "plain"], also) as recorder:
        work(recorder)
    return runs(plain)[0]


def test_the_recorder_writes_progress_events_notes_and_result(plain):
    told, seen = [], []

    def work(recorder):
        seen.append(recorder.run.status.state)
        recorder(1, 4, "one", {"loss": 0.5})
        seen.append(recorder.run.status.message)
        recorder(2, 4, "two")
        recorder.note("mind the gap")
        recorder.result(model="m")
        recorder.result(id="7")

    run = _record(plain, work, lambda *report: told.append(report))
    status = run.status
    assert seen == ["running", "one"]
    assert (status.state, status.message, status.done, status.total) == ("done", "two", 2, 4)
    assert (status.notes, status.result) == (["mind the gap"], {"model": "m", "id": "7"})
    assert status.pid == os.getpid()
    assert [(e["done"], e["total"], e["metrics"]) for e in run.events()] == [(1, 4, {"loss": 0.5})]
    assert told == [(1, 4, "one", {"loss": 0.5}), (2, 4, "two", None)]


@pytest.mark.parametrize(
    ("error", "state", "text"),
    [
        (Failed("The disk is full."), "failed", "The disk is full."),
        (Cancelled("stop"), "cancelled", None),
        (KeyboardInterrupt(), "cancelled", None),
    ],
)
def test_how_work_ends_is_recorded_and_raised(plain, error, state, text):
    def work(recorder):
        recorder(1, 2, "half")
        raise error

    with pytest.raises(type(error)):
        _record(plain, work)
    (run,) = runs(plain)
    assert (run.status.state, run.status.message, run.status.error) == (state, state, text)


def test_an_error_that_nobody_foresaw_is_a_failure_with_a_file(plain):
    def work(recorder):
        raise ValueError("odd")

    with pytest.raises(Failed, match=r"not foreseen \(ValueError: odd\)"):
        _record(plain, work)
    (run,) = runs(plain)
    log = run.folder / "error.log"
    assert run.status.state == "failed" and str(log) in run.status.error
    assert 'raise ValueError("odd")' in log.read_text()


def test_refused_work_leaves_nothing(tmp_path):
    new = Project(tmp_path / "new")

    def work(recorder):
        recorder(1, 2, "half", {"loss": 1.0})
        raise Refused("no")

    with pytest.raises(Refused):
        _record(new, work)
    assert not new.folder.exists()


# A signal that is not caught ends whoever gets it: these get it in a process of their own.
SENT = """
import os, signal, sys, time
from pathlib import Path
from search.projects.errors import Cancelled
from search.projects.progress import silent
from search.projects.run_recorder import recorded
from search.projects.project import Project

number, swallows = int(sys.argv[2]), sys.argv[3] == "swallows"
before = signal.getsignal(number)
try:
    with recorded(Project(Path(sys.argv[1])), ["index", "plain"], silent) as recorder:
        try:
            os.kill(os.getpid(), number)
            time.sleep(5)
        except Exception:  # as a library may do
            if not swallows:
                raise
            recorder.note("swallowed")
        recorder(2, 2, "on as if nothing had happened")
except Cancelled:
    print("cancelled", signal.getsignal(number) is before)
"""


def _sent(plain, number, swallows):
    command = [sys.executable, "-c", SENT, str(plain.folder), str(int(number)), swallows]
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (0, "cancelled True\n"), done.stderr
    return runs(plain)[0].status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_cancels_and_handlers_come_back(plain, number):
    assert _sent(plain, number, "raises").state == "cancelled"


def test_a_cancel_that_a_library_swallows_is_told_at_the_next_step(plain):
    status = _sent(plain, signal.SIGTERM, "swallows")
    assert (status.state, status.notes) == ("cancelled", ["swallowed"])


def test_work_outside_the_main_thread_is_recorded_too(plain):
    thread = threading.Thread(target=_record, args=(plain, lambda recorder: recorder(1, 1, "x")))
    thread.start()
    thread.join()
    assert runs(plain)[0].status.state == "done"


def test_a_process_started_for_a_run_records_into_it(plain, monkeypatch):
    asked = new_run(plain, ["index", "plain"])
    monkeypatch.setenv("BESPOKE_RUN", str(asked.folder))
    run = _record(plain, lambda recorder: recorder(1, 1, "x"))
    assert run.id == asked.id
    assert run.status.state == "done"
    with pytest.raises(Refused):
        _record(plain, _refuse)
    assert Run(plain, asked.id).status.state == "refused", "its folder stays for whoever started it"
    other = Project(plain.folder.parent / "other").create()
    assert _record(other, lambda recorder: recorder(1, 1, "x")).id != asked.id


def _refuse(recorder):
    raise Refused("no")
