"""`verify` against somebody else's server in an environment of its own: infinity, which serves what `export` wrote."""

import json
import os
import subprocess
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense
from torch.nn import Identity

from search.models.pretrained.add import Choices, add_model
from search.verification.verify import verify
from serving.listening import bound
from training.export.export import export

pytestmark = [pytest.mark.slow, pytest.mark.prove, pytest.mark.usefixtures("one_thread")]

# The last transformers that its own versions of sentence-transformers and optimum were made for.
PACKAGES = ("infinity-emb[torch,server]==0.0.78", "transformers==4.49.0")
QUIET = {
    "INFINITY_ANONYMOUS_USAGE_STATS": "0",  # It tells its makers how it is used, unless told not to.
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
}


@pytest.fixture(scope="module")
def infinity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its command, installed."""
    home = tmp_path_factory.mktemp("infinity")
    venv.create(home, with_pip=True)
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", *PACKAGES]
    installed = subprocess.run(pip, check=False, capture_output=True, text=True)
    assert installed.returncode == 0, installed.stderr[-500:]
    return home / "bin" / "infinity_emb"


@contextmanager
def served(command: Path, folder: Path, log: Path) -> Iterator[str]:
    """The server of a model's folder, at its address."""
    with bound("localhost", 0) as free:
        port = free.getsockname()[1]
    options = {
        "--model-id": folder,
        "--served-model-name": "mine",
        "--port": port,
        "--host": "127.0.0.1",
        "--url-prefix": "/v1",
        "--device": "cpu",
        "--dtype": "float32",
        "--engine": "torch",
    }
    line = [command, "v2", *(str(part) for pair in options.items() for part in pair)]
    line += ["--no-trust-remote-code", "--no-bettertransformer", "--no-model-warmup"]
    with log.open("wb") as said:
        process = subprocess.Popen(line, stdout=said, stderr=said, env={**os.environ, **QUIET})
    try:
        deadline = time.monotonic() + 300
        while True:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-2_000:]
            try:
                httpx2.get(f"http://127.0.0.1:{port}/v1/models", trust_env=False)
                break
            except httpx2.TransportError:
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(60)


def test_it_is_right_where_prompts_are_sent_and_told_where_they_are_not(
    infinity, project, tmp_path
):
    export(project, "generic", tmp_path / "out")
    with served(infinity, tmp_path / "out", tmp_path / "log") as url:
        right = verify(project, "generic", url, "mine", prompts_by="client")
        wrong = verify(project, "generic", url, "mine")
    assert right.is_right and right.lowest > 0.9999, right.sentences
    assert {fault.name for fault in wrong.faults} == {"prompt missing"}, wrong.sentences


def test_a_dense_is_served_and_one_that_is_lost_is_told(infinity, project, tiny_model, tmp_path):
    model = SentenceTransformer(str(tiny_model), device="cpu")
    model.append(Dense(32, 32, activation_function=Identity()))
    model.save(str(tmp_path / "turned"), create_model_card=False)
    add_model(project, str(tmp_path / "turned"), Choices(name="turned"))
    export(project, "turned", tmp_path / "out")
    modules = tmp_path / "out" / "modules.json"
    with served(infinity, tmp_path / "out", tmp_path / "log") as url:
        right = verify(project, "turned", url, "mine")
    assert right.is_right and right.lowest > 0.9999, right.sentences
    rows = json.loads(modules.read_text(encoding="utf-8"))
    assert [row["type"].rsplit(".")[-1] for row in rows].count("Dense") == 1
    modules.write_text(json.dumps([row for row in rows if "Dense" not in row["type"]]))
    with served(infinity, tmp_path / "out", tmp_path / "log") as url:
        wrong = verify(project, "turned", url, "mine")
    assert {fault.name for fault in wrong.faults} == {"Dense missing"}, wrong.sentences
