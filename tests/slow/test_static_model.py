"""The static model on two real sets: the figures that its weights gave outside of Bespoke (nDCG@10 .555 and .515)."""

import pytest

from search.evaluation.evaluate import evaluate
from search.models.pretrained.add import add_model
from search.projects.project import project_to_be
from training.data.intake import import_beir


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
