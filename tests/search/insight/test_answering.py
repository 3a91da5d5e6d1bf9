"""The sentence that answers: the nearest by the column's own model, or whose words weigh most."""

import numpy as np
import pytest

from search.corpus.corpus import current_corpus
from search.evaluation.rankings.parts import PartsOnce
from search.insight.answering import answering_sentences
from search.models.registry import ModelInfo
from search.projects.project import Project
from search.retrieval.dense import DenseRetriever

TEXT = "Rent is due on Monday. Frost ruins the roses. Dust is everywhere."


class Letters:
    """A text as how often the letters a to z stand in it."""

    def encode_query(self, inputs):
        return np.array([[text.lower().count(c) for c in "abcdefghijklmnopqrstuvwxyz"] for text in inputs], dtype=np.float32)  # fmt: skip

    encode_document = encode_query


@pytest.fixture
def dense():
    made = DenseRetriever.__new__(DenseRetriever)
    made.encoder = Letters()
    made.vectors_of = lambda queries, timing: made.encoder.encode_query(queries)
    made.info = ModelInfo("letters", "id", "custom", None, 26, "fingerprint", "", "")
    return made


def test_a_model_takes_the_nearest_sentence(dense):
    (found,) = answering_sentences(dense, "roses frost", [TEXT])
    assert TEXT[found.start : found.stop] == "Frost ruins the roses."
    vectors = dense.encoder.encode_query(["roses frost", *TEXT.split(". ")])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert int(np.argmax(vectors[1:] @ vectors[0])) == 1


def test_where_there_is_no_choice_or_no_reason_nothing_is_marked(dense):
    assert answering_sentences(dense, "roses", ["Only one sentence."]) == [None]
    assert answering_sentences(dense, "1234", [TEXT]) == [None]
    assert answering_sentences(dense, "dust everywhere", [TEXT], most=2)[0].start < 45


def test_keyword_search_takes_the_sentence_whose_words_weigh_most(tmp_path, import_tiny):
    project = Project(tmp_path / "workspace" / "p")
    import_tiny(project)
    manifest, corpus = current_corpus(project)
    words = PartsOnce(project, manifest, corpus).bm25()
    found = answering_sentences(words, "roses in the dust", ["no. other", TEXT])
    assert found[0] is None
    assert TEXT[found[1].start : found[1].stop] in ("Frost ruins the roses.", "Dust is everywhere.")
