"""The loop over a real Milvus server: the commands of a laptop, with one option more."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from search.projects.project import project as existing
from search.retrieval.deletion import delete_project
from tests.conftest import REPOSITORY
from tests.milvus_server import TOKEN
from tests.ui.app_help import columns, open_page, shown

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(900)]
WORDS = ("--set", "vector_size=16", "--set", "min_count=1", "--set", "epochs=3")
QUERY = "what helps against velkorin in the hand?"


@pytest.fixture
def lab(run_cli, tiny_beir, milvus_server, monkeypatch):
    """A project with word vectors, and the server's address and token in the environment."""
    monkeypatch.setenv("BESPOKE_MILVUS_URI", milvus_server.uri)
    monkeypatch.setenv("BESPOKE_MILVUS_TOKEN", TOKEN)
    assert run_cli("import", "lab", tiny_beir).returncode == 0
    done = run_cli("train", "lab", "--recipe", "word2vec", "--name", "words", *WORDS)
    assert done.returncode == 0, done.stderr
    yield existing("lab")
    monkeypatch.setenv("BESPOKE_MILVUS_URI", milvus_server.uri)
    delete_project(existing("lab"))  # What one test leaves on the server is not the next one's.
    assert of_lab(milvus_server) == []


def of_lab(server):
    """The collections of projects on the server, asked by the client itself; other tests leave theirs there."""
    from pymilvus import MilvusClient

    known = MilvusClient(server.uri, token=TOKEN).list_collections()
    return sorted(name for name in known if name.startswith("bespoke_"))


def test_search_evaluate_and_compare_say_what_they_say_with_faiss(lab, run_cli, milvus_server):
    def document(*arguments):
        done = run_cli(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        assert TOKEN not in done.stdout + done.stderr
        return json.loads(done.stdout)

    def told(engine):
        built = run_cli("index", "lab", "--model", "words", "--engine", engine, "--type", "flat")
        assert built.returncode == 0, built.stderr
        newest = existing("lab").newest("indexes")
        assert newest is not None and newest.details["engine"] == engine
        found = document("search", "lab", QUERY, "--model", "words", "-k", 5)
        hits = [(hit["id"], hit["score"]) for hit in found["results"]["words"]["hits"]]
        measured = document("evaluate", "lab", "--model", "bm25", "--model", "words")
        # What a search took, and what had been measured before, differ.
        proof = [measured[part] for part in ("queries", "models", "comparisons", "slices")]
        at = open_page("compare", "lab", q=QUERY, model=["words", "bm25"])
        listed = [(card.title, card.rank) for column in columns(at) for card in column.cards]
        assert len(listed) > 10
        return hits, proof, listed

    there = told("milvus")
    assert len(of_lab(milvus_server)) == 1
    assert told("faiss") == there


def test_a_kill_while_vectors_are_sent_is_made_good_by_the_next_build(lab, run_cli, milvus_server):
    command = [sys.executable, "cli.py", "index", "lab", "--model", "words", "--engine", "milvus"]
    started = subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env=dict(os.environ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not of_lab(milvus_server):  # The collection is there before its vectors are.
        assert started.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(started.pid, signal.SIGKILL)
    started.wait(timeout=30)
    assert existing("lab").manifests("indexes") == []
    assert len(of_lab(milvus_server)) == 1

    done = run_cli("index", "lab", "--model", "words", "--engine", "milvus")
    assert done.returncode == 0, done.stderr
    (index,) = existing("lab").manifests("indexes")
    (left,) = of_lab(milvus_server)
    assert left == index.details["parameters"]["collection"]


def test_a_server_that_is_away_is_one_sentence_everywhere(lab, run_cli, monkeypatch):
    assert run_cli("index", "lab", "--model", "words", "--engine", "milvus").returncode == 0
    monkeypatch.setenv("BESPOKE_MILVUS_URI", "http://127.0.0.1:9")
    for command in (
        ("search", "lab", QUERY, "--model", "words"),
        ("evaluate", "lab", "--model", "bm25", "--model", "words"),
        ("index", "lab", "--model", "words", "--engine", "milvus"),
    ):
        done = run_cli(*command)
        assert done.returncode == 1, command
        assert "Traceback" not in done.stderr
        assert "No Milvus server answers at http://127.0.0.1:9." in done.stderr
        assert TOKEN not in done.stdout + done.stderr
    at = open_page("compare", "lab", q=QUERY, model=["words", "bm25"])
    assert "No Milvus server answers at http://127.0.0.1:9." in shown(at)
