"""Work that is recorded in this process: what it tells, how it ends, what a signal does to it."""

import os
import shutil
import signal
import subprocess
import sys
import threading

import pytest

from search.projects.damage import noticed
from search.projects.errors import AlreadyDone, AlreadyThere, Cancelled, Failed, Refused
from search.projects.progress import silent
from search.projects.project import Project
from search.projects.run_recorder import Recorder, recorded
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

    with pytest.raises(Failed, match=r"not foreseen \(ValueError\)"):
        _record(plain, work)
    (run,) = runs(plain)
    log = run.folder / "error.log"
    assert run.status.state == "failed" and str(log) in run.status.error
    assert 'raise ValueError("odd")' in log.read_text()


def test_who_works_in_a_project_that_is_deleted_is_told_that_it_is_gone(plain):
    """What is missing then is neither damaged nor to be brought back from a backup."""
    work = recorded(plain, ["index", "plain"], silent)
    with pytest.raises(Refused, match="The project 'plain' is gone: somebody deleted"), work:
        shutil.rmtree(plain.folder)
        plain.manifests("corpora")
        raise Failed("corpus.sqlite cannot be opened")
    assert noticed() == []
    assert not plain.folder.exists()


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
from search.projects.run_recorder import Recorder, recorded
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


# --- a run that could not say how it ended ---


ADD = ["add", "plain", "a.txt"]


def publish(plain, recorder, kind="corpora", content="a"):
    """What the work of a command does: a version of its own."""
    with plain.publish(kind) as draft:
        (draft.folder / "content").write_text(content)
    recorder(1, 1, "published")
    return draft.id


def killed(plain, arguments=ADD, kind="corpora"):
    """A run whose process was killed between publishing and reporting."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Recorder, "end", lambda *_: None)
        with recorded(plain, arguments, silent) as recorder:
            publish(plain, recorder, kind)
    run = runs(plain)[0]
    assert run.read().state == "running"
    return run


def test_a_run_that_was_killed_after_publishing_is_done(plain):
    run = killed(plain)
    assert run.status.state == "done"
    (made,) = plain.manifests("corpora")
    assert run.status.result == {"id": made.id}
    assert run.status.notes == [
        f"Its process ended before it could say so, after all was published: the corpus {made.id}."
    ]
    plain.remove(made)
    assert run.status.state == "interrupted", "what is gone again is not done"


def test_what_a_command_makes_on_the_way_is_not_what_it_is_for(plain):
    run = killed(plain, ["train", "plain", "--recipe", "adapter"], "indexes")
    assert run.status.state == "interrupted"
    (made,) = plain.manifests("indexes")
    assert f"Published before that: the index {made.id}." in run.status.error


def test_the_same_command_again_is_done_and_makes_no_second_version(plain):
    """One that would be refused, for its documents are there, and one that would publish the same again."""
    run = killed(plain)

    def nothing_new(recorder):
        raise AlreadyThere("Nothing was added.")

    with pytest.raises(AlreadyDone, match="This was done already: the corpus") as done:
        _again(plain, nothing_new)
    assert run.id in str(done.value)
    assert done.value.exit_status == 0
    (made,) = plain.manifests("corpora")
    assert (runs(plain)[0].status.state, runs(plain)[0].status.result) == ("done", {"id": made.id})
    with pytest.raises(AlreadyThere):  # That one has said how it ended: this is another wish.
        _again(plain, nothing_new)

    other = ["queries", "plain", "q.jsonl"]
    killed(plain, other, "queries")
    ids = []
    _again(plain, lambda recorder: ids.append(publish(plain, recorder, "queries")), other)
    assert [made.id for made in plain.manifests("queries")] == ids
    _again(plain, lambda recorder: ids.append(publish(plain, recorder, "queries")), other)
    assert [made.id for made in plain.manifests("queries")] == ids
    assert len(set(ids)) == 2, "who asks for it again, after it was said to be done, gets it again"
    killed(plain, other, "queries")
    _again(plain, lambda recorder: publish(plain, recorder, "queries", "changed"), other)
    assert len(plain.manifests("queries")) == 4, "the file was changed in between"
    assert not list(plain.folder.rglob(".*"))


def _again(plain, work, arguments=ADD):
    with recorded(plain, arguments, silent) as recorder:
        work(recorder)


def test_another_command_does_not_pass_for_the_one_that_was_killed(plain):
    killed(plain)

    def nothing_new(recorder):
        raise AlreadyThere("Nothing was added.")

    with pytest.raises(AlreadyThere):
        _again(plain, nothing_new, ["add", "plain", "b.txt"])
    killed(plain, ["train", "plain", "--name", "m"], "reports")
    with pytest.raises(AlreadyThere):  # It published something, but not a model.
        _again(plain, nothing_new, ["train", "plain", "--name", "m"])


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), Cancelled("stop"), Refused("no")]
)
def test_what_fails_after_publishing_does_not_undo_that_it_is_done(plain, error):
    def work(recorder):
        publish(plain, recorder)
        raise error

    with pytest.raises(
        AlreadyDone, match=r"This is done: the corpus .* after publishing was not: "
    ):
        _again(plain, work)
    assert runs(plain)[0].status.state == "done"
    assert len(plain.manifests("corpora")) == 1


def test_a_disk_that_is_full_when_it_ends_does_not_make_it_fail(plain, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    def work(recorder):
        with monkeypatch.context() as patched:
            patched.setattr(Run, "add_event", full)
            recorder(1, 2, "half", {"loss": 1.0})
        publish(plain, recorder)
        monkeypatch.setattr(Run, "write", full)
        recorder(2, 2, "nearly")

    _again(plain, work)
    monkeypatch.undo()
    assert runs(plain)[0].read().state == "running"
    assert runs(plain)[0].status.state == "done"


def test_work_that_waits_says_for_whom_and_can_be_cancelled(plain):
    waits, held, errors = threading.Event(), threading.Event(), []

    def hold():
        with plain.locked():
            held.set()
            waits.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()

    def stop(done, total, message, metrics=None):
        if message.startswith("waiting"):
            errors.append((message, runs(plain)[0].status.message))
            waits.set()
            raise Cancelled("Cancelled.")

    with pytest.raises(Cancelled), recorded(plain, ADD, stop) as recorder:
        publish(plain, recorder)
    holder.join()
    ((message, seen),) = errors
    assert message == seen
    assert message.startswith("waiting for the project 'plain': ")
    assert f"process {os.getpid()} on " in message
    assert plain.manifests("corpora") == []


def test_a_cancel_from_another_container_is_heard_without_a_signal(plain):
    def work(recorder):
        (recorder.run.folder / "cancel").touch()
        recorder._written = 0.0
        recorder(1, 2, "on")

    with pytest.raises(Cancelled):
        _again(plain, work)
    assert runs(plain)[0].status.state == "cancelled"
