"""A few texts: each encoded once, by its role, and remembered where the model is the project's."""

from dataclasses import replace

import numpy as np
import pytest

from search.models.encoding.backends.pipeline import seen_as
from search.models.encoding.corpus import encode_corpus
from search.models.encoding.index_vectors import how_encoded
from search.models.encoding.texts import encode_texts
from search.models.registry import find_model
from search.models.sentence_transformer import load_sentence_transformer
from search.retrieval.indexing.build import index_model
from tests.conftest import tiny_text
from tests.search.models.encoding.conftest import Counting, vector_of
from tests.search.models.encoding.test_encode_corpus import made
from training.train import train

TEXTS = [tiny_text(number) for number in (3, 1, 3, 2, 1)]


@pytest.fixture
def info(project):
    return replace(find_model(project, "generic"), dimension=8, fingerprint="f00d")


def test_each_text_is_encoded_once_and_remembered(info, counting):
    wanted = np.stack([vector_of(text) for text in TEXTS])
    np.testing.assert_array_equal(encode_texts(counting, info, TEXTS, "document"), wanted)
    assert len(counting.seen) == 3
    np.testing.assert_array_equal(encode_texts(counting, info, TEXTS, "document"), wanted)
    assert len(counting.seen) == 3
    np.testing.assert_array_equal(encode_texts(counting, info, TEXTS, "query"), wanted)
    assert len(counting.seen) == 6, "a query is another thing than a document"


def test_a_model_that_is_not_the_projects_is_not_remembered(counting, workspace):
    for _ in range(2):
        encode_texts(counting, None, TEXTS, "document")
    assert len(counting.seen) == 6 and not (workspace / ".embeddings").exists()


def test_texts_share_with_the_corpus(tmp_path, info, counting):
    encode_corpus(counting, made(tmp_path / "a", TEXTS[:2]), info)
    again = Counting()
    encode_texts(again, info, TEXTS, "document")
    assert again.seen == [tiny_text(2)]


def test_queries_and_documents_share_where_the_model_sees_the_same(tiny_model, info):
    model = load_sentence_transformer(tiny_model)
    info = replace(info, dimension=model.get_embedding_dimension())
    found = encode_texts(model, info, TEXTS, "document")
    np.testing.assert_allclose(found, model.encode_document(TEXTS), atol=1e-5)
    model.prompts = {"query": "who asks: "}
    assert seen_as(model, "query") != seen_as(model, "document")
    asked = encode_texts(model, info, TEXTS, "query")
    np.testing.assert_allclose(asked, model.encode_query(TEXTS), atol=1e-5)
    assert np.abs(asked - found).max() > 1e-3


@pytest.mark.slow
def test_an_adapter_after_an_adapter_costs_no_encoding(project, monkeypatch):
    index_model(project, "generic")
    train(project, "adapter", "first", {"epochs": 1})
    asked = []

    def counted(encoder, texts, role):
        asked.extend(texts)
        return iter(())

    monkeypatch.setattr("search.models.encoding.texts.encode_batches", counted)
    train(project, "adapter", "second", {"epochs": 1})
    assert asked == []
    assert how_encoded(project, find_model(project, "second")) is None
    made = index_model(project, "second").details
    assert made["encoding"]["backend"] == "matrix" and made["reused"] == made["vectors"]
    told = [how_encoded(project, find_model(project, name)) for name in ("generic", "second")]
    assert "Encoded with torch, " in told[0] and "so few texts" in told[0]
    assert (
        told[1]
        == f"Ready to search at once: its vectors come from those of its start, in {made['encoding']['seconds']:.1f} s."
    )
