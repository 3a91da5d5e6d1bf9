"""/v1/embeddings: what OpenAI's own client gets is what the model gives, and what is refused says why."""

import base64

import httpx2
import numpy as np
import openai
import pytest

from indexes.vector_index import normalised
from search.models.load import load_encoder
from search.models.registry import find_model
from search.projects.settings import LIMITS
from tests.conftest import tiny_text

TEXTS = [tiny_text(n) for n in range(7)] + ["", "frost " * 400]


@pytest.fixture(scope="module")
def bare(asking):
    """What the model gives by itself: documents, then queries."""
    project = asking.served.project
    encoder = load_encoder(project, find_model(project, "generic"))
    return [
        normalised(np.asarray(run(TEXTS), dtype=np.float32))
        for run in (encoder.encode_document, encoder.encode_query)
    ]


@pytest.fixture
def client(asking):
    return openai.OpenAI(base_url=f"{asking.url}/v1", api_key="none", max_retries=0)


def vectors(answer):
    return np.array([row.embedding for row in answer.data], dtype=np.float32)


def test_openais_client_works_unchanged(client, bare):
    documents, queries = bare
    plain = client.embeddings.create(model="generic", input=TEXTS)  # It asks for base64.
    np.testing.assert_allclose(vectors(plain), documents, atol=1e-6)
    assert [row.index for row in plain.data] == list(range(len(TEXTS)))
    assert plain.model == "generic"
    as_float = client.embeddings.create(model="lab", input=TEXTS, encoding_format="float")
    np.testing.assert_array_equal(vectors(as_float), vectors(plain))
    # A text of 400 words is cut where the model stops reading.
    assert 64 < plain.usage.prompt_tokens == plain.usage.total_tokens < 400
    one = client.embeddings.create(model="generic:query", input=TEXTS[0])
    np.testing.assert_allclose(vectors(one)[0], queries[0], atol=1e-6)
    said = client.embeddings.create(
        model="generic", input=TEXTS, extra_body={"input_type": "query"}
    )
    np.testing.assert_allclose(vectors(said), queries, atol=1e-6)
    assert np.abs(documents - queries).max() > 0.01, "the prompts differ"
    assert [model.id for model in client.models.list()][:2] == ["lab", "generic"]


def test_dimensions_are_cut_and_the_rest_is_of_length_one_again(client, bare):
    cut = client.embeddings.create(model="generic", input=TEXTS, dimensions=5)
    np.testing.assert_allclose(vectors(cut), normalised(bare[0][:, :5].copy()), atol=1e-6)
    with pytest.raises(openai.UnprocessableEntityError, match="32 dimensions, fewer than 33"):
        client.embeddings.create(model="generic", input=TEXTS, dimensions=33)


def test_base64_is_of_32_bits_little_endian(asking, bare):
    body = {"model": "generic", "input": TEXTS[1], "encoding_format": "base64"}
    row = asking.post("/v1/embeddings", body).json()["data"][0]["embedding"]
    np.testing.assert_allclose(np.frombuffer(base64.b64decode(row), "<f4"), bare[0][1], atol=1e-6)


def test_many_askers_at_once_each_get_their_own(asking, bare):
    from concurrent.futures import ThreadPoolExecutor

    def ask(i):
        body = {"model": "generic", "input": [TEXTS[i % 7], TEXTS[(i + 1) % 7]]}
        answer = httpx2.post(f"{asking.url}/v1/embeddings", json=body, timeout=60)
        return i, np.array([row["embedding"] for row in answer.json()["data"]])

    with ThreadPoolExecutor(8) as pool:
        for i, found in pool.map(ask, range(9)):
            np.testing.assert_allclose(found, bare[0][[i % 7, (i + 1) % 7]], atol=1e-6)


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"input": [[1, 2, 3]]}, 422, "input: must be a text or a list of texts, not of tokens"),
        ({"input": [17, 4]}, 422, "check_embedding_ctx_length=False"),
        ({"input": []}, 422, "input: "),
        ({"input": ["a"] * (LIMITS.served_texts + 1)}, 422, "input: "),
        ({}, 422, "input: field required."),
        ({"input": "secret words", "encoding_format": "secret"}, 422, "encoding_format: "),
        ({"input": "secret words", "dimensions": 0}, 422, "dimensions: "),
        ({"input": "secret words", "dimensions": float("nan")}, 422, "dimensions: "),
        ({"input": "secret words", "input_type": "secret"}, 422, "input_type: "),
        ({"input": "secret words", "model": "nope"}, 404, "There is no model 'nope' here."),
        ("secret words", 422, "The body is no JSON object"),
    ],
)
def test_what_is_refused_says_why_and_repeats_no_text(asking, body, status, message):
    import json

    answer = asking.client.post(
        "/v1/embeddings", content=json.dumps(body), headers={"content-type": "application/json"}
    )
    error = answer.json()["error"]
    assert answer.status_code == status
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"].startswith(message) or message in error["message"]
    assert "secret" not in error["message"].replace("must be", "")
    assert error["type"] == ("not_found_error" if status == 404 else "invalid_request_error")


def test_a_body_that_is_too_long_is_not_read(asking, monkeypatch):
    long = b"x" * (LIMITS.served_bytes + 1)
    answer = asking.client.post("/v1/embeddings", content=long)
    assert answer.status_code == 413 and "Send fewer texts" in answer.json()["error"]["message"]

    def parts():
        for _ in range(9):
            yield b" " * (LIMITS.served_bytes // 8)

    # It does not say how long it is.
    answer = asking.client.post(
        "/v1/embeddings", content=parts(), headers={"content-type": "application/json"}
    )
    assert answer.status_code == 413
    assert asking.get("/nowhere").json()["error"]["type"] == "not_found_error"


def test_where_too_much_waits_a_client_is_told_to_ask_again(asking, monkeypatch):
    from serving.batcher import Busy

    def busy(*_):
        raise Busy("9 texts are waiting already.")

    monkeypatch.setattr(asking.served.batcher, "submit", busy)
    answer = asking.post("/v1/embeddings", {"input": "a"})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert answer.json()["error"]["type"] == "rate_limit_error"


def test_no_nan_leaves_and_what_nobody_foresaw_is_one_sentence(asking, monkeypatch, workspace):
    model = asking.served.models.get(asking.served.current.snapshot.model)
    monkeypatch.setattr(
        type(model.encoder.query.encoder),
        "encode_document",
        lambda _self, inputs: np.full((len(inputs), 32), np.nan),
    )
    answer = asking.post("/v1/embeddings", {"input": "secret words"})
    assert answer.status_code == 500
    assert "not finite (NaN)" in answer.json()["error"]["message"]

    def breaks(_self, inputs):
        raise RuntimeError(f"cannot read {inputs}")

    monkeypatch.setattr(type(model.encoder.query.encoder), "encode_document", breaks)
    answer = asking.post("/v1/embeddings", {"input": "secret words"})
    assert answer.status_code == 500 and "secret" not in answer.text
    assert answer.json()["error"]["message"].startswith("An answer failed by an error")
    assert answer.json()["error"]["type"] == "server_error"
