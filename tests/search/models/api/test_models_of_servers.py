"""A server's model in a project: added, indexed, searched, evaluated, trained upon; stopped and gone on with."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from bad_server import DIMENSION, KEY, vector

from search.corpus.corpus import current_corpus
from search.evaluation.evaluate import evaluate
from search.models.load import load_encoder
from search.models.pretrained.add import Choices, add_model
from search.models.registry import find_model
from search.projects.errors import Failed, Refused
from search.projects.project import project_to_be
from search.retrieval.indexing.build import find_index, index_model
from search.retrieval.search import compare
from training.export.export import export
from training.train import train

REPOSITORY = Path(__file__).resolve().parents[4]
VARIABLE = "BESPOKE_KEY_TEST"


@pytest.fixture
def lab(import_tiny):
    project = project_to_be("lab")
    import_tiny(project)
    return project


@pytest.fixture
def of_server(server):
    return {"base_url": server.url, "key_variable": VARIABLE, "batch_texts": 8, "retries": 0}


@pytest.fixture
def bad(lab, server, of_server):
    info = add_model(lab, "bad", Choices(server=of_server)).info
    server.requests.clear()
    server.answered.clear()
    return info


def test_adding_asks_for_one_vector_and_notes_everything_but_the_key(lab, server, of_server, tree):
    info = add_model(lab, "nomic-embed-text:latest", Choices(server=of_server)).info
    assert (info.name, info.dimension, info.format) == (
        "nomic-embed-text-latest", DIMENSION, "endpoint",
    )  # fmt: skip
    assert info.as_json()["reference"] == "nomic-embed-text:latest"
    assert server.texts == ["probe"]
    details = lab.artifact("models", info.id).details
    assert details["prompts"]["query"] == "search_query: "
    assert details["settings"]["key_variable"] == VARIABLE
    content = b"".join(c for c in tree(lab.folder).values() if c)
    assert KEY.encode() not in content
    encoder = load_encoder(lab, info)
    np.testing.assert_array_equal(encoder.encode_query(["x"]), [vector("search_query: x")])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"base_url": "ftp://x"}, "--base-url: must begin with http"),
        ({"base_url": "localhost:8000/v1"}, "--base-url: must begin with http"),
        ({"base_url": "https://me:pw@host/v1"}, "--base-url: must hold no user, password"),
        ({"base_url": "https://host/v1?key=sk-1"}, "--base-url: must hold no user, password"),
        ({"key_variable": "sk-very-secret-7f3a9c"}, "--key-variable: must be the name of an env"),
        ({"key_variable": "NOT_SET_ANYWHERE"}, "holds no key for servers"),
        ({"key_variable": "BESPOKE_KEY_NOWHERE"}, "BESPOKE_KEY_NOWHERE is not set"),
        ({"dimensions": 0}, "--dimensions: input should be greater than"),
        ({"max_tokens": 0}, "--max-tokens: input should be"),
        ({"price": -1}, "--price: input should be"),
        ({"timeout": 0}, "--timeout: input should be"),
        ({"batch_texts": 100_000}, "--batch-texts: input should be"),
        ({"base_url": "http://127.0.0.1:9/v1"}, "the connection failed.*No model was added"),
    ],
)
def test_wrong_settings_are_refused_and_nothing_is_changed(
    lab, server, of_server, tree, change, said
):
    before = tree(lab.folder)
    with pytest.raises(Refused, match=said) as told:
        add_model(lab, "bad", Choices(server={**of_server, **change}))
    assert "sk-" not in str(told.value) and "me:pw" not in str(told.value)
    assert tree(lab.folder) == before
    assert server.requests == []


def test_openai_goes_without_saying(lab, monkeypatch):
    """Its address, its variable and its longest text are known; nothing is sent without the key."""
    from search.models.api.settings import api_settings

    for model in ("text-embedding-ada-002", "text-embedding-3-small", "text-embedding-3-large"):
        made = api_settings({"model": model})
        assert (made.base_url, made.key_variable) == ("https://api.openai.com/v1", "OPENAI_API_KEY")
        assert made.max_length == 8_191
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(Refused, match="environment variable OPENAI_API_KEY is not set"):
        add_model(lab, "text-embedding-3-small", Choices(server={"dimensions": 256}))


def test_a_key_in_plain_sight_is_told(lab):
    from search.models.api.settings import ApiSettings

    def seen(url, key="KEY"):
        return ApiSettings(base_url=url, model="m", key_variable=key).in_plain_sight

    assert seen("http://gpu-box:8000/v1") and seen("http://10.0.0.7/v1")
    assert not seen("https://gpu-box/v1") and not seen("http://gpu-box/v1", None)
    assert not seen("http://localhost:1/v1") and not seen("http://127.0.0.1/v1")
    assert not seen("http://[::1]:8/v1")


def test_index_search_evaluate_and_export(lab, server, bad, tmp_path):
    made = index_model(lab, "bad")
    _, corpus = current_corpus(lab)
    texts = corpus.embedded_texts(0, corpus.passages)
    assert sorted(server.texts) == sorted(texts), "each passage once"
    assert all(len(r.texts) <= 8 for r in server.requests)
    assert find_index(lab, bad, lab.newest("corpora")).id == made.id
    found = compare(lab, texts[7], ["bad", "bm25"], 3).results[0]
    assert found.hits[0].id == "d7"
    assert found.hits[0].score == pytest.approx(1.0, abs=1e-5)
    server.requests.clear()
    result = evaluate(lab, ["bad", "bm25"])
    assert len(result.queries) == 20
    assert set(server.texts) == set(result.texts)
    server.requests.clear()
    again = evaluate(lab, ["bad", "bm25"])
    assert again.scores == result.scores
    index_model(lab, "bad")
    assert server.requests == [], "queries and passages are remembered"
    with pytest.raises(Refused, match="computed by a server"):
        export(lab, "bad", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_another_project_pays_nothing_for_the_same_texts(lab, server, bad, of_server, import_tiny):
    index_model(lab, "bad")
    other = project_to_be("other")
    import_tiny(other)
    add_model(other, "bad", Choices(server=of_server))
    server.requests.clear()
    index_model(other, "bad")
    assert server.requests == []


def test_an_adapter_on_a_server(lab, server, bad, tmp_path):
    made = train(lab, "adapter", "mine", {"base": "bad", "epochs": 3})
    details = lab.artifact("models", made.id).details
    assert details["format"] == "matrix" and details["adapter_of"] == bad.id
    info = find_model(lab, "mine")
    encoder = load_encoder(lab, info)
    matrix = encoder.matrix
    assert matrix.shape == (DIMENSION, DIMENSION)
    turned = vector("frost") @ matrix.T
    np.testing.assert_allclose(
        encoder.encode_query(["frost"])[0], turned / np.linalg.norm(turned), atol=1e-6
    )
    assert not encoder.encode_document([""]).any()
    server.requests.clear()
    index = index_model(lab, "mine")
    assert server.requests == [], "its index is one matrix product"
    assert index.details["vectors"] == 40
    evaluate(lab, ["bad", "mine"])
    second = train(lab, "adapter", "second", {"base": "mine", "epochs": 1})
    assert lab.artifact("models", second.id).details["adapter_of"] == info.id
    with pytest.raises(Refused, match=r"matrix over vectors that a server computes"):
        export(lab, "mine", tmp_path / "out")
    for base in ("bad", "mine"):
        with pytest.raises(Refused, match=r"computed by a server.*--recipe adapter --set base="):
            train(lab, "fine-tune", "tuned", {"base": base})


def test_an_adapter_whose_base_is_gone(lab, server, bad):
    import shutil

    train(lab, "adapter", "mine", {"base": "bad", "epochs": 1})
    shutil.rmtree(lab.folder / "models" / bad.id)
    with pytest.raises(Failed, match="an adapter on a model that is gone"):
        load_encoder(lab, find_model(lab, "mine"))


def test_an_index_over_the_cap_is_refused_and_can_be_allowed(lab, server, of_server, tree):
    add_model(lab, "bad", Choices(server={**of_server, "max_tokens": 500, "price": 0.1}))
    server.requests.clear()
    before = tree(lab.folder)
    with pytest.raises(Refused, match=r"about [\d,]+ tokens in 40 texts, less than a cent") as told:
        index_model(lab, "bad")
    assert server.requests == [] and tree(lab.folder) == before
    allowed = int(str(told.value).rsplit("--max-tokens ", 1)[1].rstrip("."))
    index_model(lab, "bad", max_tokens=allowed)
    assert len(server.texts) == 40


def test_an_index_that_failed_goes_on_where_it_was(lab, server, bad, tree):
    server.script.extend(["good", "good", "dead"])
    with pytest.raises(Failed, match="goes on from there"):
        index_model(lab, "bad")
    assert not (lab.folder / "indexes").exists() or not list((lab.folder / "indexes").iterdir())
    assert len(server.answered) == 16
    answered = set(server.answered)
    server.requests.clear()
    index_model(lab, "bad")
    assert len(server.texts) == 24 and not answered & set(server.texts)


def test_a_killed_index_goes_on_where_it_was(lab, server, bad, run_cli):
    """SIGKILL in the middle of a request: what was answered before is on disk."""
    server.script.extend(["good", "good", "good", "slow:20"])
    process = subprocess.Popen(
        [sys.executable, "cli.py", "index", "lab", "--model", "bad"],
        cwd=REPOSITORY,
        env=dict(os.environ),
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 90
    while len(server.requests) < 4 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    answered = set(server.answered)
    assert len(answered) == 24
    server.requests.clear()
    done = run_cli("index", "lab", "--model", "bad")
    assert done.returncode == 0, done.stderr
    assert len(server.texts) == 16 and not answered & set(server.texts)


@pytest.mark.slow
def test_the_key_is_in_no_file_and_no_output(lab, server, of_server, run_cli, workspace):
    """Through the terminal, with every kind of failure that could tell it."""
    shown = []

    def run(*arguments):
        done = run_cli(*arguments)
        shown.extend([done.stdout, done.stderr])
        return done.returncode

    # A refused request is sent again with fewer texts, down to one.
    server.script.extend(["good", *["echo"] * 20])
    options = ("--base-url", server.url, "--key-variable", VARIABLE, "--retries", 0)
    assert run("add-model", "lab", "bad", *options) == 0
    assert run("index", "lab", "--model", "bad") == 1
    server.script.clear()
    assert run("add-model", "lab", "b", "--base-url", server.url, "--key-variable", KEY) == 2
    assert run("index", "lab", "--model", "bad") == 0
    assert run("search", "lab", "frost", "--model", "bad", "--json") == 0
    assert run("models", "lab", "--json") == 0
    assert json.loads(shown[-2])[1]["format"] == "endpoint"
    server.key = "another"
    assert run("search", "lab", "dust", "--model", "bad") == 1
    said = "".join(shown)
    assert "refused the key" in said and "bad request by ***" in said
    assert KEY not in said
    for path in workspace.rglob("*"):
        if path.is_file() and path.parent.parent.name != "runs":
            assert KEY.encode() not in path.read_bytes(), path
    runs = [p for p in workspace.rglob("*") if p.is_file() and p.parent.parent.name == "runs"]
    assert runs and not [p for p in runs if KEY.encode() in p.read_bytes()]
