"""Projects have safe names; a damaged one is named and keeps nobody from the others."""

import time

import pytest

from search.projects.errors import Failed, Refused
from search.projects.project import (
    check_project_name,
    project,
    project_to_be,
    projects,
    unusable_projects,
)


@pytest.fixture
def home():
    return project_to_be("lab")


def test_facts_of_an_existing_project_stay(home):
    home.create(description="first")
    with home.publish_together(description="second") as drafts:
        drafts.add("corpora")
    assert home.info.description == "first"


@pytest.mark.parametrize(
    "name", ["lab", "Law 2026", "a", "7", "a.b-c+(d)_e", "Straße", "法律", "x" * 80]
)
def test_names_that_can_be(name):
    assert check_project_name(name) == name
    home = project_to_be(name).create()
    assert project(name).folder == home.folder
    assert [p.name for p in projects()] == [name]
    home.delete()
    assert projects() == []


@pytest.mark.parametrize(
    "name",
    [
        "", " ", ".", "..", ".hidden", "a/b", "/etc", "../x", "a\\b", "a\x00b", "a\nb", "a\n", " a", "a ",
        "_a", "-a", "x" * 81, "a:b", "a*", "caf\udce9",
    ],
)  # fmt: skip
def test_names_that_cannot_be(name, workspace, tree):
    with pytest.raises(Refused, match="cannot name a project: use 1 to 80 letters"):
        check_project_name(name)
    with pytest.raises(Refused):
        project_to_be(name)
    assert tree(workspace) == {}


@pytest.mark.parametrize("letter", ["法", "𠀀"])
def test_long_names_of_many_bytes_work_or_are_refused(letter, workspace):
    """80 letters may be 320 bytes; file names end at 255, and deleting needs room for its own."""
    try:
        home = project_to_be(letter * 80)
    except Refused:
        return
    with home.publish("corpora") as draft:
        (draft.folder / "data.bin").write_bytes(b"hello")
    home.delete()
    assert projects() == []


def test_unknown_project_names_those_that_are(home):
    with pytest.raises(Refused) as caught:
        project("nope")
    assert str(caught.value) == "There is no project 'nope'. Known projects: none yet."
    home.create()
    project_to_be("bench").create()
    with pytest.raises(Refused) as caught:
        project("nope")
    assert str(caught.value) == "There is no project 'nope'. Known projects: bench, lab."


def test_damaged_project_file_is_named(home):
    home.create()
    (home.folder / "project.json").write_text("{}")
    with pytest.raises(Failed, match=r"project\.json is damaged"):
        project("lab")


def test_projects_newest_first_without_strangers(workspace):
    for name in ("one", "two", "three"):
        project_to_be(name).create()
        time.sleep(0.002)
    (workspace / "not-a-project").mkdir()
    (workspace / "a-file").write_text("x")
    (workspace / ".hidden").mkdir()
    assert [p.name for p in projects()] == ["three", "two", "one"]


def test_discard_if_empty_keeps_what_holds_something(home):
    (home.folder / "runs" / "one").mkdir(parents=True)
    (home.folder / "pairs").mkdir()
    (home.folder / "runs" / "one" / "log").write_text("x")
    home.discard_if_empty()
    assert sorted(p.name for p in home.folder.rglob("*")) == ["log", "one", "runs"]
    home.create()
    (home.folder / "pairs").mkdir()
    home.discard_if_empty()
    assert (home.folder / "pairs").is_dir()


def test_a_damaged_project_does_not_lock_the_others_out(workspace):
    for name in ("good", "bad"):
        project_to_be(name).create()
    (project_to_be("bad").folder / "project.json").write_text('{"name": ')
    assert [p.name for p in projects()] == ["good"]
    assert [p.name for p, _ in unusable_projects()] == ["bad"]


@pytest.mark.parametrize("name", ["हिन्दी कानून", "தமிழ்", "Écriture", "法律"])
def test_names_of_every_script_are_names(name):
    assert check_project_name(name) == name
