"""Same data, recipe and seed: the same figures to the fourth digit, and all that is needed to get them is kept."""

import json
import platform
import sys

import numpy as np
import pytest
import torch

from search.models.registry import find_model
from search.projects.project import project_to_be
from tests.sampled import sampled
from training.train import train

RECIPES = {
    "adapter": {"epochs": 6, "learning_rate": 0.02, "negatives": "auto"},
    "fine-tune": {"epochs": 2, "batch_size": 16, "learning_rate": 1e-3, "hard_negatives": 2},
}
WAYS = [
    *RECIPES.items(),
    ("adapter", {**RECIPES["adapter"], "negatives": "mined", "rank": 4, "side": "query"}),
    ("fine-tune", {**RECIPES["fine-tune"], "lora_rank": 2}),
]


def figures(details):
    dev = details["dev"]
    return {
        "dev": [round(score, 4) for score in dev["ndcg@10"]],
        "kept": dev["kept"],
        "general": round(details["general"]["ndcg@10"], 4),
    }


@pytest.mark.sample(1)
@pytest.mark.parametrize(("recipe", "values"), WAYS)
def test_the_same_again(import_tiny, tiny_model, recipe, values):
    project = project_to_be("tiny")
    import_tiny(project)
    told = {}
    for number, name in enumerate(("one", "two")):
        torch.manual_seed(number)  # Whatever else was drawn in this process makes no difference.
        np.random.seed(number)
        made = train(project, recipe, name, {**values, "base": str(tiny_model)})
        told[name] = project.artifact("models", made.id).details
    assert figures(told["one"]) == figures(told["two"])
    other = train(project, recipe, "three", {**values, "base": str(tiny_model), "seed": 7})
    changed = project.artifact("models", other.id)
    files = {m.id: {n: f.sha256 for n, f in m.files.items() if n.endswith(".safetensors")}
             for m in project.manifests("models")}  # fmt: skip
    first, second = (find_model(project, name).id for name in ("one", "two"))
    assert files[first] == files[second], "to the last bit, here"
    if figures(told["one"])["kept"] != "start" != changed.details["dev"]["kept"]:
        assert files[changed.id] != files[first], "another seed is another model"


@pytest.mark.slow
def test_the_folder_of_a_run_says_what_it_takes(tiny_beir, tiny_model, run_cli, workspace):
    assert run_cli("import", "lab", tiny_beir).returncode == 0
    done = run_cli(
        "train", "lab", "--recipe", "adapter", "--set", f"base={tiny_model}", "--set", "seed=11"
    )
    assert done.returncode == 0, done.stderr
    told = [
        json.loads(path.read_text()) for path in (workspace / "lab" / "runs").glob("*/status.json")
    ]
    (result,) = [status["result"] for status in told if "settings" in status["result"]]
    assert result["settings"]["seed"] == 11 and result["settings"]["base"] == str(tiny_model)
    for kind, parts in (("corpora", "corpus"), ("pairs", "pairs"), ("queries", "queries")):
        (artifact,) = (workspace / "lab" / kind).iterdir()
        assert result["data"][parts] == artifact.name
    assert result["libraries"]["torch"] == torch.__version__
    assert result["libraries"]["python"] == platform.python_version() == sys.version.split()[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "values"),
    [
        ("adapter", []),
        pytest.param(
            "fine-tune",
            ["--set", "epochs=1", "--set", "sequence_length=32"],
            marks=pytest.mark.prove,
        ),
    ],
)
def test_the_real_model_in_two_processes(shared_data, run_cli, workspace, tmp_path, recipe, values):
    part = sampled(
        shared_data / "hinglish_top", tmp_path / "part", {"train": 40, "dev": 40, "test": 5}, 800
    )
    assert run_cli("import", "requests", part).returncode == 0
    for name in ("one", "two"):
        done = run_cli(
            "train", "requests", "--recipe", recipe, "--name", name, *values, timeout=700
        )
        assert done.returncode == 0, done.stderr
    told = [
        json.loads(path.read_text())["details"]
        for path in sorted((workspace / "requests" / "models").glob("*/manifest.json"))
    ]
    assert [details["name"] for details in told] == ["one", "two"]
    assert figures(told[0]) == figures(told[1])
    assert told[0]["dev"]["ndcg@10"][0] > 0.3, "it is the real one"
