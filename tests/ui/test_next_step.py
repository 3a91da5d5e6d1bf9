from app_help import alive, write_run

from search.projects.project import Project
from ui.next_step import NextStep, next_step, steps


def _way(project: Project | None) -> list[tuple[str, str, str]]:
    return [(s.title, s.state, s.said) for s in steps(project) if s.title != "Questions"]


def test_the_way_of_no_project_and_of_an_empty_one(empty: Project) -> None:
    assert {step.state for step in steps(None)} == {"ahead"}
    assert _way(empty)[0] == ("Documents", "next", "")
    assert {state for _, state, _ in _way(empty)[1:]} == {"ahead"}


def test_the_way_of_a_project_that_was_measured(evaluated: Project) -> None:
    assert _way(evaluated) == [
        ("Documents", "done", "40"),
        ("Train", "done", "2 models"),
        ("Compare", "next", ""),
        ("Proof", "done", "measured"),
    ]


def test_a_training_that_goes_on_is_the_next_step(data: Project) -> None:
    assert next_step(data) == NextStep("Train a model", "train")
    write_run(data, ["train", "Tiny"], state="running", done=1, total=4, **alive())
    assert next_step(data).label.startswith("Training 25%")
    assert ("Train", "running", "") in _way(data)
