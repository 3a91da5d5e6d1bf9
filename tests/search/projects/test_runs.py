"""Runs as they really are: commands in processes of their own, cancelled, killed and found again."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from killing import until

from search.projects.locks import Owner
from search.projects.project import project_to_be
from search.projects.runs import OVER, Run, Status, new_run, owned_run, resumable, runs, start
from search.retrieval.deletion import delete_project, planned_project

REPOSITORY = Path(__file__).resolve().parents[3]
LONG = ["--recipe", "word2vec", "--set", "epochs=1000", "--set", "min_count=1"]


@pytest.fixture(autouse=True)
def few_threads(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def project(workspace, import_tiny):
    made = project_to_be("p")
    import_tiny(made)
    return made


def ended(run):
    return until(lambda: run.status if run.status.state in OVER else None)


def working(run):
    """Wait until the training itself is under way."""

    def look():
        status = run.status
        assert status.state not in OVER, (status, run.log())
        return status if status.state == "running" and status.done >= 1 else None

    return until(look)


def owning(run, code):
    """A process that runs some code and owns a run, as one that was started for it."""
    owner = Owner.take(run.owner_file)
    with owner.handed_over():
        return subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, pass_fds=[owner.handle]
        )


def hidden(project):
    return [path for path in project.folder.rglob(".*") if not path.name.startswith(".status")]


# --- processes ---


def test_a_run_is_done_with_result_and_events(project):
    arguments = ["train", "p", "--recipe", "word2vec", "--name", "w", "--set", "epochs=5"]
    run = start(project, arguments)
    assert run.status.state in ("starting", "running")
    assert psutil.pid_exists(run.status.pid)
    status = ended(run)
    assert status.state == "done", run.log()
    (model,) = project.manifests("models")
    assert status.result is not None
    assert (status.result["model"], status.result["id"]) == ("w", model.id)
    # What is needed to have it again stands in the folder of the run, too.
    assert status.result["libraries"] == model.details["libraries"]
    assert status.result["data"] == {"corpus": project.manifests("corpora")[-1].id}
    assert status.error is None
    (shown,) = status.notes
    assert "would show a gain of" in shown
    assert (status.share, status.remaining) == (1.0, None)
    assert "epoch 5 of 5" in run.log()
    assert "is ready" not in run.log(), "results may be of texts: they stand in what was made"
    assert (run.verb, run.arguments) == ("train", arguments)
    assert run.command == "python cli.py train p --recipe word2vec --name w --set epochs=5"
    events = run.events()
    assert [event["metrics"]["epoch"] for event in events] == [1, 2, 3, 4, 5]
    assert [event["metrics"]["dev ndcg@10"] for event in events] == model.details["dev"]["ndcg@10"]
    assert [event["time"] for event in events] == sorted(event["time"] for event in events)
    elapsed = status.elapsed
    time.sleep(0.05)
    assert run.status.elapsed == elapsed > 0, "the clock stops with the run"
    (found,) = runs(project)
    assert (found.id, found.status) == (run.id, status)


def test_notes_of_the_work_are_kept(project, tiny_beir):
    with (tiny_beir / "corpus.jsonl").open("a", encoding="utf-8") as stream:
        stream.write("this is no JSON\n")
    run = start(project, ["import", "again", str(tiny_beir)])
    other = project_to_be("again")
    # It works for another project than the one whose page started it: it records itself there.
    until(lambda: runs(other) and runs(other)[0].status.state in OVER)
    status = runs(other)[0].status
    assert status.state == "done", run.log()
    assert any("corpus.jsonl: 1 rows left out (line 41" in note for note in status.notes)


def test_a_refused_run_says_why(project):
    run = start(project, ["train", "p", "--recipe", "magic"])
    status = ended(run)
    assert status.state == "refused"
    assert status.error.startswith("There is no recipe 'magic'. The recipes are: ")
    until(lambda: not psutil.pid_exists(status.pid))
    assert run.log().strip() == status.error, "one line, no traceback"
    assert run.folder.is_dir(), "whoever started it can read why"


def test_a_failed_run_says_why(project):
    corpus = project.folder_of(project.newest("corpora")) / "corpus.sqlite"
    corpus.write_bytes(corpus.read_bytes()[:-100])
    run = start(project, ["train", "p", "--recipe", "word2vec"])
    status = ended(run)
    assert status.state == "failed"
    assert "corpus.sqlite has" in status.error
    assert "Bring the folder" in status.error
    assert project.manifests("models") == []
    until(lambda: not psutil.pid_exists(status.pid))
    assert run.log().strip().splitlines()[-1] == status.error
    assert "Traceback" not in run.log()


def test_a_command_that_is_no_command_does_not_claim_to_have_been_killed(project):
    """The process ends before it can record itself: the log has the reason, not "it was killed"."""
    run = start(project, ["train", "p", "--no-such-option"])
    status = ended(run)
    assert status.state in ("refused", "failed")
    assert "no-such-option" in (status.error or "").replace("No such option", "no-such-option")


def test_cancelling_publishes_nothing(project):
    before = sorted(project.folder.glob("*/*"))
    run = start(project, ["train", "p", *LONG])
    pid = working(run).pid
    status = run.cancel()
    assert status.state == "cancelled"
    assert (status.message, status.error) == ("cancelled", None)
    until(lambda: not psutil.pid_exists(pid), seconds=5)
    assert project.manifests("models") == []
    assert hidden(project) == []
    assert sorted(p for p in project.folder.glob("*/*") if p.parent.name != "runs") == before
    assert run.status == status, "it stays so"
    assert Run(project, run.id).status == status, "for every reader"
    assert run.cancel() == status, "cancelling again changes nothing"
    assert run.log().strip().splitlines()[-1] == "Cancelled. Nothing was published."


def test_cancelling_while_a_draft_is_being_written_leaves_no_draft(project, tmp_path):
    folder = tmp_path / "large"
    (folder / "qrels").mkdir(parents=True)
    row = '{"_id": "n%d", "title": "", "text": "document number %d about velkorin and frost"}\n'
    with (folder / "corpus.jsonl").open("w") as stream:
        stream.writelines(row % (number, number) for number in range(300_000))
    (folder / "queries.jsonl").write_text('{"_id": "q", "text": "frost"}\n')
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\tn1\t1\n")
    run = start(project, ["import", "p", str(folder)])
    until(lambda: list((project.folder / "corpora").glob(".*.tmp/corpus.sqlite")))
    working(run)
    corpora = project.manifests("corpora")
    assert run.cancel().state == "cancelled", run.log()
    assert project.manifests("corpora") == corpora
    assert hidden(project) == []


def test_a_killed_run_is_interrupted_and_the_next_one_cleans_up(project):
    run = start(project, ["train", "p", *LONG])
    pid = working(run).pid
    assert Run(project, run.id).status.state == "running", "a second reader sees it running"
    psutil.Process(pid).kill()
    status = until(lambda: run.status if run.status.state == "interrupted" else None, seconds=10)
    assert "Its process ended without a word" in status.error
    assert Run(project, run.id).status.state == "interrupted"
    assert runs(project)[0].status.state == "interrupted"
    assert run.cancel().state == "interrupted", "there is nothing left to cancel"
    assert project.manifests("models") == []
    assert status.remaining is None


def test_a_process_that_does_not_listen_is_killed(project):
    """Cancel waits, then kills; the run is cancelled all the same."""
    run = new_run(project, ["train", "p"])
    process = owning(
        run,
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "print('deaf', flush=True); time.sleep(60)",
    )
    threading.Thread(target=process.wait, daemon=True).start()
    assert process.stdout.readline() == b"deaf\n"
    created = psutil.Process(process.pid).create_time()
    run.write(Status(state="running", pid=process.pid, process_started=created))
    assert run.cancel(patience=0.3).state == "cancelled"
    until(lambda: not psutil.pid_exists(process.pid), seconds=5)
    process.stdout.close()


@pytest.mark.parametrize("listens", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_what_goes_on_in_a_project_is_stopped_before_it_is_deleted(project, workspace, listens):
    run = new_run(project, ["train", "p"])
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN); " if not listens else ""
    code = f"import signal, time; {deaf}print('on', flush=True); time.sleep(60)"
    process = owning(run, code)
    assert process.stdout.readline() == b"on\n"
    threading.Thread(target=process.wait, daemon=True).start()
    created = psutil.Process(process.pid).create_time()
    run.write(Status(state="running", pid=process.pid, process_started=created))
    assert "What is going on in it is stopped first: train." in planned_project(project).notes
    delete_project(project)
    until(lambda: not psutil.pid_exists(process.pid), seconds=5)
    process.stdout.close()
    assert {path.name for path in workspace.iterdir()} <= {".locks", ".audit"}


@pytest.mark.slow
def test_a_real_training_is_stopped_and_brings_nothing_back(project, workspace):
    run = start(project, ["train", "p", *LONG])
    working(run)
    pid = run.status.pid
    delete_project(project)
    until(lambda: not psutil.pid_exists(pid), seconds=20)
    assert not project.folder.exists()
    assert not list(workspace.glob(".*.deleted"))


def test_a_command_in_a_terminal_is_a_run_too(project, run_cli):
    done = run_cli("train", "p", "--recipe", "word2vec", "--set", "epochs=2")
    assert done.returncode == 0, done.stderr
    (run,) = runs(project)
    assert (run.verb, run.status.state) == ("train", "done")
    assert run.command == "python cli.py train p --recipe word2vec --set epochs=2"
    assert run.status.result["model"] == "word2vec"


def test_a_command_that_is_refused_in_a_terminal_leaves_no_run(project, call_cli, workspace, tree):
    before = tree(workspace)
    refused = call_cli("train", "p", "--recipe", "word2vec", "--set", "epochs=0")
    assert refused.status == 2
    assert refused.err.strip().startswith("word2vec: epochs=0 cannot be used")
    assert len(refused.err.strip().splitlines()) == 1
    after = tree(workspace)
    after.pop("p/runs", None)  # the empty folder of runs may stay
    assert after == before


WITHOUT_STREAMLIT = """
import sys
import cli
for line in (
    ["train", "p", "--recipe", "word2vec", "--set", "epochs=1"],
    ["index", "p", "--model", "word2vec"],
    ["evaluate", "p", "--model", "bm25", "--model", "word2vec"],
):
    sys.argv = ["cli.py", *line]
    cli.app(line, standalone_mode=False)
for heavy in ("streamlit", "ui", "sentence_transformers"):
    assert heavy not in sys.modules, heavy
assert "gensim" in sys.modules
"""


def test_a_run_imports_no_streamlit_and_no_more_than_it_needs(project):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_STREAMLIT],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [run.verb for run in runs(project)] == ["evaluate", "index", "train"], "newest first"


# --- what a reader makes of a folder ---


def _written(plain, **fields):
    run = new_run(plain, ["index", "plain", "--model", "it's"])
    run.write(Status(**fields))
    return run


def test_a_run_lives_as_long_as_it_is_owned_whatever_process_numbers_say(plain):
    me = psutil.Process()
    own = {"state": "running", "pid": me.pid, "process_started": me.create_time()}
    run = _written(plain, **own)
    assert run.status.state == "interrupted", (
        "nobody owns it, though a process of that number lives"
    )
    assert run.cancel().state == "interrupted", "and a stranger is never killed"
    # In another container its number belongs to nobody, or to somebody else: no signal is sent.
    elsewhere = _written(plain, **{**own, "process_started": me.create_time() - 100})
    owner = Owner.take(elsewhere.owner_file)
    assert elsewhere.status.state == "running"
    assert elsewhere.cancel(patience=0.0).state == "running"
    assert elsewhere.asked_to_stop, "its process sees that at its next step"
    owner.release()
    assert elsewhere.status.state == "interrupted"


def test_a_run_is_starting_as_long_as_somebody_works_for_it(plain):
    assert _written(plain).status.state == "interrupted"
    run, owner = owned_run(plain, ["index", "plain"])
    assert run.status.state == "starting"
    owner.release()
    assert run.status.state == "interrupted"


def test_a_zombie_is_not_alive(plain):
    run = new_run(plain, ["index", "plain"])
    process = owning(run, "")
    created = psutil.Process(process.pid).create_time()
    run.write(Status(state="running", pid=process.pid, process_started=created))
    until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE, seconds=10)
    assert run.status.state == "interrupted"
    process.communicate()


@pytest.mark.parametrize("content", [b"", b"{", b'{"state": "flying"}', b"\xff\xfe"])
def test_a_damaged_status_is_a_failure_in_words(plain, content):
    run = _written(plain)
    (run.folder / "status.json").write_bytes(content)
    assert run.status.state == "failed"
    assert "missing or damaged" in run.status.error
    assert [found.id for found in runs(plain)] == [run.id]
    (run.folder / "status.json").unlink()
    assert run.status.state == "failed"
    assert [found.id for found in runs(plain)] == [run.id], "its command is there"
    (run.folder / "command.json").unlink()
    assert runs(plain) == []
    (run.folder / "status.json").mkdir()
    assert (run.status.state, run.arguments, run.verb) == ("failed", [], "")
    assert [found.id for found in runs(plain)] == [run.id]
    (run.folder / "checkpoints").mkdir()
    assert not resumable(run), "what it was asked is not known"


def test_a_changed_digit_of_a_run_is_noticed(plain):
    run = _written(plain, done=123.0)
    path = run.folder / "status.json"
    path.write_bytes(path.read_bytes().replace(b"123", b"128"))
    assert "missing or damaged" in run.status.error
    command = run.folder / "command.json"
    command.write_bytes(command.read_bytes().replace(b"index", b"judge"))
    assert run.arguments == []
    run.add_event({"done": 1})
    run.add_event({"done": 2})
    run.events_file.write_bytes(run.events_file.read_bytes().replace(b"2}", b"7}") + b"\xff\xfe\n")
    assert run.events() == [{"done": 1}]


def test_remaining_and_elapsed(monkeypatch):
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    # A quarter is done, a fortieth a second, said 4 s ago: 30 s were left then, 26 s now.
    running = {"state": "running", "total": 100, "pace": 0.025}
    status = Status(**running, done=25, started=now - 14, updated=now - 4)
    assert status.share == 0.25
    assert status.elapsed == pytest.approx(14)
    assert status.remaining == pytest.approx(26)
    late = Status(**running, done=90, started=now - 100, updated=now - 60)
    assert late.remaining == 0, "never negative"
    over = Status(state="done", done=100, total=100, started=now - 50, updated=now - 20)
    assert over.elapsed == pytest.approx(30)
    assert over.remaining is None


@pytest.mark.parametrize(
    "fields",
    [
        {"done": 0, "total": 0},
        {"done": 1, "total": 100},
        {"done": 50, "total": 100, "pace": None},
        {"done": 50, "total": 100, "pace": 0.1, "state": "cancelled"},
    ],
)
def test_remaining_is_unknown_when_it_cannot_be_told(fields):
    ago = fields.pop("ago", 20)
    status = Status(**{"state": "running", "started": time.time() - ago, **fields})
    assert status.remaining is None


def test_share_is_at_most_one_and_unknown_without_a_total():
    assert Status(done=7, total=5).share == 1.0
    assert Status(done=7, total=0).share is None


def test_events_survive_a_last_line_that_was_cut(plain):
    run = _written(plain)
    assert run.events() == []
    whole = [{"time": 1.0, "done": n, "total": 9, "metrics": {"loss": 0.5}} for n in range(3)]
    for event in [*whole, whole[0]]:
        run.add_event(event)
    lines = run.events_file.read_bytes()
    last = len(lines.splitlines()[0])
    for cut in range(2, last + 1):
        run.events_file.write_bytes(lines[:-cut])
        assert run.events() == whole


def test_the_log_is_its_end(plain):
    run = _written(plain)
    assert run.log() == ""
    (run.folder / "log").write_bytes(b"x" * 9_000 + b"\xff end")
    assert run.log(5).endswith(" end")
    assert len(run.log()) == 4_000


def test_the_command_is_quoted_for_a_shell(plain):
    run = _written(plain)
    assert run.command == "python cli.py index plain --model 'it'\"'\"'s'"
    (run.folder / "command.json").unlink()
    assert (run.arguments, run.verb) == ([], "")
