"""A server of somebody else's: llama.cpp with the packaged MiniLM, whose vectors must be those of a local encode."""

import numpy as np
import pytest
from llama_server import MODEL, llama_server

from search.evaluation.evaluate import evaluate
from search.models.api.token_count import tokens_of
from search.models.load import load_encoder
from search.models.pretrained.add import Choices, add_model
from search.models.sentence_transformer import load_generic
from search.projects.errors import Failed, Refused
from search.projects.project import project_to_be
from search.retrieval.indexing.build import index_model
from search.retrieval.search import compare

KEY = "sk-of-the-llama"
TEXTS = [
    "How do I dispute a charge on my credit card?",
    "the doctor examined the knee and found a torn meniscus",
    "Alarm kal subah 7 baje set kar do",
    "café naïve Übergröße ok",
    "line\nbreak and \u200b zero width",
    "a",
    "word " * 200,
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with llama_server(tmp_path_factory.mktemp("llama"), KEY) as url:
        yield url


@pytest.fixture
def lab(import_tiny, address, monkeypatch):
    monkeypatch.setenv("BESPOKE_KEY_LLAMA", KEY)
    project = project_to_be("lab")
    import_tiny(project)
    server = {"base_url": address, "key_variable": "BESPOKE_KEY_LLAMA", "retries": 0}
    add_model(project, MODEL, Choices(name="llama", max_length=256, server=server))
    return project


@pytest.fixture
def llama(lab):
    from search.models.registry import find_model

    return load_encoder(lab, find_model(lab, "llama"))


def cosines(ours, theirs):
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    return (ours * theirs).sum(axis=1) / lengths


def test_its_vectors_are_those_of_a_local_encode(llama):
    local = load_generic()
    for encode, same in (
        (llama.encode_document, local.encode_document),
        (llama.encode_query, local.encode_query),
    ):
        found = encode(TEXTS)
        assert found.shape == (len(TEXTS), 384)
        assert cosines(found, same(TEXTS)).min() > 0.9999
    # Tokens as the server counted them: never more than was estimated.
    assert 0 < llama.sent <= sum(map(tokens_of, TEXTS))


def test_it_finds_and_scores_what_the_local_model_does(lab):
    index_model(lab, "llama")
    found = compare(lab, "who files the summons", ["generic", "llama"], 10)
    here, there = found.results
    assert [hit.id for hit in here.hits] == [hit.id for hit in there.hits]
    np.testing.assert_allclose(
        [hit.score for hit in here.hits], [hit.score for hit in there.hits], atol=1e-3
    )
    scores = evaluate(lab, ["generic", "llama"]).scores
    assert scores["llama"]["ndcg@10"] == pytest.approx(scores["generic"]["ndcg@10"], abs=1e-6)


def test_a_text_longer_than_it_takes_is_told_with_what_to_do(lab, address):
    server = {"base_url": address, "key_variable": "BESPOKE_KEY_LLAMA", "retries": 0}
    long = add_model(lab, MODEL, Choices(name="long", server=server)).info
    with pytest.raises(Failed, match=r"status 500, input \(\d+ tokens\) is too large to process"):
        load_encoder(lab, long).encode_document(["word " * 900])


def test_a_wrong_key_and_a_wrong_path(lab, address, monkeypatch):
    server = {"base_url": address, "key_variable": "BESPOKE_KEY_LLAMA", "retries": 0}
    wrong = {**server, "base_url": address.removesuffix("/v1") + "/nothing"}
    with pytest.raises(Refused, match=r"status 404.*usually ends in /v1"):
        add_model(lab, MODEL, Choices(name="b", server=wrong))
    monkeypatch.setenv("BESPOKE_KEY_LLAMA", "sk-wrong")
    with pytest.raises(Refused, match=r"refused the key \(status 401\)") as told:
        add_model(lab, MODEL, Choices(name="b", server=server))
    assert "sk-wrong" not in str(told.value)


def test_a_server_that_went_away(lab, address, tmp_path):
    with llama_server(tmp_path) as short:
        info = add_model(
            lab, MODEL, Choices(name="gone", server={"base_url": short, "retries": 1})
        ).info
    with pytest.raises(Failed, match=r"did not answer, asked 2 times: the connection failed"):
        load_encoder(lab, info).encode_query(["frost"])
