"""The store: every mark on disk at once, nothing ever lost, two processes writing, one killed in the middle."""

import random
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest

from search.corpus.labels import query_id
from search.judging import votes_file
from search.judging.store import JudgmentStore, Question, RankedDocument
from search.judging.votes import ColumnPair, grade, vote
from search.projects.errors import Failed, Refused
from search.projects.project import project_to_be

PAIR = ColumnPair.of("a", "b")

# Read before the tests begin, which do without.
AS_SHIPPED = votes_file.SYNCHRONOUS


@pytest.fixture
def store(tmp_path):
    return JudgmentStore(tmp_path / "judgments" / "judgments.sqlite")


def said(store):
    return {mark.key[:4]: mark.value for mark in store.standing()}


def test_reading_makes_no_file(store):
    assert store.standing() == store.history() == store.judges() == store.questions() == []
    assert store.rankings("a", "1") == {} and store.setting("reveal", "yes") == "yes"
    assert store.versions() == []
    assert not store.path.parent.exists()


def test_a_later_mark_replaces_an_earlier_one_which_stays_as_history(store):
    store.add([vote("Anna", "q", PAIR, "first")])
    store.add([vote("Anna", "q", PAIR, "both"), grade("Anna", "q", "d", 2)])
    store.add([vote("Ben", "q", PAIR, "second")])
    assert [(m.judge, m.kind, m.value) for m in store.standing()] == [
        ("Anna", "vote", "both"), ("Anna", "grade", "2"), ("Ben", "vote", "second"),
    ]  # fmt: skip
    assert [m.value for m in store.history()] == ["first", "both", "2", "second"]


def test_a_mark_that_arrives_twice_counts_once(store):
    first = store.add([vote("Anna", "q", PAIR, "first", token="t1")])
    again = store.add(
        [vote("Anna", "q", PAIR, "first", token="t1"), grade("Anna", "q", "d", 1, token="t2")]
    )
    assert [m.number for m in first] == [1] and [m.token for m in again] == ["t2"]
    assert len(store.history()) == 2


def test_nothing_can_change_or_remove_a_mark(store):
    store.add([vote("Anna", "q", PAIR, "first")])
    with sqlite3.connect(store.path) as connection:
        for statement in ("UPDATE marks SET value = 'second'", "DELETE FROM marks"):
            with pytest.raises(sqlite3.IntegrityError, match="marks are only added"):
                connection.execute(statement)
    connection.close()
    assert said(store) == {("Anna", "q", "vote", PAIR.key): "first"}


def test_marks_come_together_or_not_at_all(store):
    bad = vote("Anna", "q2", PAIR, "first")
    object.__setattr__(bad, "kind", "nonsense")
    with pytest.raises(Failed):
        store.add([vote("Anna", "q1", PAIR, "first"), bad])
    assert store.history() == []


def test_undo_goes_back_step_by_step_and_only_for_the_one_judge(store):
    store.add([vote("Anna", "q1", PAIR, "first")])
    store.add([vote("Ben", "q1", PAIR, "second")])
    store.add([vote("Anna", "q1", PAIR, "both")])
    store.add([grade("Anna", "q1", "d", 3)])
    assert store.undo("Anna").kind == "grade"
    assert said(store) == {
        ("Anna", "q1", "vote", PAIR.key): "both", ("Ben", "q1", "vote", PAIR.key): "second",
    }  # fmt: skip
    assert store.undo("Anna").value == "both"
    assert said(store)[("Anna", "q1", "vote", PAIR.key)] == "first"
    assert store.undo("Anna").value == "first"
    assert list(said(store)) == [("Ben", "q1", "vote", PAIR.key)]
    assert store.undo("Anna") is None
    assert len(store.history()) == 7, "undo adds to the history and takes nothing from it"


def test_undo_against_a_stack(store):
    """Random marks and undos of two judges, against a plain list of each judge's marks."""
    rng = random.Random(6)
    stacks = {"x": [], "y": []}
    for _ in range(70):
        judge = rng.choice("xy")
        if rng.random() < 0.4:
            done = store.undo(judge)
            expected = stacks[judge].pop() if stacks[judge] else None
            assert (done.key, done.value) == expected if expected else done is None
        else:
            question, value = f"q{rng.randint(0, 2)}", rng.randint(0, 3)
            mark = grade(judge, question, f"d{rng.randint(0, 1)}", value)
            store.add([mark])
            stacks[judge].append((mark.key, mark.value))
        standing = {}
        for stack in stacks.values():
            standing.update(dict(stack))
        assert {m.key: m.value for m in store.standing()} == standing


def test_judges_keep_their_first_spelling(store):
    assert store.join(" Anna ") == "Anna" and store.join("ANNA") == "Anna"
    assert store.join("अनिता") == "अनिता"
    assert store.judges() == ["Anna", "अनिता"]
    with pytest.raises(Refused):
        store.join(" ")


def test_questions_and_rankings(store):
    store.ask([Question("q1", "one?", "query set"), Question("q1", "other?", "typed")])
    made = store.ask_typed("  What now? ")
    assert made == Question(query_id("What now?"), "What now?", "typed")
    assert store.ask_typed("one?").id == "q1", "a known text keeps its id"
    assert store.questions() == [Question("q1", "one?", "query set"), made]
    with pytest.raises(Refused):
        store.ask_typed(" ")
    store.save_rankings(
        "a", "v1", {"q1": [RankedDocument("d1", 4, 7), RankedDocument("d2", 0, 0)], "q2": []}
    )
    store.save_rankings("a", "v2", {"q1": [RankedDocument("d9", 1, 1)]})
    assert store.rankings("a", "v1") == {
        "q1": [RankedDocument("d1", 4, 7), RankedDocument("d2", 0, 0)],
        "q2": [],
    }
    assert store.rankings("a", "v3") == {}
    assert sorted(store.versions()) == [("a", "v1"), ("a", "v2")]


def test_the_secret_is_made_once_and_settings_change(store):
    assert store.secret() == store.secret() and len(store.secret()) == 32
    store.set("reveal", "no")
    store.set("reveal", "yes")
    assert store.setting("reveal", "") == "yes"


def test_a_damaged_file_is_one_clear_sentence(store):
    store.add([vote("Anna", "q", PAIR, "first")])
    store.path.write_bytes(b"not a database" * 400)
    with pytest.raises(Failed, match="are damaged: file is not a database"):
        store.standing()


def test_a_later_version_is_not_touched(store):
    store.join("Anna")
    connection = sqlite3.connect(store.path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(Failed, match="later version"):
        store.judges()


def test_it_goes_with_its_project(workspace):
    project = project_to_be("P").create()
    store = JudgmentStore.of(project)
    store.join("Anna")
    assert store.path == workspace / "P" / "judgments" / "judgments.sqlite"
    project.delete()
    assert not (workspace / "P").exists()


WRITER = """
import sys
from pathlib import Path
from search.judging.votes import ColumnPair, vote
from search.judging.store import JudgmentStore
store, judge, count = JudgmentStore(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
store.join(judge)
for n in range(count):
    made = store.add([vote(judge, f"q{n}", ColumnPair("a", "b"), "first", token=f"{judge}-{n}")])
    print(made[0].number, flush=True)
"""


def _writer(store, judge, count):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(store.path), judge, str(count)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path.cwd(),
    )  # fmt: skip


def test_two_people_judge_at_once(store):
    """Two real processes, that even make the file at the same moment: every vote of both is there."""
    both = [_writer(store, judge, 60) for judge in ("Anna", "Ben")]
    for process in both:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    marks = store.standing()
    assert sorted((m.judge, m.question) for m in marks) == sorted(
        (judge, f"q{n}") for judge in ("Anna", "Ben") for n in range(60)
    )
    assert [m.number for m in marks] == list(range(1, 121))


def test_a_kill_in_the_middle_loses_nothing_that_was_said_to_be_kept(store):
    """SIGKILL while two processes write, again and again: what a writer was told is kept, is kept."""
    acknowledged = 0
    for round_ in range(3):
        victim, other = _writer(store, f"V{round_}", 10_000), _writer(store, f"O{round_}", 25)
        for _ in range(8 + 5 * round_):
            assert victim.stdout.readline().strip()
        victim.send_signal(signal.SIGKILL)
        told, _ = victim.communicate(timeout=60)
        acknowledged = (
            8 + 5 * round_ + sum(line.strip().isdigit() for line in told.splitlines()[:-1])
        )
        _, errors = other.communicate(timeout=120)
        assert other.returncode == 0, errors
        kept = [m.question for m in store.standing() if m.judge == f"V{round_}"]
        assert len(kept) >= acknowledged
        assert kept == [f"q{n}" for n in range(len(kept))], "no gap"
        assert sum(m.judge == f"O{round_}" for m in store.standing()) == 25
    connection = sqlite3.connect(store.path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_a_mark_is_flushed_before_add_returns(store, monkeypatch):
    """Each commit syncs (synchronous = FULL), which NORMAL in WAL mode would not."""
    monkeypatch.setattr(votes_file, "SYNCHRONOUS", AS_SHIPPED)
    seen = []
    original = JudgmentStore._connected

    def watched(self):
        context = original(self)

        class Watched:
            def __enter__(self):
                connection = context.__enter__()
                seen.append(connection.execute("PRAGMA synchronous").fetchone()[0])
                return connection

            def __exit__(self, *error):
                return context.__exit__(*error)

        return Watched()

    monkeypatch.setattr(JudgmentStore, "_connected", watched)
    store.add([vote("Anna", "q", PAIR, "first")])
    assert seen == [2]


def test_a_mark_costs_no_more_when_there_are_many(store, monkeypatch):
    """Counted in steps of SQLite's own machine, so that a busy computer changes nothing."""
    steps = Counter()
    original = JudgmentStore._connected

    @contextmanager
    def counted(self):
        with original(self) as connection:
            connection.set_progress_handler(lambda: steps.update(taken=1), 1)
            yield connection

    monkeypatch.setattr(JudgmentStore, "_connected", counted)
    store.join("Anna")

    def cost(n):
        steps.clear()
        store.add([vote("Anna", f"q{n}", PAIR, "first")])
        return steps["taken"]

    costs = [cost(n) for n in range(300)]
    assert 0 < max(costs[-50:]) <= 2 * max(costs[:50])
