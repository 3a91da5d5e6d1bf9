"""What a recipe is given: kept apart by the question of the query set, or strictly where that is asked for."""

import pytest

from search.evaluation.query_sets.questions import NEW_DOCUMENTS, NEW_QUESTIONS
from search.projects.errors import Refused
from search.projects.project import project_to_be
from training.data.intake import import_beir
from training.recipes import RECIPES
from training.train import train
from training.training_data import load_training_data


@pytest.fixture
def crossing(workspace, tiny_beir):
    """Of 63 pairs one shares a query with the test, one an answer with the test and one with dev."""
    rows = (tiny_beir / "qrels" / "train.tsv").read_text()
    (tiny_beir / "qrels" / "train.tsv").write_text(
        rows + "test-3\td1\t1\ntrain-1\td30\t1\ntrain-2\td25\t1\n"
    )
    return tiny_beir


@pytest.mark.parametrize(
    ("asked", "strict", "left_out", "question"),
    [
        (None, False, (1, 0), NEW_QUESTIONS),
        (None, True, (1, 2), NEW_DOCUMENTS),
        (NEW_DOCUMENTS, False, (1, 2), NEW_DOCUMENTS),
    ],
)
def test_what_is_left_out_follows_the_question(crossing, asked, strict, left_out, question):
    home = project_to_be("lab")
    import_beir(home, crossing, question=asked)
    data = load_training_data(home, strict)
    assert (data.guarded.same_query, data.guarded.same_document) == left_out
    assert len(data.guarded.pairs) == 63 - sum(left_out)
    assert (data.question, data.guarded.question) == (question, question)


def test_without_a_query_set_the_dev_queries_say_what_is_asked(crossing):
    home = project_to_be("lab")
    import_beir(home, crossing, question=NEW_DOCUMENTS)
    assert load_training_data(home).guarded.same_document == 2
    home.remove(home.newest("queries"))
    data = load_training_data(home)
    assert (data.question, data.guarded.same_document) == (NEW_DOCUMENTS, 1), "dev's answer"


def test_what_learns_from_documents_alone_cannot_be_strict(crossing):
    home = project_to_be("lab")
    import_beir(home, crossing)
    for name in (info.name for info in RECIPES.values() if not info.needs_pairs):
        with pytest.raises(Refused, match="learns from the documents alone: there are no pairs"):
            train(home, name, strict=True)
