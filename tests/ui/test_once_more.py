"""Below the verdict: which question it answers, and the button that trains a winner once more."""

import shutil

import pytest
from app_help import TINY, labels, open_page, press, shown

from search.models.registry import REFIT_OF, find_model
from search.projects.project import Project
from ui import once_more


def decide(project: Project, verdict: str) -> None:
    """The newest evaluation again, with this verdict on its custom model."""
    manifest = project.newest("evaluations")
    assert manifest is not None
    tests = [
        {**test, "verdict": verdict} if test["candidate"] == "words-2" else test
        for test in manifest.details["comparisons"]
    ]
    with project.publish("evaluations", manifest.made_from) as draft:
        draft.details.update({**manifest.details, "comparisons": tests})
        shutil.copyfile(
            project.folder_of(manifest) / "per_query.json", draft.folder / "per_query.json"
        )


BUTTON = "Train once more, from everything"


def test_the_page_says_which_question_it_answers(evaluated: Project) -> None:
    assert "New questions on the documents that are here" in shown(open_page("evaluate", TINY))


def test_a_winner_can_be_trained_once_more(
    evaluated: Project, started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(once_more, "plan_of", lambda details: ["a step"])
    decide(evaluated, "better")
    at = open_page("evaluate", TINY)
    press(at, "refit")
    assert started == [["train", TINY, "--refit", "words-2"]]


@pytest.mark.parametrize("verdict", ["worse", "no clear difference"])
def test_what_is_not_better_cannot(
    evaluated: Project, monkeypatch: pytest.MonkeyPatch, verdict: str
) -> None:
    monkeypatch.setattr(once_more, "plan_of", lambda details: ["a step"])
    decide(evaluated, verdict)
    assert BUTTON not in labels(open_page("evaluate", TINY))


def test_word_vectors_have_no_pairs_to_learn_from_once_more(evaluated: Project) -> None:
    decide(evaluated, "better")
    assert BUTTON not in labels(open_page("evaluate", TINY))


def test_what_was_trained_once_more_is_named(
    evaluated: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(once_more, "plan_of", lambda details: ["a step"])
    decide(evaluated, "better")
    info = find_model(evaluated, "words-2")
    source = evaluated.artifact("models", info.id)
    with evaluated.publish("models", source.made_from) as draft:
        for path in evaluated.folder_of(source).iterdir():
            if path.name != "manifest.json":
                shutil.copyfile(path, draft.folder / path.name)
        refit = {"model": info.id, "name": "words-2"}
        draft.details.update({**source.details, "name": "once", REFIT_OF: refit})
    at = open_page("evaluate", TINY)
    assert BUTTON not in labels(at)
    assert "once is words-2, trained once more from all pairs" in shown(at)
