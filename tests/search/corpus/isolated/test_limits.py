"""Whatever a reader does, it is ended within its limits, its file is listed, and the other files come in."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from search.corpus.corpus import current_corpus
from search.corpus.ingest import add_documents
from search.corpus.isolated import door
from search.corpus.isolated.limits import PREVIEW, Allowance, OverLimit, for_file
from search.corpus.isolated.process import Child, Spare
from search.corpus.readers.tables import open_report
from search.projects.errors import Refused
from search.projects.project import Project
from search.projects.settings import settings

MB = 1_000_000
WORKER = "tests.search.corpus.isolated.bad_readers"
REPOSITORY = Path(__file__).resolve().parents[4]
# What a machine that is busy may take without being near a limit: only the one that is meant is reached.
ALLOWED = {
    "memory": Allowance(250 * MB, 600, 600),
    "processor time": Allowance(2_000 * MB, 0.5, 600),
    "time": Allowance(2_000 * MB, 600, 1.5),
    "answer": Allowance(2_000 * MB, 600, 600),
}
KINDS = {
    "at_once": "memory", "in_steps": "memory", "numpy_array": "memory", "mapped": "memory", "small_objects": "memory",
    "threads_that_allocate": "memory", "one_long_row": "memory", "child_that_allocates": "memory", "no_memory": "memory",
    "busy": "processor time", "busy_threads": "processor time", "busy_without_a_break": "processor time",
    "deaf": "processor time", "endless_rows": "processor time", "endless_refusals": "processor time",
    "child_that_is_busy": "processor time",
    "asleep": "time", "napping": "time", "stopped": "time", "half_a_file": "time", "child_that_left": "time",
    "too_deep": "answer", "surprised": "answer", "leaves": "answer", "leaves_at_once": "answer", "aborts": "answer",
    "closes_its_pipe": "answer", "garbles": "answer",
}  # fmt: skip
BAD_SIZE = 1_234


@pytest.fixture
def children(monkeypatch):
    """The children that were started meanwhile; all of them can be bad."""
    started = []

    def start():
        started.append(Child(WORKER))
        return started[-1]

    spare = Spare(start)
    monkeypatch.setattr(door, "SPARE", spare)
    yield started
    for child in started:
        child.end()


def a_bad_file(folder, kind):
    path = folder / f"bad-{kind}.csv"
    path.write_text(f"id,text\n{'x' * (BAD_SIZE - 8)}")
    return path


def a_project():
    return Project(settings().home / "isolated").create()


def limit(monkeypatch, allowed):
    real = door.for_file
    monkeypatch.setattr(door, "for_file", lambda size: allowed if size == BAD_SIZE else real(size))


def test_a_file_may_take_500_mb_and_twice_its_size_up_to_4_gb_and_2_s_a_mb():
    assert for_file(0) == Allowance(500 * MB, 10, 40)
    assert for_file(100 * MB) == Allowance(700 * MB, 210, 840)
    assert for_file(3_000 * MB).memory == 4_000 * MB
    assert (PREVIEW.memory, PREVIEW.seconds) == (500 * MB, 10)


@pytest.mark.sample(4)
@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_reader_over_its_limit_is_ended_and_the_other_files_come_in(
    kind, tmp_path, children, monkeypatch
):
    limit(monkeypatch, ALLOWED[KINDS[kind]])
    good = [tmp_path / "first.csv", tmp_path / "last.csv"]
    good[0].write_text("id,text\na,A tenant pays rent\nb,A landlord repairs the roof\n")
    good[1].write_text("id,text\nc,A court hears both\n")
    bad = a_bad_file(tmp_path, kind)
    project = a_project()
    made = add_documents(project, [good[0], bad, good[1]])
    _, corpus = current_corpus(project)
    assert corpus.ids() == ["a", "b", "c"]
    assert [row.where for row in made.listed] == [bad.name]
    assert made.listed[0].reason.startswith(f"{bad.name} was not read: ")
    assert len(children) == 2
    with pytest.raises(OverLimit) as refused:
        list(door.read_documents(bad, open_report(bad)))
    assert refused.value.limit == KINDS[kind]
    started = [child._process.pid for child in children]
    if (grandchild := bad.with_suffix(".pid")).exists():
        started.append(int(grandchild.read_text()))
    assert not any(map(runs, started))


def runs(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_reader_that_fails_says_its_kind_and_none_of_the_text(tmp_path, children):
    bad = a_bad_file(tmp_path, "surprised")
    with pytest.raises(OverLimit) as refused:
        list(door.read_documents(bad, open_report(bad)))
    assert str(refused.value) == (
        "bad-surprised.csv was not read: its reader failed by an error that was not foreseen (ZeroDivisionError). "
        "Save it as JSONL, CSV or plain text, or split it, and add it again."
    )


def test_what_a_reader_prints_harms_nobody(tmp_path, children, capfd):
    bad = a_bad_file(tmp_path, "talks")
    assert [d.id for d in door.read_documents(bad, open_report(bad))] == ["talker"]
    assert capfd.readouterr() == ("", "")


def test_a_file_alone_that_takes_too_much_is_refused_whole(tmp_path, children, monkeypatch):
    limit(monkeypatch, ALLOWED["time"])
    project = a_project()
    with pytest.raises(
        OverLimit, match=r"bad-half_a_file.csv was not read: its reader gave no answer within 2 s"
    ):
        add_documents(project, [a_bad_file(tmp_path, "half_a_file")])
    assert project.newest("corpora") is None


def test_a_child_is_used_for_all_files_of_an_upload_and_for_no_other(tmp_path, children):
    files = [tmp_path / f"{number}.csv" for number in range(3)]
    for number, path in enumerate(files):
        path.write_text(f"id,text\n{number},text number {number}\n")
    add_documents(a_project(), files)
    assert len(children) == 1
    assert not runs(children[0]._process.pid)


def test_a_child_that_was_not_needed_serves_the_next(children):
    spare = door.SPARE
    spare.prepare()
    first = spare.take()
    spare.give_back(first)
    assert spare.take() is first


def test_a_child_knows_no_key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    monkeypatch.setenv("HF_TOKEN", "secret")
    child = Child()
    try:
        assert "secret" not in psutil.Process(child._process.pid).environ().values()
    finally:
        child.end()


def test_the_readers_refusals_and_the_systems_errors_come_through(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,body\n")
    with pytest.raises(Refused, match="There is no file"):
        door.preview_documents(tmp_path / "none.csv")
    with pytest.raises(Refused, match=r"a.csv has no column 'nothing'"):
        list(door.read_documents(path, open_report(path), door.DocumentColumns(text="nothing")))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["asleep", "busy_threads"])
def test_a_child_ends_with_its_parent(kind, tmp_path):
    bad = a_bad_file(tmp_path, kind)
    code = (
        "import sys\nfrom pathlib import Path\nfrom search.corpus.isolated import door\n"
        "from search.corpus.isolated.process import Child, Spare\n"
        "from search.corpus.readers.tables import open_report\n"
        f"child = Child({WORKER!r})\ndoor.SPARE = Spare(lambda: child)\n"
        "print(child._process.pid, flush=True)\npath = Path(sys.argv[1])\n"
        "list(door.read_documents(path, open_report(path)))\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(bad)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    child = psutil.Process(int(parent.stdout.readline()))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert child.wait(timeout=60) is None or not child.is_running()
