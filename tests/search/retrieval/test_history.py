"""The latest questions of a project."""

import json
import multiprocessing

import pytest

from search.projects.project import Project, project, project_to_be
from search.retrieval import history


@pytest.fixture
def asked(workspace: object) -> Project:
    return project_to_be("P").create()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands still until it is set."""
    moment = [1_000.0]
    monkeypatch.setattr(history.time, "time", lambda: moment[0])
    return moment


def _ask(owner: Project, clock: list[float], *queries: str, pause: float = 60.0) -> None:
    for query in queries:
        history.remember(owner, query)
        clock[0] += pause


def test_nothing_was_asked(asked: Project) -> None:
    assert history.recent(asked) == []
    history.forget(asked)


def test_the_newest_comes_first_and_each_once(asked: Project, clock: list[float]) -> None:
    _ask(asked, clock, "pins", "मेरे पैर 🦶", "pins", "x")
    assert history.recent(asked) == ["x", "pins", "मेरे पैर 🦶"]
    assert history.recent(project("P"), 2) == ["x", "pins"], "another session finds them"


def test_a_question_still_being_typed_is_one_question(asked: Project, clock: list[float]) -> None:
    _ask(asked, clock, "pi", "pins and", "pins and needles", "pins and need", "hip", pause=1)
    assert history.recent(asked) == ["hip", "pins and need"]


def test_what_was_asked_long_before_is_not_taken_for_typing(
    asked: Project, clock: list[float]
) -> None:
    _ask(asked, clock, "pins", "pins and needles", pause=21)
    assert history.recent(asked) == ["pins and needles", "pins"]


def test_lines_that_cannot_be_read_are_passed_over(asked: Project, clock: list[float]) -> None:
    _ask(asked, clock, "one")
    with (asked.folder / "searches.jsonl").open("ab") as stream:
        stream.write(
            b'{"time": 1}\n[1]\n{"time": "x", "query": "y"}\n{"time": 5, "query": 7}\n\xff\n'
        )
        stream.write(b'{"time": 9, "que\n')
    _ask(asked, clock, "two")
    assert history.recent(asked) == ["two", "one"]


def test_a_file_that_grew_keeps_its_latest_lines(asked: Project, clock: list[float]) -> None:
    long = "q" * 9_000
    _ask(asked, clock, *(f"{number} {long}" for number in range(80)))
    path = asked.folder / "searches.jsonl"
    assert path.stat().st_size < 600_000
    found = [query.split()[0] for query in history.recent(asked, 100)]
    assert found == [str(number) for number in range(79, 79 - len(found), -1)]
    assert len(found) > 20
    assert all(json.loads(line[:-9]) for line in path.read_text().splitlines())


def _many(name: str) -> None:
    owner = project("P")
    for number in range(50):
        history.remember(owner, f"{name}{number}")


def test_two_people_who_search_at_once_lose_nothing(asked: Project) -> None:
    context = multiprocessing.get_context("fork")
    people = [context.Process(target=_many, args=(name,)) for name in "ab"]
    for person in people:
        person.start()
    for person in people:
        person.join(30)
    wanted = {f"{name}{number}" for name in "ab" for number in range(50)}
    lines = (asked.folder / "searches.jsonl").read_text().splitlines()
    assert {json.loads(line[:-9])["query"] for line in lines} == wanted


def test_a_workspace_that_cannot_be_written_is_no_reason_not_to_search(asked: Project) -> None:
    (asked.folder / "searches.jsonl").mkdir()
    history.remember(asked, "q")


def test_forget(asked: Project, clock: list[float]) -> None:
    _ask(asked, clock, "secret")
    history.forget(asked)
    assert history.recent(asked) == []
    assert "secret" not in "".join(p.read_text() for p in asked.folder.iterdir() if p.is_file())
