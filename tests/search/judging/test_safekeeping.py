"""Votes that were damaged are noticed, brought back from the copy of a day, and never lost to a full or read-only disk."""

import errno
import os
import shutil
import sqlite3

import pytest

from search.judging import safekeeping
from search.judging import store as rooms
from search.judging.restoring import restore
from search.judging.safekeeping import daily_backups, forget_look
from search.judging.store import JudgmentStore, Question
from search.judging.votes import Judgment
from search.projects.damage import noticed
from search.projects.errors import Failed, Refused


@pytest.fixture
def store(tmp_path):
    made = JudgmentStore(tmp_path / "judgments" / "judgments.sqlite")
    made.join("Anna")
    made.ask([Question("q1", "what helps", "typed")])
    made.set("how", "blind")
    made.save_rankings("mine", "v1", {"q1": []})
    for n in range(30):
        made.add([vote(n)])
    return made


def vote(n):
    return Judgment("Anna", f"q{n}", "vote", "mine|generic", "first")


def checkpointed(path):
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


@pytest.mark.parametrize(
    "changed", [b"first", b"what helps", b"blind", b"Anna", b"mine|generic", b"SQLite format 3"]
)
def test_a_changed_letter_is_noticed_by_every_use(store, changed):
    checkpointed(store.path)
    content = store.path.read_bytes()
    assert changed in content
    store.path.write_bytes(content.replace(changed, changed[:-1] + b"~", 1))
    forget_look(store.path)
    for use in (store.standing, store.history, store.judges, lambda: store.add([vote(99)])):
        with pytest.raises(Failed, match=r"The votes in .* are damaged: .* --restore"):
            use()


@pytest.mark.parametrize("damage", ["emptied", "cut", "folder", "removed"])
def test_a_file_of_votes_that_is_not_there_any_more_is_no_empty_one(store, damage):
    checkpointed(store.path)
    content = store.path.read_bytes()
    store.path.unlink()
    if damage == "folder":
        store.path.mkdir()
    elif damage != "removed":
        store.path.write_bytes(b"" if damage == "emptied" else content[: len(content) // 2])
    for use in (store.standing, lambda: store.add([vote(99)])):
        with pytest.raises(Failed, match="are damaged"):
            use()


def test_a_days_copy_is_made_before_its_first_write_and_brought_back(store, monkeypatch):
    class Tomorrow(safekeeping.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2031, 5, 17, tzinfo=tz)

    monkeypatch.setattr(safekeeping, "datetime", Tomorrow)
    store.add([vote(30)])
    store.add([vote(31)])
    newest = daily_backups(store.path)[0]
    assert (newest.day, newest.problem) == ("2031-05-17", None)
    with sqlite3.connect(newest.path) as copy:
        assert copy.execute("SELECT count(*) FROM marks").fetchone() == (30,)
    copy.close()
    with pytest.raises(Refused, match="are whole"):
        restore(store.path)
    before = store.history()
    checkpointed(store.path)
    # A vote that the copy has is changed, one that only the damaged file has can be read.
    content = store.path.read_bytes()
    store.path.write_bytes(content.replace(b"q3vote", b"q?vote", 1))
    forget_look(store.path)
    with pytest.raises(Failed, match="The newest whole copy is of 2031-05-17"):
        store.history()
    assert restore(store.path) == ("2031-05-17", 2)
    assert store.history() == before
    assert [m.question for m in store.standing()] == [f"q{n}" for n in range(32)]
    assert len(list(store.path.parent.glob("judgments.sqlite.damaged-*"))) >= 1
    store.add([vote(32)])
    assert len(store.history()) == 33


def test_without_a_whole_copy_what_can_be_read_is_brought_back(store):
    checkpointed(store.path)
    for copy in daily_backups(store.path):
        copy.path.write_bytes(b"x")
    assert [copy.problem for copy in daily_backups(store.path)] == ["it is not as it was written"]
    content = store.path.read_bytes()
    store.path.write_bytes(content.replace(b"q3vote", b"q?vote", 1))
    forget_look(store.path)
    with pytest.raises(Failed, match="There is no whole copy"):
        store.history()
    assert restore(store.path) == (None, 29)
    assert len(store.standing()) == 29


def test_the_number_of_copies_is_bounded(store, monkeypatch):
    folder = store.path.parent / "copies"
    for day in range(1, 29):
        shutil.copy(daily_backups(store.path)[-1].path, folder / f"2020-01-{day:02}.sqlite")
    (folder / daily_backups(store.path)[0].path.with_suffix(".sha256").name).unlink()
    store.add([vote(40)])
    assert len(list(folder.glob("*.sqlite"))) == 14


def test_a_copy_that_cannot_be_written_keeps_the_vote_and_is_said(store, monkeypatch):
    shutil.rmtree(store.path.parent / "copies")
    real = safekeeping.flush

    def full(path):
        if path.suffix == ".tmp":
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path)

    monkeypatch.setattr(safekeeping, "flush", full)
    noticed()
    store.add([vote(50)])
    assert "Today's copy of the votes could not be written" in noticed()[0]
    assert len(store.history()) == 31


def _no_more_pages(connection):
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_is_no_damage_and_names_the_disk(store, monkeypatch):
    look = rooms.look_at

    def full(connection, path):
        look(connection, path)
        _no_more_pages(connection)

    with monkeypatch.context() as patched:
        patched.setattr(rooms, "look_at", full)
        with pytest.raises(Failed, match="Make room on the disk mounted at /") as caught:
            store.add([vote(n) for n in range(100, 2_000)])
    assert "damaged" not in str(caught.value) and "move" not in str(caught.value)
    assert len(store.history()) == 30


@pytest.mark.parametrize("log", [False, True], ids=["closed", "with a write-ahead log"])
def test_votes_are_read_on_a_disk_that_may_only_be_read(store, tmp_path, log):
    """Read by somebody who may not write there; also what is in the log of a process that was killed."""
    if log:
        writer = sqlite3.connect(store.path)
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("SELECT count(*) FROM marks").fetchone()
        store.add([vote(60)])
        for ending in ("", "-wal"):
            source = store.path.with_name(store.path.name + ending)
            shutil.copy(source, tmp_path / source.name)
        writer.close()
        for ending in ("", "-wal"):
            name = store.path.name + ending
            shutil.copy(tmp_path / name, store.path.with_name(name))
        assert store.path.with_name(store.path.name + "-wal").stat().st_size > 0
    store.path.parent.chmod(0o555)
    for path in store.path.parent.iterdir():
        path.chmod(0o555 if path.is_dir() else 0o444)
    us = os.geteuid()
    if us == 0:  # Root may write anywhere; anybody else is kept out by the folder itself.
        for folder in (tmp_path, *tmp_path.parents[:3]):
            folder.chmod(folder.stat().st_mode | 0o055)
        os.seteuid(65534)
    try:
        assert len(store.standing()) == 30 + log
        with pytest.raises(Failed, match=r"cannot be (read or )?written") as caught:
            store.add([vote(61)])
        assert "damaged" not in str(caught.value)
    finally:
        os.seteuid(us)


def test_what_was_cut_off_while_votes_were_made_goes_when_they_are(tmp_path):
    store = JudgmentStore(tmp_path / "judgments" / "judgments.sqlite")
    store.path.parent.mkdir()
    draft = store.path.with_name(".judgments.sqlite.20260101-000000-000000-aaaa.new")
    left = [draft, draft.with_name(f"{draft.name}-journal")]
    for path in left:
        path.write_text("half")
    store.join("Anna")
    assert store.judges() == ["Anna"] and not any(path.exists() for path in left)


def test_a_copy_that_was_cut_off_goes_when_one_is_made(store):
    folder = store.path.parent / "copies"
    for path in folder.iterdir():
        path.unlink()
    draft = folder / ".2026-01-01.20260101-000000-000000-aaaa.tmp"
    draft.write_text("half")
    store.join("Bert")
    assert not draft.exists() and [copy.problem for copy in daily_backups(store.path)] == [None]
