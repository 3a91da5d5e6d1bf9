"""Models by hub id, from a hub on this machine; and a hub that is not there, or does not answer."""

import json
import shutil

import pytest
from fake_hub import NEWER, fake_hub
from huggingface_hub import constants

from search.models.pretrained.checkpoints import looks_like_hub_id
from search.models.pretrained.hub import guard_hub
from search.models.registry import find_model
from search.projects import outgoing
from search.projects.errors import Refused
from search.projects.outgoing import contacts, host_and_port
from search.projects.project import project

MODEL = "somebody/e5-small-tiny"
# Each starts the terminal several times: the hub's address is read when its library is loaded.
slow = pytest.mark.slow


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with fake_hub() as made:
        monkeypatch.setenv("HF_ENDPOINT", made.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hub-cache"))
        monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        yield made


@pytest.fixture
def lab(run_cli, tiny_beir):
    assert run_cli("import", "lab", tiny_beir).returncode == 0
    return "lab"


@pytest.fixture
def published(hub, copy_of):
    """The tiny model on the hub, with files beside it that must not be downloaded."""
    folder = copy_of("published")
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model.onnx").write_bytes(b"x" * 1_000)
    hub.models[MODEL] = folder
    return folder


def test_ids():
    for good in ("intfloat/e5-small-v2", "all-MiniLM-L6-v2", "a.b/c_d"):
        assert looks_like_hub_id(good)
    for odd in (
        "a/b/c",
        "../x",
        ".hidden",
        "-x",
        "two words",
        "",
        "a/",
        "/a",
        "ü/x",
        "https://x/y",
    ):
        assert not looks_like_hub_id(odd)


@pytest.fixture
def library(monkeypatch):
    """The session of the hub's library, guarded; afterwards it is as it was."""
    from huggingface_hub import constants, set_client_factory
    from huggingface_hub.utils import get_session
    from huggingface_hub.utils._http import default_client_factory

    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    outgoing._note_once.cache_clear()
    yield get_session
    set_client_factory(default_client_factory)


def test_where_the_hub_sends_on_to_is_looked_at_and_noted_too(hub, library, monkeypatch):
    with fake_hub() as other:
        there = other.url.replace("127.0.0.1", "localhost")
        hub.moved["/file"] = f"{there}/api/models/a/b"
        guard_hub("a model of the hub")
        assert library().get(f"{hub.url}/file").status_code == 404
        assert other.asked == ["GET /api/models/a/b"]
        noted = {(one.host, one.what) for one in contacts()}
        assert noted == {(host_and_port(url), "a model of the hub") for url in (hub.url, there)}
        monkeypatch.setenv("BESPOKE_BEYOND_LOOPBACK", "1")
        with pytest.raises(Refused, match="is a server of this machine or network"):
            library().get(f"{hub.url}/file")
        monkeypatch.setenv("BESPOKE_SERVERS", host_and_port(hub.url))
        with pytest.raises(Refused, match=f"{host_and_port(there)} is a server of this machine"):
            library().get(f"{hub.url}/file")
        assert len(other.asked) == 1, "the hub was asked again, what it sent on to was not"
        guard_hub("a model of the hub")
        assert constants.HF_HUB_DISABLE_XET


def test_behind_a_proxy_the_hub_alone_is_noted(hub, library, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    before = library()
    guard_hub("a model of the hub")
    assert library() is before
    assert [one.host for one in contacts()] == [host_and_port(constants.ENDPOINT)]


@slow
def test_a_model_of_the_hub_works_without_the_hub_once_it_is_here(
    hub, published, lab, run_cli, monkeypatch
):
    done = run_cli("add-model", "lab", MODEL, "--default")
    assert done.returncode == 0, done.stderr
    assert "'e5-small-tiny', called generic, is ready: 32 dimensions" in done.stdout
    assert "“query: ”" in done.stderr
    info = find_model(project("lab"), "generic")
    details = project("lab").artifact("models", info.id).details
    assert (details["reference"], details["commit"]) == (MODEL, "1" * 40)
    downloaded = {a.rsplit("/", 1)[1] for a in hub.asked if "/resolve/" in a}
    assert "model.safetensors" in downloaded
    assert not downloaded & {"pytorch_model.bin", "model.onnx"}
    hub.commit = NEWER
    hub.asked.clear()
    done = run_cli("search", "lab", "frost", "--model", "generic", "--json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["results"]["generic"]["hits"]) == 10
    assert hub.asked == [], "a version that is here needs no hub"


@slow
def test_what_the_hub_does_not_give_is_one_sentence(hub, published, lab, run_cli, workspace, tree):
    hub.gated.add("big/gated-model")
    (published / "model.safetensors").unlink()
    before = tree(workspace)
    for reference, said in (
        ("nobody/nothing", "The hub has no model nobody/nothing"),
        ("big/gated-model", "only to those who accepted its terms"),
        (MODEL, "no .safetensors weights"),
    ):
        done = run_cli("add-model", "lab", reference)
        assert done.returncode == 2, done.stderr
        assert said in done.stderr and "Traceback" not in done.stderr
        assert len(done.stderr.strip().splitlines()) <= 3
    after = tree(workspace)
    assert {path: after[path] for path in after if not path.startswith(".logs")} == before
    asked = [json.loads(line) for line in after[".logs/hosts.jsonl"].splitlines() if line]
    assert {line["what"] for line in asked} == {"a model of the hub"}, (
        "that it was asked stays noted"
    )


@slow
@pytest.mark.sample(2)
@pytest.mark.parametrize("how", ["nobody there", "no such host", "offline", "silent"])
def test_a_hub_that_cannot_be_reached_is_one_sentence_soon(hub, lab, run_cli, monkeypatch, how):
    if how == "nobody there":
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    elif how == "no such host":
        monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    elif how == "offline":
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    else:
        hub.silent = True
    done = run_cli("add-model", "lab", "somebody/model", timeout=100)
    assert done.returncode == 2, done.stderr
    line = done.stderr.strip().splitlines()[-1]
    assert line.startswith("The hub cannot be reached, and somebody/model is not on this machine.")
    assert "give the folder of a model instead" in line and "Traceback" not in done.stderr
    assert len(hub.asked) <= 2, "each question to a silent hub is ten seconds of waiting"


@slow
def test_a_version_that_left_this_machine_is_had_again_or_told(
    hub, published, lab, run_cli, tmp_path, monkeypatch
):
    assert run_cli("add-model", "lab", MODEL).returncode == 0
    shutil.rmtree(tmp_path / "hub-cache")
    assert run_cli("index", "lab", "--model", "e5-small-tiny").returncode == 0
    shutil.rmtree(tmp_path / "hub-cache")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    done = run_cli("search", "lab", "frost", "--model", "e5-small-tiny")
    assert done.returncode in (1, 2)
    assert "The hub cannot be reached" in done.stderr


@slow
def test_advice_downloads_what_it_said_and_measures_it(hub, published, lab, run_cli):
    hub.models = {"Snowflake/snowflake-arctic-embed-xs": published}
    offered = run_cli("advise", "lab")
    assert offered.returncode == 0, offered.stderr
    assert hub.asked == [], "nothing is asked unasked"
    assert (
        "To download 608 MB and measure them too: python cli.py advise lab --download."
        in offered.stderr
    )
    done = run_cli("advise", "lab", "--download")
    assert done.returncode == 0, done.stderr
    assert "   Snowflake/snowflake-arctic-embed-xs: " in done.stdout
    assert "The hub has no model MongoDB/mdbr-leaf-ir" in done.stderr
    assert "What is on this machine was measured without it." in done.stderr
