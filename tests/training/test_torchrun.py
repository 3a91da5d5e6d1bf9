"""Fine-tuning in two processes, started by torchrun as a person would: the same model as one process makes."""

import json
import os
import subprocess
import sys

import pytest

from search.projects.errors import Refused
from tests.conftest import REPOSITORY
from training.distributed import alone, check_shareable, helps_only, own_part


def torchrun(processes, *arguments, timeout=240):
    """`torchrun --nproc-per-node=N cli.py ...` on this machine's CPU; its own free port."""
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}",
        "cli.py", *map(str, arguments),
    ]  # fmt: skip
    return subprocess.run(
        command,
        cwd=REPOSITORY,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )


@pytest.fixture
def calm_model(tiny_model, tmp_path):
    """The tiny model without dropout, so that who draws which random number does not matter."""
    import shutil

    folder = tmp_path / "calm"
    shutil.copytree(tiny_model, folder)
    (path,) = [p for p in folder.rglob("config.json") if "hidden_dropout_prob" in p.read_text()]
    config = json.loads(path.read_text())
    config.update(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    path.write_text(json.dumps(config))
    return folder


def weights(workspace, name):
    from safetensors.numpy import load_file

    for manifest in (workspace / "lab" / "models").glob("*/manifest.json"):
        if json.loads(manifest.read_text())["details"]["name"] == name:
            details = json.loads(manifest.read_text())["details"]
            (path,) = manifest.parent.rglob("model.safetensors")
            return load_file(path), details
    raise AssertionError(f"{name} was not published")


@pytest.mark.slow
@pytest.mark.sample(1)
@pytest.mark.parametrize("more", [(), ("--set", "mini_batch=3", "--set", "dimensions=16")])
def test_two_processes_learn_what_one_learns(tiny_beir, calm_model, workspace, call_cli, more):
    # One query a document, in full batches: else two processes may leave out a row that one would take.
    train = tiny_beir / "qrels" / "train.tsv"
    train.write_text("".join(train.read_text().splitlines(keepends=True)[:25]))
    assert call_cli("import", "lab", tiny_beir).status == 0
    settings = ("--set", f"base={calm_model}", "--set", "epochs=6", "--set", "batch_size=8",
                "--set", "learning_rate=2e-3", "--set", "bf16=false", *more)  # fmt: skip
    recipe = ("train", "lab", "--recipe", "fine-tune")
    alone_ = call_cli(*recipe, "--name", "alone", *settings)
    assert alone_.status == 0, alone_.err
    both = torchrun(2, *recipe, "--name", "both", *settings)
    assert both.returncode == 0, both.stderr
    assert both.stdout.count("The model 'both' is ready.") == 1
    one, facts_of_one = weights(workspace, "alone")
    two, facts_of_two = weights(workspace, "both")
    assert facts_of_one["dev"]["kept"] != "start", "nothing was learned, so nothing is compared"
    assert facts_of_two["dev"]["ndcg@10"] == pytest.approx(facts_of_one["dev"]["ndcg@10"], abs=0.02)
    assert one.keys() == two.keys()
    import numpy as np

    for name, tensor in one.items():
        np.testing.assert_allclose(two[name], tensor, atol=2e-4, err_msg=name)
    runs = [json.loads(p.read_text()) for p in (workspace / "lab" / "runs").glob("*/status.json")]
    assert [run["state"] for run in runs].count("done") == len(runs) == 3
    assert len(list((workspace / "lab" / "models").glob("*/manifest.json"))) == 2


@pytest.mark.slow
def test_other_recipes_and_mistakes_are_refused_once(tiny_beir, call_cli):
    assert call_cli("import", "lab", tiny_beir).status == 0
    done = torchrun(2, "train", "lab", "--recipe", "adapter")
    assert done.returncode != 0
    assert done.stderr.count("Only fine-tune trains in several processes") == 1


def test_a_batch_is_shared_in_equal_parts(monkeypatch):
    assert alone() and not helps_only()
    assert own_part(range(10)) == range(10)
    check_shareable(1)
    monkeypatch.setenv("WORLD_SIZE", "4")
    parts = []
    for rank in range(4):
        monkeypatch.setenv("RANK", str(rank))
        parts.append(list(own_part(range(8))))
    assert parts == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert helps_only() and not alone()
    check_shareable(4)
    with pytest.raises(Refused, match="4 processes cannot share 3 pairs"):
        check_shareable(3)
