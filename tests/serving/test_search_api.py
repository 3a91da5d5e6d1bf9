"""/v1/search and /v1/rerank: the core's own answers, and what they were given by."""

import numpy as np
import pytest

from search.corpus.filters import Scope, parse_condition, parse_tiers
from search.corpus.ingest import IngestChoices, add_documents
from search.models.cross_encoders import find_reranker, load_reranker
from search.models.load import load_encoder
from search.models.registry import find_model
from search.retrieval.search import compare
from tests.conftest import tiny_query, tiny_text

QUERY = tiny_query(3, 0)
COLUMNS = ["generic", "bm25", "hybrid:generic@0.3", "rerank:generic@ce", "rerank:hybrid:generic@ce"]


def hits(results):
    return {name: [(h["id"], h["score"]) for h in one["hits"]] for name, one in results.items()}


def test_each_column_answers_as_the_core_does(asking):
    project = asking.served.project
    answer = asking.post("/v1/search", {"query": f" {QUERY} ", "model": COLUMNS, "k": 7}).json()
    expected = compare(project, QUERY, COLUMNS, 7).as_json()["results"]
    found, wanted = hits(answer["results"]), hits(expected)
    assert list(found) == COLUMNS
    for column in COLUMNS:
        assert [hit[0] for hit in found[column]] == [hit[0] for hit in wanted[column]]
        np.testing.assert_allclose(
            [hit[1] for hit in found[column]], [hit[1] for hit in wanted[column]], atol=1e-5
        )
    assert answer["corpus"] == project.newest("corpora").id
    info = find_model(project, "generic")
    assert answer["results"]["rerank:generic@ce"]["models"] == {
        "generic": {"id": info.id, "fingerprint": info.fingerprint}
    }
    assert answer["results"]["bm25"]["models"] == {}
    assert (answer["query"], answer["k"], answer["model"]) == (QUERY, 7, "generic")
    alone = asking.post("/v1/search", {"query": QUERY}).json()
    assert list(alone["results"]) == ["generic"] and len(alone["results"]["generic"]["hits"]) == 10


def test_filters_and_tiers_are_part_of_the_search(project, running, tmp_path):
    path = tmp_path / "more.csv"
    kinds = ("case", "statute", "blog")
    rows = [f'n{n},"{tiny_text(n)} Anew.",{kinds[n % 3]}' for n in range(12)]
    path.write_text("\n".join(["id,text,type", *rows]), encoding="utf-8")
    choices = IngestChoices(tiers=parse_tiers("type=case,statute,blog"))
    add_documents(project, [path], choices)
    scope = Scope((parse_condition("type!=blog"),), tiers_first=True)
    with running(project) as asking:
        body = {"query": QUERY, "model": "hybrid:generic", "k": 5, "by_tier": True}
        answer = asking.post("/v1/search", body | {"filter": ["type!=blog"]}).json()
    expected = compare(project, QUERY, ["hybrid:generic"], 5, scope=scope).as_json()["results"]
    assert hits(answer["results"]) == hits(expected)
    assert answer["results"]["hybrid:generic"]["hits"][0]["tier"] == "case"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"query": " "}, "The query is empty."),
        ({"query": QUERY, "k": 0}, "k: "),
        ({"query": QUERY, "filter": ["nothing"]}, "The filter 'nothing' is not of the form"),
        ({"query": QUERY, "by_tier": True}, "The corpus has no source tiers"),
        ({"query": QUERY, "model": "hybrid:generic@2"}, "The weight in"),
        (
            {"query": QUERY, "model": "hybrid:generic@auto"},
            "hybrid:generic@auto is not weighed yet",
        ),
        ({"query": QUERY, "model": "nope"}, "There is no model 'nope' in 'lab'."),
        ({"query": QUERY, "model": "rerank:bm25@nope"}, "There is no reranker 'nope'"),
        (
            {"query": QUERY, "model": "all-MiniLM-L6-v2"},
            "The newest documents are not indexed with",
        ),
    ],
)
def test_what_cannot_be_searched_for_is_refused(asking, body, message):
    answer = asking.post("/v1/search", body)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"].startswith(message)


def test_a_reranker_orders_documents_by_its_own_scores(asking):
    project = asking.served.project
    documents = [tiny_text(n) for n in (5, 3, 8)]
    body = {"query": QUERY, "documents": [documents[0], {"text": documents[1]}, documents[2]]}
    answer = asking.post("/v1/rerank", body | {"return_documents": True}).json()
    raw = load_reranker(project, find_reranker(project, "ce")).scores(QUERY, documents)
    order = np.argsort(-raw)
    assert answer["model"] == "ce"
    assert [one["index"] for one in answer["results"]] == order.tolist()
    expected = 1 / (1 + np.exp(-raw[order]))
    scores = [one["relevance_score"] for one in answer["results"]]
    np.testing.assert_allclose(scores, expected, atol=1e-6)
    assert [one["document"]["text"] for one in answer["results"]] == [documents[i] for i in order]
    first = asking.post("/v1/rerank", body | {"top_n": 1}).json()["results"]
    assert [set(one) for one in first] == [{"index", "relevance_score"}]


def test_a_model_orders_documents_by_cosine(asking):
    project = asking.served.project
    documents = [tiny_text(n) for n in (5, 3, 8)]
    body = {"model": "generic", "query": QUERY, "documents": documents}
    answer = asking.post("/v1/rerank", body).json()
    encoder = load_encoder(project, find_model(project, "generic"))
    query, read = encoder.encode_query([QUERY])[0], encoder.encode_document(documents)
    cosines = read @ query / np.linalg.norm(read, axis=1) / np.linalg.norm(query)
    for one in answer["results"]:
        assert one["relevance_score"] == pytest.approx(cosines[one["index"]], abs=1e-5)
    assert answer["usage"]["total_tokens"] > 20
    for wrong in ({"model": "nope"}, {"documents": []}, {"documents": [{"body": "x"}]}):
        assert asking.post("/v1/rerank", body | wrong).status_code in (404, 422)
