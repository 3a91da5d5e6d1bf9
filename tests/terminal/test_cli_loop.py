"""The whole loop as a person at a terminal walks it: import, index, train, search, evaluate, export."""

import json
import math

import numpy as np
import pytest

from search.projects.project import project as existing
from search.projects.runs import runs
from search.retrieval.search import compare
from training.train import train as train_here

METRICS = ["ndcg@10", "mrr@10", "recall@10", "recall@100", "map@100"]
SETTINGS = {"vector_size": "16", "min_count": "1", "epochs": "3"}


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """Threads that wait for each other on a busy machine take a hundred times as long."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def types_of(content):
    return {key: type(value) for key, value in content.items()}


def test_the_loop(run_cli, call_cli, tiny_beir, tmp_path):
    """The commands that load a library or write a run are processes, one of each kind; the others are typed here."""

    def ok(*arguments):
        done = run_cli(*arguments)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        return done

    def here(*arguments):
        done = call_cli(*arguments)
        assert done.status == 0, done.err
        assert "Traceback" not in done.err
        return done.out

    said = ok("import", "loop", tiny_beir).stdout
    assert said == ("40 documents, 60 pairs to train on, 8 dev queries, 20 test queries.\n")
    settings = [part for key, value in SETTINGS.items() for part in ("--set", f"{key}={value}")]
    assert "The model 'word2vec' is ready." in (
        ok("train", "loop", "--recipe", "word2vec", *settings).stdout
    )
    project = existing("loop")
    (manifest,) = project.manifests("models")
    said = here("index", "loop", "--model", "word2vec")
    assert said.startswith("40 vectors of 16 dimensions in ")
    assert len(project.manifests("indexes")) == 1

    # What the terminal trained is what this process trains: another process, the same model.
    again = train_here(project, "word2vec", "again", SETTINGS)
    assert project.artifact("models", again.id).fingerprint == manifest.fingerprint

    query = "what helps against velkorin in the hand?"
    columns = ("--model", "generic", "--model", "word2vec")
    # Stdout is exactly one JSON document.
    found = json.loads(ok("search", "loop", query, "-k", 4, *columns, "--json").stdout)
    assert list(found) == ["query", "k", "results"]
    assert (found["query"], found["k"]) == (query, 4)
    assert list(found["results"]) == ["generic", "word2vec"]
    for result in found["results"].values():
        assert types_of(result) == {
            "hits": list, "says": type(None), "rough": bool,
            "ms": float, "encode_ms": float, "search_ms": float,
        }  # fmt: skip
        assert [hit["rank"] for hit in result["hits"]] == [1, 2, 3, 4]
        scores = [hit["score"] for hit in result["hits"]]
        assert scores == sorted(scores, reverse=True)
        for hit in result["hits"]:
            assert list(types_of(hit).items()) == [
                ("rank", int),
                ("id", str),
                ("score", float),
                ("title", str),
                ("text", str),
                ("probability", float),
                ("relevant", str),
            ]
    (found_here,) = compare(project, query, ["word2vec"], k=4).results
    theirs = found["results"]["word2vec"]["hits"]
    assert [hit["id"] for hit in theirs] == [hit.id for hit in found_here.hits]
    np.testing.assert_allclose(
        [hit["score"] for hit in theirs], [hit.score for hit in found_here.hits], atol=1e-6
    )
    assert theirs[0]["id"] == "d0", "the document that holds the query's rare word"
    assert theirs[0]["text"] == found_here.hits[0].text

    proof = json.loads(here("evaluate", "loop", "--json"))
    assert list(proof)[:3] == ["queries", "models", "comparisons"]
    assert {"relevant_documents", "left_out", "groups"} <= set(proof)
    assert proof["queries"] == 20
    usual = ["generic", "again", "bm25"]
    assert list(proof["models"]) == usual, "generic, the newest custom model, keyword search"
    for figures in proof["models"].values():
        assert list(figures)[:5] == METRICS
        assert all(type(value) is float and 0 < value <= 1 for value in figures.values())
        assert figures["recall@10"] <= figures["recall@100"] <= 1.0
    test, keywords = proof["comparisons"]
    assert (keywords["baseline"], keywords["candidate"]) == ("generic", "bm25")
    assert proof["headline"] == {"baseline": "generic", "candidate": "again"}
    assert list(types_of(test).items())[:10] == [
        ("baseline", str),
        ("candidate", str),
        ("metric", str),
        ("delta", float),
        ("ci95", list),
        ("p_value", float),
        ("wins", int),
        ("ties", int),
        ("losses", int),
        ("verdict", str),
    ]
    assert (test["baseline"], test["candidate"]) == ("generic", "again")
    assert test["metric"] == "ndcg@10"
    assert test["wins"] + test["ties"] + test["losses"] == 20
    assert [type(bound) for bound in test["ci95"]] == [float, float]
    assert test["ci95"][0] <= test["delta"] <= test["ci95"][1]
    assert test["verdict"] in ("better", "worse", "no clear difference")
    difference = proof["models"]["again"]["ndcg@10"] - proof["models"]["generic"]["ndcg@10"]
    assert math.isclose(test["delta"], difference, abs_tol=1e-9)

    known = json.loads(ok("models", "loop", "--json").stdout)
    assert [list(types_of(model)) for model in known] == [
        ["name", "kind", "recipe", "dim", "created", "default"]
    ] * 3
    assert [(m["name"], m["kind"], m["recipe"], m["dim"]) for m in known] == [
        ("generic", "generic", None, 384),
        ("word2vec", "custom", "word2vec", 16),
        ("again", "custom", "word2vec", 16),
    ]
    assert known[1]["created"] == manifest.created

    said = here("export", "loop", "word2vec", tmp_path / "exported")
    assert str(tmp_path / "exported") in said
    assert (tmp_path / "exported" / "modules.json").is_file()

    verbs = [run.verb for run in runs(project)]
    assert verbs == ["evaluate", "index", "train", "import"], "newest first; searching is no run"
    assert {run.status.state for run in runs(project)} == {"done"}

    refused = run_cli("search", "nowhere", query, "--json")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert len(refused.stderr.strip().splitlines()) == 1


def test_a_query_without_known_words(call_cli, tiny_beir):
    assert call_cli("import", "loop", tiny_beir).status == 0
    train_here(existing("loop"), "word2vec", None, SETTINGS)
    done = call_cli("search", "loop", "zzyzx qqqq", "--model", "word2vec", "--json")
    assert done.status == 0
    assert json.loads(done.out)["results"]["word2vec"]["hits"] == []
    assert "word2vec: no known words in this query" in done.err.splitlines()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["search", "nowhere", "x", "--json"], "There is no project 'nowhere'"),
        (["evaluate", "nowhere", "--json"], "There is no project 'nowhere'"),
        (["train", "nowhere", "--recipe", "word2vec"], "There is no project 'nowhere'"),
        (["import", "new", "no-such-folder"], "There is no file or folder no-such-folder"),
    ],
)
def test_a_refusal_is_one_line_on_stderr(call_cli, workspace, arguments, words):
    done = call_cli(*arguments)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(words)
    assert len(done.err.strip().splitlines()) == 1
    left = {entry.name for entry in workspace.iterdir()} if workspace.exists() else set()
    assert left <= {".locks"}, "no project, only the locks that stay"
