"""The recipe "static": taught, gated by its own start, published as a plain SentenceTransformer, resumed after a kill."""

import json

import killing
import numpy as np
import pytest

from search.models.load import load_encoder
from search.models.pretrained.add import add_model
from search.models.pretrained.wordllama import load
from search.models.registry import find_model
from search.projects import runs
from search.projects.progress import silent
from search.projects.project import Project, project
from training.advice.approaches import generic_dev_of
from training.data.intake import import_beir
from training.dev_set import START
from training.result import Request
from training.static.recipe import learn_static
from training.static.settings import StaticSettings
from training.train import train
from training.training_data import load_training_data

pytestmark = pytest.mark.usefixtures("one_thread")

SCRATCH = {"start": "scratch", "vector_size": 32, "pieces": 400, "epochs": 3, "batch_size": 16}


@pytest.fixture
def lab(workspace, import_tiny):
    made = Project(workspace / "lab")
    import_tiny(made)
    return made


def details_of(lab, name):
    return lab.artifact("models", find_model(lab, name).id).details


def test_a_static_model_is_a_plain_folder_that_learned_from_the_pairs(lab):
    trained = train(lab, "static", "small", {**SCRATCH, "vector_size": 6, "learning_rate": 1e-2})
    details = details_of(lab, "small")
    scores = details["dev"]["ndcg@10"]
    assert max(scores) > scores[0]
    assert details["origin"] == "word pieces learned from scratch"
    assert (details["dimension"], details["pairs"]) == (6, 60)
    generic = details["dev"]["generic"]
    assert 0 < generic <= 1
    assert generic_dev_of(details) == generic
    assert any(
        f"it scores {max(scores):.3f}" in note and f"generic model {generic:.3f}" in note
        for note in trained.notes
    )
    folder = lab.folder / "models" / trained.id
    modules = json.loads((folder / "modules.json").read_text())
    assert [m["type"].split(".")[0] for m in modules] == ["sentence_transformers"]
    assert {p.suffix for p in folder.rglob("*") if p.is_file()} <= {".json", ".jsonl", ".safetensors", ".md"}  # fmt: skip
    again = load_encoder(lab, find_model(lab, "small"))
    assert load_training_data(lab).dev.ndcg(again) == pytest.approx(max(scores), abs=1e-6)


def test_the_same_seed_gives_the_same_scores(lab):
    one, two = (train(lab, "static", values=SCRATCH).name for _ in range(2))
    first, second = details_of(lab, one)["dev"], details_of(lab, two)["dev"]
    assert first == second


def test_where_nothing_is_better_the_start_is_published_and_says_so(lab):
    trained = train(lab, "static", "same", {**SCRATCH, "learning_rate": 1e-12})
    details = details_of(lab, "same")
    assert details["is_start"] is True
    assert details["dev"]["kept"] == START
    assert any("untouched start" in note for note in trained.notes)


def test_the_packaged_start_is_the_packaged_model(lab):
    settings = StaticSettings(learning_rate=1e-12, epochs=1)
    taught = learn_static(Request(lab, "packaged", "static", settings), load_training_data(lab))
    assert taught.dev.is_start
    texts = ["fever in the harbour", "who files the summons"]
    made, packaged = (m.encode(texts, normalize_embeddings=True) for m in (taught.model, load()))
    np.testing.assert_allclose(made, packaged, atol=1e-5)
    short = learn_static(
        Request(lab, "short", "static", settings.model_copy(update={"vector_size": 64})),
        load_training_data(lab),
    )
    assert short.model.encode(texts).shape == (2, 64)


def test_a_distilled_model_learned_what_its_teacher_learned(lab, tiny_model):
    tuned = train(lab, "fine-tune", "teacher", {"base": str(tiny_model), "epochs": 1})
    small = train(lab, "static", "small", {"start": "distilled", "base": "teacher", "epochs": 1, "vector_size": 8})  # fmt: skip
    manifest = lab.artifact("models", small.id)
    assert manifest.made_from["base"] == tuned.id
    assert manifest.details["origin"] == "teacher"
    assert manifest.details["dimension"] == 8


def test_a_generic_model_on_a_server_is_not_paid_for(lab, monkeypatch):
    from search.models import registry
    from training import dev_set

    info = registry.generic_info(lab)
    server = type(info)(**{**info.__dict__, "format": "endpoint"})
    monkeypatch.setattr(dev_set, "generic_info", lambda project: server)
    taught = learn_static(
        Request(lab, "x", "static", StaticSettings(**{**SCRATCH, "epochs": 1})),
        load_training_data(lab),
    )
    assert taught.dev.details["generic"] is None
    assert not any("generic model" in note for note in taught.dev.notes)


@pytest.mark.slow
@pytest.mark.sample(1)
@pytest.mark.parametrize("start", ["scratch", "distilled"])
def test_a_run_that_was_killed_is_resumed_from_the_terminal(
    start, lab, tiny_model, call_cli, run_cli
):
    arguments = ["train", "lab", "--recipe", "static"]
    values = {
        **SCRATCH,
        "start": start,
        "base": str(tiny_model),
        "epochs": 100,
        "batch_size": 8,
        "patience": 0,
    }
    for key, value in values.items():
        arguments += ["--set", f"{key}={value}"]
    assert call_cli(*arguments, "--name", "whole").status == 0
    run = runs.start(project("lab"), [*arguments, "--name", "broken"])
    killing.until(lambda: killing.steps(run) > 100, "no steps", 90)
    killing.kill(run)
    before = killing.steps(run)
    assert 100 < before < 800
    assert run_cli("resume", "lab", run.id, timeout=300).returncode == 0
    whole, broken = details_of(lab, "whole"), details_of(lab, "broken")
    assert broken["dev"] == whole["dev"]
    assert not run.checkpoints.exists()


@pytest.mark.slow
def test_on_real_questions_it_beats_its_start(shared_data, workspace):
    made = Project(workspace / "tos")
    import_beir(made, shared_data / "tos_plain_english")
    add_model(made, "static")
    trained = train(made, "static", "mine", {"epochs": 5}, silent)
    scores = made.artifact("models", trained.id).details["dev"]["ndcg@10"]
    start = load_training_data(made).dev.ndcg(load_encoder(made, find_model(made, "static")))
    assert scores[0] == pytest.approx(start, abs=1e-4)
    assert max(scores) >= scores[0]
