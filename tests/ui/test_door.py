"""The pages' one door: walls between projects on every page, judges on Judge alone, and no way around it."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from app_help import TINY, labels, open_page, press, press_labelled, shown

from search.judging.import_export import as_csv
from search.judging.setup import Setup, save_setup
from search.judging.store import JudgmentStore, Question
from search.judging.votes import Judgment
from search.projects import audit, members
from search.projects.errors import Refused
from search.projects.project import Project, project_to_be
from ui import door, navigation
from ui.page_names import NAMES
from ui.signin import ways
from ui.signin.identity import Person, Unwelcome
from ui.signin.ways import WayIn

UI = Path(door.__file__).parent
ANNA, BEN = "anna@firm.example", "ben@firm.example"
As = Callable[[str | None], None]


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> As:
    """Whoever opens pages from now on has signed in; None for nobody."""
    monkeypatch.setattr(
        ways, "chosen", lambda: WayIn("oidc", providers=(None,), origin="https://x.example")
    )

    def be(name: str | None) -> None:
        monkeypatch.setattr(door, "person", lambda: Person(name, 1.0) if name else None)

    return be


def test_every_page_opens_projects_by_the_door_alone():
    """Who imports what finds projects, or makes a Project of a folder, goes around it."""
    finders = {
        "project",
        "projects",
        "project_to_be",
        "unusable_projects",
        "project_of_any_format",
        "project_in_any_state",
    }
    for path in sorted(UI.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = {
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == "search.projects.project"
            for alias in node.names
        }
        called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        if path.name != "door.py":
            assert imported & finders == set(), path
            assert "Project" not in called, path


@pytest.mark.parametrize("page", NAMES)
def test_no_page_shows_anything_of_a_project_to_who_is_not_in_it(
    data: Project, signed_in: As, page: str
):
    members.add(data, BEN, "owner")
    signed_in(ANNA)
    at = open_page(page, TINY)
    said = shown(at)
    assert TINY not in said and "40 documents" not in said and "velko" not in said.lower()
    assert TINY not in [option for box in at.selectbox for option in box.options]
    assert page == "projects" or "No project is open" in said


@pytest.mark.parametrize("page", NAMES)
def test_nobody_who_is_not_signed_in_sees_a_page(data: Project, signed_in: As, page: str):
    signed_in(None)
    at = open_page(page, TINY)
    assert "Sign in to open your projects" in shown(at)
    assert [button.label for button in at.button] == ["Sign in"]
    assert TINY not in shown(at)


@pytest.mark.parametrize("page", [name for name in NAMES if name != "judge"])
def test_a_judge_sees_judge_alone(data: Project, signed_in: As, page: str):
    members.add(data, BEN, "judge")
    signed_in(BEN)
    said = shown(open_page(page, TINY))
    assert TINY not in said and "40 documents" not in said
    assert "You are here to judge" in said


def test_a_judge_is_shown_no_way_to_pages_that_are_not_theirs(
    data: Project, signed_in: As, monkeypatch: pytest.MonkeyPatch
):
    members.add(data, ANNA, "owner")
    members.add(data, BEN, "judge")
    monkeypatch.setattr(door, "through", lambda name, draw: draw)
    for person, shown_to in ((ANNA, list(NAMES)), (BEN, ["projects", "judge"])):
        signed_in(person)
        made = navigation.pages()
        assert sorted(n for n, one in made.items() if one.visibility == "visible") == sorted(
            shown_to
        )
        assert list(made) == list(NAMES), (
            "an address that was kept says why, and not that nothing is there"
        )


def test_a_judge_cannot_choose_what_is_judged_nor_see_results(data: Project, signed_in: As):
    members.add(data, BEN, "judge")
    signed_in(BEN)
    at = open_page("judge", TINY, model=["bm25", "generic"])
    assert "Nothing is lined up yet" in shown(at)
    assert labels(at) == ["Sign out"] and not at.get("segmented_control") and not at.text_input
    save_setup(data, Setup("bm25", "generic"))
    assert "Nothing is lined up yet" in shown(open_page("judge", TINY)), "no question was asked yet"


def test_a_member_sees_all_pages_and_deletes_no_project(data: Project, signed_in: As):
    members.add(data, ANNA, "owner")
    members.add(data, BEN, "member")
    signed_in(BEN)
    at = open_page("projects")
    assert f"**{TINY}**" in shown(at)
    assert not [
        button.key for button in at.button if button.key in (f"delete-{TINY}", f"people-{TINY}")
    ]
    signed_in(ANNA)
    assert [button.key for button in open_page("projects").button if button.key == f"people-{TINY}"]
    with pytest.raises(Refused, match="Only an owner"):
        signed_in(BEN)
        door.must_own(data)


def test_who_makes_a_project_owns_it_and_no_name_is_taken_twice(workspace: Path, signed_in: As):
    signed_in(ANNA)
    at = open_page("projects")
    at.text_input(key="called-project").set_value("Ward")
    press_labelled(at, "Create")
    ward = project_to_be("Ward")
    assert ward.exists and members.role_of(ward, ANNA) == "owner"
    signed_in(BEN)
    at = open_page("projects")
    at.text_input(key="called-project").set_value("Ward")
    press_labelled(at, "Create")
    assert "taken" in shown(at) and members.role_of(ward, BEN) is None
    assert [(one.what, one.who, one.known) for one in audit.entries("Ward")] == [
        ("made the project", ANNA, "signed in")
    ]


def test_each_person_has_a_sample_of_their_own(
    workspace: Path, signed_in: As, started: list[list[str]]
):
    for person, name in ((ANNA, "Legal sample"), (BEN, "Legal sample 2")):
        signed_in(person)
        press(open_page("projects"), "open-legal")
        assert started[-1] == ["sample", name, "legal"]
        assert members.role_of(project_to_be(name), person) == "owner"


def test_an_owner_sees_who_is_in_it_and_what_was_done(data: Project, signed_in: As):
    members.add(data, ANNA, "owner")
    members.add(data, BEN, "judge")
    signed_in(ANNA)
    at = press(open_page("projects"), f"people-{TINY}")
    said = shown(at)
    assert f"{ANNA} · owner" in said and f"{BEN} · judge" in said
    assert "added to the project" in said
    assert at.selectbox(key="let-in-role").value == "judge", "the least is offered first"


def test_who_may_not_come_in_reads_why(
    data: Project, signed_in: As, monkeypatch: pytest.MonkeyPatch
):
    def unwelcome() -> Person:
        raise Unwelcome("x@y.example is not among those who may come in.")

    monkeypatch.setattr(door, "person", unwelcome)
    at = open_page("corpus", TINY)
    assert "x@y" in shown(at).replace("\\", "") and [b.label for b in at.button] == ["Sign out"]


def test_votes_say_how_it_is_known_who_gave_them(data: Project, monkeypatch: pytest.MonkeyPatch):
    store = JudgmentStore.of(data)
    store.ask([Question("q", "who?", "typed")])
    for known in ("signed in", "not signed in", "terminal"):
        monkeypatch.setattr(audit, "_face", [lambda known=known: audit.Actor(ANNA, known)])
        store.add([Judgment(ANNA, "q", "grade", known, "2")])
        store.add([Judgment(ANNA, "q", "grade", known, "2", details={"known": "signed in"})])
    rows = [line.split(",") for line in as_csv(data).splitlines()]
    known_by, document = rows[0].index("known_by"), rows[0].index("document_id")
    assert [(row[document], row[known_by]) for row in rows[1:]] == [
        ("signed in", "signed in"), ("not signed in", "typed"), ("terminal", "imported"),
    ]  # fmt: skip
    assert [one.what for one in audit.entries(TINY)] == ["judged"] * 6
    store.undo(ANNA)
    assert [one.what for one in audit.entries(TINY)][-1] == "took a judgment back"
    assert "who?" not in audit.path().read_text(), "no text of a question"
