"""A fine-tune that was stopped goes on where it was, and ends as the model it would have been."""

import json

import killing
import numpy as np
import pytest
import torch

from search.corpus.corpus import current_corpus
from search.models.sentence_transformer import load_sentence_transformer
from search.projects import runs
from search.projects.errors import Cancelled
from search.projects.progress import silent
from search.projects.project import Project, project
from training.checkpoints import Checkpointer
from training.data.pair_sets import current_pairs
from training.dev_set import DevSet
from training.fine_tune.loop import fine_tune
from training.fine_tune.settings import FineTuneSettings
from training.fine_tune.weights import weights_of

SETTINGS = {"epochs": 4, "batch_size": 16, "learning_rate": 1e-3}


@pytest.fixture
def material(tmp_path, import_tiny):
    made = Project(tmp_path / "workspace" / "p")
    import_tiny(made)
    pair_set = current_pairs(made)[1]
    return pair_set.pairs, DevSet.of(current_corpus(made)[1], pair_set.dev)


@pytest.mark.sample(1)
@pytest.mark.parametrize("changes", [{}, {"lora_rank": 4, "dimensions": (8,)}, {"patience": 1}])
@pytest.mark.parametrize("stopped_in", ["epoch 2 of 4", "epoch 3 of 4"])
def test_what_was_stopped_ends_as_if_it_had_not_been(
    tiny_model, material, tmp_path, changes, stopped_in
):
    pairs, dev = material
    settings = FineTuneSettings(**{**SETTINGS, **changes})
    whole = load_sentence_transformer(tiny_model)
    curve: list[dict[str, float]] = []
    unbroken = fine_tune(
        whole,
        pairs,
        dev,
        settings,
        lambda *_, **__: curve.append(_[3]) if len(_) > 3 and _[3] else None,
    )
    kept = Checkpointer(tmp_path / "kept", {"settings": settings.model_dump(mode="json")})
    reached = 0

    def stop(done, total, message, metrics=None):
        nonlocal reached
        reached += message == stopped_in
        if reached == 3:  # In the midst of an epoch, two steps after the last checkpoint.
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        fine_tune(load_sentence_transformer(tiny_model), pairs, dev, settings, stop, kept)
    assert [path.suffix for path in (tmp_path / "kept").iterdir()] == [".safetensors"]
    torch.rand(5)  # Another process has drawn other random numbers.
    told: list[tuple[str, dict[str, float] | None]] = []
    model = load_sentence_transformer(tiny_model)
    again = fine_tune(
        model, pairs, dev, settings, lambda d, t, m, x=None: told.append((m, x)), kept
    )
    assert again == unbroken, "scores, blends, steps, what was kept"
    for name, tensor in weights_of(whole).items():
        assert torch.equal(weights_of(model)[name], tensor), name
    assert [x for _, x in told if x and x.get("epoch")] == [x for x in curve if x.get("epoch")], (
        "the curve is told again"
    )
    measured = {m for m, _ in told if m.startswith("measuring")}
    assert "measuring the dev score after epoch 1" not in measured, "but not measured again"


def test_other_settings_begin_anew(tiny_model, material, tmp_path):
    pairs, dev = material
    one = Checkpointer(tmp_path / "kept", {"seed": 1})
    fine_tune(
        load_sentence_transformer(tiny_model), pairs, dev, FineTuneSettings(**SETTINGS), silent, one
    )
    steps = []
    fine_tune(
        load_sentence_transformer(tiny_model), pairs, dev, FineTuneSettings(**SETTINGS),
        lambda d, t, m, x=None: steps.append(x["step"]) if x and "step" in x else None,
        Checkpointer(tmp_path / "kept", {"seed": 2}),
    )  # fmt: skip
    assert steps[0] == 1


def _details(home, name):
    for path in (home / "lab" / "models").glob("*/manifest.json"):
        manifest = json.loads(path.read_text())
        if manifest["details"]["name"] == name:
            return path.parent, manifest["details"]
    raise AssertionError(f"{name} was not published")


@pytest.mark.slow
def test_a_run_that_was_killed_is_resumed(tiny_beir, tiny_model, workspace, call_cli):
    from safetensors.numpy import load_file

    assert call_cli("import", "lab", tiny_beir).status == 0
    arguments = ["train", "lab", "--recipe", "fine-tune", "--set", f"base={tiny_model}",
                 "--set", "epochs=60", "--set", "batch_size=16", "--set", "patience=0"]  # fmt: skip
    assert call_cli(*arguments, "--name", "whole").status == 0
    lab = project("lab")
    run = runs.start(lab, [*arguments, "--name", "broken"])
    killing.until(lambda: run.checkpoints.is_dir() and killing.steps(run) > 80, "no steps")
    killing.kill(run)
    before = killing.steps(run)
    assert 80 < before < 240
    killing.resume(run, 120)
    one, facts_of_one = _details(workspace, "whole")
    two, facts_of_two = _details(workspace, "broken")
    assert facts_of_two["dev"] == facts_of_one["dev"]
    for path in one.rglob("*.safetensors"):
        for name, tensor in load_file(path).items():
            other = load_file(two / path.relative_to(one))[name]
            np.testing.assert_allclose(other, tensor, atol=1e-5, err_msg=name)


@pytest.mark.slow
def test_a_cancelled_run_publishes_nothing_and_can_be_resumed(
    tiny_beir, tiny_model, workspace, call_cli
):
    assert call_cli("import", "lab", tiny_beir).status == 0
    lab = project("lab")
    run = runs.start(
        lab,
        ["train", "lab", "--recipe", "fine-tune", "--set", f"base={tiny_model}", "--set", "epochs=100",
         "--set", "batch_size=8", "--set", "patience=0"],
    )  # fmt: skip
    killing.checkpointed(run, 60)
    assert run.cancel().state == "cancelled"
    assert not list((lab.folder / "models").glob("*")), "no draft, no model"
    assert {path.suffix for path in run.checkpoints.iterdir()} == {".safetensors"}
    assert runs.resumable(run)
