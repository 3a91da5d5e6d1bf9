"""The audit log: who did what, a line each, on disk before it is done; changed lines show."""

import json
import threading

import pytest

from search.projects import audit, graves
from search.projects.audit import Actor
from search.projects.errors import Failed
from search.projects.project import Project, project_to_be
from search.projects.renaming import rename_project


@pytest.fixture
def nobody_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_face", [])


@pytest.fixture
def lab(workspace, nobody_draws) -> Project:
    return project_to_be("lab").create()


def test_a_line_says_who_did_what_on_what(lab, monkeypatch):
    audit.note("deleted", "lab", "models/1", models=1)
    monkeypatch.setenv("BESPOKE_PERSON", "anna@firm.example")
    audit.note("deleted", "lab", "models/2")
    audit.ask_who(lambda: Actor("ben@firm.example", "signed in"))
    audit.note("came in")
    first, second, third = audit.entries()
    assert (first.known, first.who, first.facts) == ("terminal", first.account, {"models": 1})
    assert (second.known, second.who, second.on) == ("run", "anna@firm.example", "models/2")
    assert (third.known, third.who, third.project) == ("signed in", "ben@firm.example", "")
    assert [entry.on for entry in audit.entries("lab")] == ["models/1", "models/2"]
    assert audit.person() == "ben@firm.example", "runs that are started work for them"
    assert audit.path().stat().st_mode & 0o077 == 0


def test_a_project_has_its_own_history_and_none_of_another_that_had_its_name(lab, workspace):
    audit.note("added to the project", "lab", "anna@firm.example")
    audit.note("made the project", "other")
    rename_project(lab, "ward")
    assert [one.what for one in audit.history("ward")] == ["added to the project", audit.RENAMED]
    assert audit.history("lab") == []
    project_to_be("lab").create()
    audit.note("made the project", "lab")
    assert [one.what for one in audit.history("lab")] == ["made the project"]
    graves.bury_project(project_to_be("ward"))
    audit.note("made the project", "ward")
    assert [one.what for one in audit.history("ward")] == ["made the project"]
    assert len(list(audit.entries())) == 6, "the whole log stays, for whoever runs the app"


def test_a_download_is_noted_when_it_is_taken_by_who_was_offered_it(lab):
    audit.ask_who(lambda: Actor("ben@firm.example", "signed in"))
    given = audit.noted("lab", "model mine", lambda: b"zip")
    audit.ask_who(lambda: None)
    assert list(audit.entries()) == [], "it was offered only"
    assert given() == b"zip"
    (line,) = audit.entries("lab")
    assert (line.who, line.what, line.on) == ("ben@firm.example", "downloaded", "model mine")


def test_a_download_that_cannot_be_noted_is_not_given(lab, monkeypatch):
    monkeypatch.setattr(audit, "_append", lambda entry: (_ for _ in ()).throw(OSError(5, "broken")))
    with pytest.raises(Failed, match="could not be noted"):
        audit.noted("lab", "model mine", lambda: pytest.fail("it was given"))()


@pytest.mark.parametrize("harm", ["changed", "taken out", "swapped", "cut"])
def test_a_line_that_was_changed_or_taken_out_shows(lab, harm):
    for number in range(5):
        audit.note("deleted", "lab", f"models/{number}")
    assert audit.broken_lines() == []
    lines = audit.path().read_bytes().splitlines(keepends=True)
    if harm == "changed":
        lines[1] = lines[1].replace(b"models/1", b"models/9")
    elif harm == "taken out":
        del lines[1]
    elif harm == "swapped":
        lines[1], lines[2] = lines[2], lines[1]
    else:
        lines[1] = lines[1][:40] + b"\n"
    audit.path().write_bytes(b"".join(lines))
    assert audit.broken_lines() != []
    assert {entry.on for entry in audit.entries()} >= {"models/0", "models/4"}, "the others stay"


def test_what_was_cut_short_by_a_kill_harms_no_later_line(lab):
    audit.note("deleted", "lab", "models/1")
    with audit.path().open("ab") as stream:
        stream.write(b'{"time": "2026')
    assert audit.broken_lines() == [2]
    audit.note("deleted", "lab", "models/2")
    assert [entry.on for entry in audit.entries()] == ["models/1", "models/2"]
    assert audit.broken_lines() == [], "what it was to tell was not done: it is taken away"
    audit.path().write_bytes(b'{"time": "2026')
    audit.note("deleted", "lab", "models/3")
    assert [entry.on for entry in audit.entries()] == ["models/3"]
    assert audit.broken_lines() == []


def test_many_writers_lose_no_line(lab):
    def write(writer: int) -> None:
        for number in range(20):
            audit.note("deleted", "lab", f"{writer}/{number}")

    writers = [threading.Thread(target=write, args=(number,)) for number in range(5)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len({entry.on for entry in audit.entries()}) == 100
    assert audit.broken_lines() == []


def test_what_cannot_be_noted_is_not_done(lab, monkeypatch):
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(audit.os, "write", full)
    with pytest.raises(Failed, match=r"could not be noted.*No space left.*so it is not done"):
        graves.bury_project(lab)
    assert lab.exists


def test_odd_names_stay_one_line(lab):
    audit.note("let in", "lab", "a\nb\u2028c\ud800\x00")
    assert len(audit.path().read_bytes().splitlines()) == 1
    (entry,) = audit.entries()
    assert entry.on.startswith("a\nb\u2028c")
    assert json.loads(audit.path().read_text())["project"] == "lab"
