"""What pages show of an adapter whose base is gone: one sentence that says what to do, and what still works."""

import shutil

import pytest
from app_help import TINY, open_page, plain

from search.models.registry import find_model
from search.projects.project import Project
from search.retrieval.indexing.build import index_model
from training.train import train

QUERY = "what helps against velkorin in the hand"


@pytest.fixture
def orphaned(trained: Project) -> Project:
    """An adapter on word vectors, with its index; the words are deleted behind the back of the project."""
    train(trained, "adapter", "mine", {"base": "words", "epochs": 2})
    index_model(trained, "mine")
    shutil.rmtree(trained.folder / "models" / find_model(trained, "words").id)
    return trained


@pytest.mark.usefixtures("orphaned")
@pytest.mark.parametrize(
    ("page", "kind"), [("compare", "error"), ("words", "error"), ("models", "warning")]
)
def test_a_page_says_it_once(page: str, kind: str) -> None:
    at = open_page(page, TINY, q=QUERY, model=["mine", "bm25"])
    assert not at.exception
    said = [element.value for element in [*at.error, *at.warning]]
    assert [element.value for element in getattr(at, kind)] == said and len(said) == 1
    assert plain(said[0]).replace("\\", "") == (
        "The model 'mine' is an adapter on a model that is gone (words). Bring that one back (add-model, where it was "
        f"added), or train anew: python cli.py train {TINY} --recipe adapter."
    )


def test_what_does_not_need_it_still_answers(orphaned: Project) -> None:
    at = open_page("compare", TINY, q=QUERY, model=["bm25", "words-2"])
    assert not at.exception and not at.error
