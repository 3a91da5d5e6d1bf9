"""Auto on real data with the real model: the ladder says what is published, and it is not worse than its start."""

import pytest

from search.encoders import load_encoder
from search.evaluation import evaluate
from search.models import find_model
from search.workspace import Project
from training.auto.pooled import pooled
from training.intake import import_beir
from training.material import gather
from training.train import train

pytestmark = pytest.mark.slow


def test_auto_in_two_minutes_is_what_its_ladder_says_and_no_worse_than_its_start(
    shared_data, tmp_path
):
    project = Project(tmp_path / "workspace" / "p")
    import_beir(project, shared_data / "tos_plain_english")
    made = train(project, "auto", None, {"minutes": 2})
    details = project.artifact("models", made.id).details
    ladder = {rung["name"]: rung for rung in details["ladder"]}
    assert list(ladder)[:3] == ["start", "adapter", "static"]
    (kept,) = [rung for rung in ladder.values() if rung["outcome"] == "kept"]
    assert kept["ndcg@10"] >= ladder["start"]["ndcg@10"]
    dev = pooled(gather(project)).dev
    assert len(dev.query_set.queries) > 40, "sixteen are too few: pairs were held out"
    again = dev.ndcg(load_encoder(project, find_model(project, made.name)))
    assert again == pytest.approx(kept["ndcg@10"], abs=0.002)
    (test,) = evaluate(project, ["generic", made.name]).comparisons
    assert test.verdict != "worse"
