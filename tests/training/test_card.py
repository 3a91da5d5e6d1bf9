"""Model cards: valid for the hub's own reader, and true to what was measured."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from huggingface_hub import ModelCard

from search.evaluation.evaluate import evaluate
from search.evaluation.rankings.metrics import METRICS
from search.models.registry import find_model
from search.projects.project import Project
from training.data.intake import import_beir
from training.export.card import CARD, model_card
from training.export.export import export
from training.train import train

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def project(tmp_path_factory, request, tiny_model):
    """A project with a fine-tuned model, one of word vectors, and the measurement of the first."""
    made = Project(tmp_path_factory.mktemp("cards") / "Ward 7")
    shared = request.config.pluginmanager.get_plugin(str(REPOSITORY / "tests" / "conftest.py"))
    import_beir(made, shared.write_tiny_beir(tmp_path_factory.mktemp("data") / "tiny"))
    values = {"epochs": "1", "batch_size": "16", "learning_rate": "1e-3", "base": str(tiny_model)}
    train(made, "fine-tune", "tuned", values)
    train(made, "word2vec", "words", {"vector_size": 12, "min_count": 1, "epochs": 2})
    return made


@pytest.fixture(scope="module")
def evaluation(project):
    return evaluate(project, ["bm25", "tuned"])


def test_the_hub_reads_what_was_measured(project, evaluation):
    card = ModelCard(model_card(project, find_model(project, "tuned")))
    results = {(r.dataset_type, r.metric_name): r.metric_value for r in card.data.eval_results}
    means = evaluation.means("tuned")
    manifest = project.artifact("models", find_model(project, "tuned").id)
    details = manifest.details
    held_out = {("held-out-queries", metric): round(means[metric], 4) for metric in METRICS}
    assert results == held_out | {
        ("dev-queries", "ndcg@10"): round(max(details["dev"]["ndcg@10"]), 4),
        ("general-questions", "ndcg@10"): round(details["general"]["ndcg@10"], 4),
    }
    assert card.data.metrics == sorted(metric.replace("@", "_at_") for metric in METRICS)
    assert card.data.datasets is None, "the hub would link what nobody published"
    assert card.data.library_name == "sentence-transformers"
    assert card.data.pipeline_tag == "sentence-similarity"
    assert card.data.model_name == "tuned"
    assert f"| ndcg@10 | {means['ndcg@10']:.3f} |" in card.text
    assert "SentenceTransformer(" in card.text


def test_it_says_how_the_model_was_made_and_what_it_lost(project, evaluation):
    text = model_card(project, find_model(project, "tuned"))
    details = project.artifact("models", find_model(project, "tuned").id).details
    for key, value in details["settings"].items():
        shown = (
            Path(value).name if key == "base" else value
        )  # Where it lies here is nobody's business.
        assert f"| {key} | {shown} |" in text
    assert f"{details['pairs']:,} pairs" in text
    assert f"Kept: {details['dev']['kept']}." in text
    for name, version in details["libraries"].items():
        assert f"{name} {version}" in text
    assert details["libraries"]["torch"] == torch.__version__
    for kind, identity in project.artifact(
        "models", find_model(project, "tuned").id
    ).made_from.items():
        assert f"{kind} {identity}" in text
    said = "untouched start" if details["dev"]["kept"] == "start" else "general questions"
    assert said in text


def test_without_a_measurement_it_says_so(project):
    text = model_card(project, find_model(project, "words"))
    assert "It was not measured on held-out queries." in text
    assert "nobody knows whether it is better" in text
    assert "learned from the documents alone" in text
    kinds = {result.dataset_type for result in ModelCard(text).data.eval_results}
    assert kinds == {"dev-queries"}


@pytest.mark.parametrize("name", ["tuned", "words"])
def test_an_exported_model_brings_its_card(project, tmp_path, name):
    export(project, name, tmp_path / "out")
    card = ModelCard((tmp_path / "out" / CARD).read_text(encoding="utf-8"))
    assert card.data.model_name == name
    assert "Ward 7" in card.text


def test_the_generic_model_keeps_its_own_card(project, tmp_path):
    export(project, "generic", tmp_path / "out")
    path = tmp_path / "out" / CARD
    assert not path.exists() or "made by Bespoke" not in path.read_text(encoding="utf-8")


def test_the_base_is_named_as_the_hub_knows_it(project, tiny_model, tmp_path, monkeypatch):
    info = find_model(project, "tuned")

    def base(origin):
        return ModelCard(model_card(project, replace(info, origin=origin))).data.base_model

    assert base("all-MiniLM-L6-v2") == "sentence-transformers/all-MiniLM-L6-v2"
    assert base("intfloat/e5-small-v2") == "intfloat/e5-small-v2"
    assert base(str(tiny_model)) is None
    (tmp_path / "models" / "mine").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert base("models/mine") is None, "a folder here"
    assert base("words") is None, "a model of the project that was trained from scratch"


def test_the_front_matter_is_what_the_hub_asks_for(project, evaluation):
    """What https://huggingface.co/docs/hub/model-cards asks of each field; the hub's own check needs a network."""
    text = model_card(project, find_model(project, "tuned"))
    _, front, _ = text.split("---\n", 2)
    told = yaml.safe_load(front)
    card = ModelCard(text, ignore_metadata_errors=False)
    assert yaml.safe_load(card.data.to_yaml()) == told, "read and written again it is the same"
    (model,) = told["model-index"]
    assert model["name"] == "tuned" and model["results"]
    for result in model["results"]:
        assert {"task", "dataset", "metrics"} <= result.keys()
        assert result["task"]["type"] and result["dataset"]["type"] and result["dataset"]["name"]
        for metric in result["metrics"]:
            assert 0 <= metric["value"] <= 1 and metric["type"] in told["metrics"]
    assert "datasets" not in told
    assert all(isinstance(tag, str) and tag for tag in told["tags"])
