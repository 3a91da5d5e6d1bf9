"""Auto on real data with the real model: the leaderboard says what is published, and it is not worse than its start."""

import numpy as np
import pytest

import training.auto.recipe as making
from search.corpus.corpus import current_corpus
from search.evaluation.evaluate import evaluate
from search.models.load import load_encoder
from search.models.registry import find_model
from search.projects.project import Project
from training.auto import folds
from training.auto.folds import all_dev_queries, merged, split_into_folds
from training.data.intake import import_beir
from training.dev_set import DevSet
from training.train import train
from training.training_data import load_training_data

pytestmark = [pytest.mark.slow, pytest.mark.prove]


def test_auto_in_two_minutes_is_what_its_leaderboard_says_and_no_worse_than_its_start(
    shared_data, tmp_path, monkeypatch
):
    averages = []

    def averaged(models):
        averages.append(list(models))
        return folds.averaged(models)

    monkeypatch.setattr(making, "averaged", averaged)
    project = Project(tmp_path / "workspace" / "p")
    import_beir(project, shared_data / "tos_plain_english")
    made = train(project, "auto", None, {"minutes": 2})
    details = project.artifact("models", made.id).details
    leaderboard = {trial["name"]: trial for trial in details["leaderboard"]}
    assert list(leaderboard)[:3] == ["start", "adapter", "static"]
    (kept,) = [trial for trial in leaderboard.values() if trial["outcome"] == "kept"]
    assert kept["ndcg@10"] >= leaderboard["start"]["ndcg@10"]
    parts = split_into_folds(load_training_data(project))
    asked = all_dev_queries(parts)
    assert len(asked.queries) > 100, "sixteen are too few: each of three members was asked others"
    (models,) = averages
    each = [p.dev.scores_of_vectors(*p.dev.vectors(m)) for p, m in zip(parts, models, strict=True)]
    assert np.mean(merged(parts, each)) == pytest.approx(kept["ndcg@10"], abs=0.002)
    dev = DevSet.of(current_corpus(project)[1], asked)
    again = dev.ndcg(load_encoder(project, find_model(project, made.name)))
    assert again == pytest.approx(dev.ndcg(folds.averaged(models)), abs=0.002)
    (test,) = evaluate(project, ["generic", made.name]).comparisons
    assert test.verdict != "worse"
