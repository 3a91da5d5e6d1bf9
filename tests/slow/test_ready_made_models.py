"""Ready-made models on two real sets: the figures that their weights gave outside of Bespoke."""

import pytest

from search.evaluation import evaluate
from search.ready_made.adding import add_model
from search.workspace import project_to_be
from training.intake import import_beir


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "queries", "ndcg"), [("ask_cfpb", 224, 0.555), ("hinglish_top", 1_533, 0.515)]
)
def test_static_vectors_on_real_questions(shared_data, workspace, name, queries, ndcg):
    project = project_to_be(name)
    import_beir(project, shared_data / name)
    add_model(project, "static")
    result = evaluate(project, ["static"])
    assert len(result.queries) == queries
    assert result.means("static")["ndcg@10"] == pytest.approx(ndcg, abs=0.002)


@pytest.mark.slow
def test_the_generic_model_on_real_requests(shared_data, workspace):
    project = project_to_be("hinglish")
    import_beir(project, shared_data / "hinglish_top")
    result = evaluate(project, ["generic"])
    assert len(result.queries) == 1_533
    assert result.means("generic")["ndcg@10"] == pytest.approx(0.565, abs=0.006)
