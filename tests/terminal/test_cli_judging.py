"""Judging from a terminal: lined up, exported, imported, evaluated, trained on."""

import json

import pytest

from search.evaluation.query_sets.query_set import current_query_set
from search.judging.setup import Setup, saved_setup
from search.judging.store import JudgmentStore, Question
from search.judging.votes import grade, vote
from search.projects import audit
from search.projects.project import project
from training.data.pair_sets import current_pairs


@pytest.fixture
def lab(call_cli, tiny_beir):
    assert call_cli("import", "lab", tiny_beir).status == 0
    done = call_cli("train", "lab", "--recipe", "word2vec", "--name", "words", "--set", "epochs=2")
    assert done.status == 0, done.err
    return project("lab")


def _judge(lab, count=6):
    """Anna graded the known answer of some test questions, and of three of her own, and voted on each."""
    store, pair = JudgmentStore.of(lab), Setup("bm25", "words").pair
    _, held = current_query_set(lab)
    store.join("Anna")
    store.ask(Question(q, text, "query set") for q, text in held.queries.items())
    for question in list(held.queries)[:count]:
        store.add([vote("Anna", question, pair, "first")])
        store.add([grade("Anna", question, next(iter(held.relevant(question))), 3)])
    for number in (1, 3, 5):
        own = store.ask_typed(f"my own question number {number}")
        store.add([grade("Anna", own.id, f"d{number}", 3), grade("Anna", own.id, "d9", 0)])


@pytest.mark.slow
def test_from_questions_to_a_proof(lab, call_cli, tmp_path):
    refused = call_cli("questions", "lab", "--column", "bm25")
    assert refused.status == 2 and "two columns are compared" in refused.err
    done = call_cli(
        "questions", "lab", "--column", "words", "--column", "bm25", "--depth", 4, "--goal", 12,
        "--reveal", "never", "--ask", "frost on the hand?",
    )  # fmt: skip
    assert done.status == 0, done.err
    assert done.out == "21 questions are lined up, 21 of them searched now.\n"
    assert saved_setup(lab) == Setup("words", "bm25", "lists", 4, 12, "never")

    empty = json.loads(call_cli("judgments", "lab", "--json").out)
    assert empty["preferences"]["verdict"] == "Nobody has voted yet." and empty["questions"] == 13
    assert call_cli("judgments", "lab", "--export", tmp_path / "x.csv").status == 2

    _judge(lab)
    told = json.loads(call_cli("judgments", "lab", "--json").out)
    assert told["setup"]["columns"] == ["words", "bm25"]
    assert told["preferences"]["wins"] == {"words": 0, "bm25": 6}
    assert told["judges"] == {"Anna": {"votes": 6, "grades": 12}}
    said = call_cli("judgments", "lab").out
    assert said.startswith(
        "words against Keyword search. Keyword search is ahead, which may still be chance. Preferred on 6 of the 6"
    )

    exported = call_cli("judgments", "lab", "--export", tmp_path / "x.csv")
    assert exported.status == 0 and exported.out == ""
    assert ("exported", "judgments") in [(one.what, one.on) for one in audit.entries("lab")]
    again = call_cli("judgments", "lab", "--import", tmp_path / "x.csv")
    assert again.status == 0 and "18 were here already" in again.err

    made = call_cli("judgments", "lab", "--to-queries")
    assert made.out == "9 test queries.\n", made.err
    proof = call_cli("evaluate", "lab", "--model", "bm25", "--model", "words", "--json")
    assert json.loads(proof.out)["queries"] == 9
    assert "nobody graded count as not relevant" in proof.err


@pytest.mark.slow
def test_pairs_and_the_refusals(lab, call_cli):
    _judge(lab)
    before = len(current_pairs(lab)[1].pairs)
    made = call_cli("judgments", "lab", "--to-pairs")
    assert made.status == 0, made.err
    assert "6 pairs left out of training, so that nothing leaks into the test" in made.err
    after = current_pairs(lab)[1].pairs
    assert len(after) == before + 3
    assert all(pair.negatives for pair in after[-3:])
    for arguments in (["--merge"], ["--merge", "--to-queries", "--to-pairs"], ["--column", "bm25"]):
        refused = call_cli("judgments", "lab", *arguments)
        assert refused.status == 2 and len(refused.err.splitlines()) == 1, arguments
    assert call_cli("judgments", "nowhere").status == 2
    assert call_cli("judgments", "lab", "--to-queries", "--test-share", 3).status == 2
