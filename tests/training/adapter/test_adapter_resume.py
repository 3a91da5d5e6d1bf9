"""An adapter whose process was killed or cancelled: nothing half made, and it ends as the model it would have been."""

import json

import killing
import pytest
from safetensors.numpy import load_file

from search.projects import runs
from search.projects.project import project

pytestmark = pytest.mark.slow


def _made(home, name):
    for path in (home / "lab" / "models").glob("*/manifest.json"):
        manifest = json.loads(path.read_text())
        if manifest["details"]["name"] == name:
            return path.parent, manifest["details"]
    raise AssertionError(f"{name} was not published")


@pytest.fixture
def command(tiny_beir, tiny_model, call_cli):
    assert call_cli("import", "lab", tiny_beir).status == 0
    return ["train", "lab", "--recipe", "adapter", "--set", f"base={tiny_model}", "--set", "epochs=1000",
            "--set", "batch_size=2", "--set", "negatives=mined"]  # fmt: skip


def test_a_run_that_was_killed_is_resumed(command, workspace, call_cli):
    command[command.index("epochs=1000")] = "epochs=150"
    assert call_cli(*command, "--name", "whole").status == 0
    lab = project("lab")
    run = runs.start(lab, [*command, "--name", "broken"])
    killing.until(lambda: killing.steps(run) > 300, "no steps", 120)
    killing.kill(run)
    before = killing.steps(run)
    assert not [m for m in lab.manifests("models") if m.details["name"] == "broken"]
    killing.resume(run, 300)
    steps = [e["metrics"]["step"] for e in run.events() if "step" in e["metrics"]]
    assert steps[-1] > before > 300
    (one, of_one), (two, of_two) = _made(workspace, "whole"), _made(workspace, "broken")
    assert of_two["dev"] == of_one["dev"]
    for path in one.rglob("*.safetensors"):
        for name, tensor in load_file(path).items():
            assert (load_file(two / path.relative_to(one))[name] == tensor).all(), name


def test_a_cancelled_run_publishes_nothing_and_can_be_resumed(command):
    lab = project("lab")
    run = runs.start(lab, command)
    killing.checkpointed(run, 120)
    assert run.cancel().state == "cancelled"
    assert not list((lab.folder / "models").glob("*")), "no draft, no model"
    assert [path.name for path in run.checkpoints.iterdir()] == ["adapter.safetensors"]
    assert runs.resumable(run)
