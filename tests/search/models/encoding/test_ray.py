"""Encoding with Ray Data on a Ray of this machine: the vectors of a local encode, whoever computed them."""

import sys

import numpy as np
import psutil
import pytest
from killing import until

from search.models.encoding.ray import RayEncoding, Workers, ray_encoding
from search.models.sentence_transformer import load_sentence_transformer
from search.projects import runs
from search.projects.errors import Failed, Refused
from search.projects.project import project
from tests.conftest import tiny_text
from tests.sampled import sampled

TEXTS = [tiny_text(number % 40) + " again" * (number % 7) for number in range(300)]


@pytest.mark.parametrize(
    ("cpus", "gpus", "wanted"),
    [
        (1, 0, Workers(1, 0.5, 0.0, 1)),
        (2, 0, Workers(2, 0.5, 0.0, 1)),
        (7, 0, Workers(7, 0.5, 0.0, 1)),
        (8, 0, Workers(1, 4.0, 0.0, 4)),
        (64, 0, Workers(15, 4.0, 0.0, 4)),
        (16, 4, Workers(4, 1.0, 1.0, 1)),
        (4, 4, Workers(4, 0.5, 1.0, 1)),
    ],
)
def test_workers_leave_ray_some_processors(cpus, gpus, wanted):
    made = Workers.of(cpus, gpus)
    assert made == wanted
    assert made.count * made.cpus < cpus
    assert made.count * made.gpus <= gpus


def test_ray_that_is_missing_is_one_sentence(monkeypatch, tiny_model):
    monkeypatch.setitem(sys.modules, "ray", None)
    encoder = load_sentence_transformer(tiny_model)
    with pytest.raises(Refused, match=r"Ray is not installed.*pip install"), ray_encoding(encoder):
        pass


def test_what_is_no_transformer_is_refused():
    with pytest.raises(Refused, match="Only transformer models"), ray_encoding(object()):
        pass


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(400)
def test_vectors_are_those_of_a_local_encode_and_the_model_is_loaded_once(tiny_model):
    encoder = load_sentence_transformer(tiny_model)
    found = np.zeros((len(TEXTS), 32), dtype=np.float32)
    seen: list[int] = []
    before = psutil.Process().children(recursive=True)
    with ray_encoding(encoder) as cluster:
        assert isinstance(cluster, RayEncoding)
        for places, vectors in cluster.batches(TEXTS):
            found[places] = vectors
            seen += places
    assert sorted(seen) == list(range(len(TEXTS)))
    local = encoder.encode_document(TEXTS)
    cosines = (
        (found * local).sum(axis=1) / np.linalg.norm(found, axis=1) / np.linalg.norm(local, axis=1)
    )
    assert cosines.min() > 0.999999
    np.testing.assert_allclose(found, local, atol=1e-5)
    import ray

    assert not ray.is_initialized()
    left = [p for p in psutil.Process().children(recursive=True) if p not in before]
    assert not left, "a worker lives on"


def test_a_cluster_that_does_not_answer_is_one_sentence_at_once(tiny_model, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    encoder = load_sentence_transformer(tiny_model)
    with pytest.raises(Failed, match="No Ray cluster answers at 127"), ray_encoding(encoder):
        pass


@pytest.mark.prove
@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(400)
def test_an_index_encoded_with_ray_is_the_one_encoded_here(
    tiny_beir, tiny_model, workspace, run_cli
):
    """From the command line, with a model of the project; what the store knows is not sent out."""
    import json

    assert run_cli("import", "lab", tiny_beir).returncode == 0
    assert run_cli("add-model", "lab", tiny_model, "--name", "tiny").returncode == 0
    done = run_cli("index", "lab", "--model", "tiny", "--encode-with", "ray", timeout=300)
    assert done.returncode == 0, done.stderr
    (path,) = (workspace / "lab" / "indexes").glob("*/manifest.json")
    details = json.loads(path.read_text())["details"]
    assert details["encoding"]["backend"] == "ray"
    assert details["reused"] == 0
    sent = np.load(path.parent / "vectors.npy", allow_pickle=False)
    from tests.conftest import SIGNS

    texts = [f"{SIGNS[number].title()} {tiny_text(number)}" for number in range(40)]
    local = load_sentence_transformer(tiny_model).encode_document(texts)
    local /= np.linalg.norm(local, axis=1, keepdims=True)
    assert (sent * local).sum(axis=1).min() > 0.999999
    again = run_cli("index", "lab", "--model", "tiny")
    assert again.returncode == 0, again.stderr
    newest = max((workspace / "lab" / "indexes").glob("*/manifest.json"))
    assert json.loads(newest.read_text())["details"]["reused"] == 40


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(400)
def test_a_cancelled_run_leaves_no_index_and_no_ray_and_keeps_what_was_encoded(
    shared_data, tmp_path, workspace, call_cli
):
    splits = {"train": 40, "test": 10}
    part = sampled(shared_data / "ask_cfpb", tmp_path / "part", splits, documents=600)
    assert call_cli("import", "lab", part).status == 0
    lab = project("lab")
    run = runs.start(lab, ["index", "lab", "--encode-with", "ray"])
    until(
        lambda: run.status.state in runs.OVER or run.status.done >= 128,
        "it does not begin",
        200,
    )
    known = psutil.Process(run.status.pid).children(recursive=True)
    assert any("ray" in " ".join(process.cmdline()) for process in known)
    assert run.cancel(60).state == "cancelled", run.log()
    until(lambda: not [process for process in known if process.is_running()], "Ray lives")
    assert lab.manifests("indexes") == []
    assert not list((lab.folder / "indexes").glob(".*")), "no draft"
    assert call_cli("index", "lab").status == 0
    (index,) = lab.manifests("indexes")
    assert index.details["reused"] >= 64
