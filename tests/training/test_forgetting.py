"""The forgetting meter: its questions, its score against brute force, and what it says."""

import math

import numpy as np
import pytest

from search.evaluation.query_sets.general import general_questions
from search.models.sentence_transformer import load_generic
from search.text.words import folded_words
from training.forgetting import General, general_ndcg


@pytest.fixture(autouse=True)
def few_general_questions():
    """All hundred are asked here."""


class Told:
    """An encoder that knows which answer belongs to which question, but for `lost` of them."""

    def __init__(self, lost=(), zero=()):
        queries, answers = zip(*general_questions(), strict=True)
        self._queries = {text: place for place, text in enumerate(queries)}
        self._answers = {text: place for place, text in enumerate(answers)}
        self._lost, self._zero = set(lost), set(zero)

    def encode_query(self, inputs):
        rows = np.eye(len(self._queries), dtype=np.float32)[[self._queries[t] for t in inputs]]
        for row, text in enumerate(inputs):
            place = self._queries[text]
            if place in self._lost:
                # The next three answers come first, then the right one: rank 4.
                nearer = [(place + step) % len(self._queries) for step in (1, 2, 3)]
                rows[row, nearer] = 2.0
            if place in self._zero:
                rows[row] = 0.0
        return rows

    def encode_document(self, inputs):
        return np.eye(len(self._answers), dtype=np.float32)[[self._answers[t] for t in inputs]]


def test_the_questions_are_what_they_should_be():
    found = general_questions()
    assert len(found) == 100
    assert len({query for query, _ in found}) == len({answer for _, answer in found}) == 100
    for query, answer in found:
        assert query == query.strip() and answer == answer.strip()
        assert 2 <= len(query.split()) <= 10
        assert 10 <= len(answer.split()) <= 30, answer
    shared = [len(set(folded_words(q)) & set(folded_words(a))) for q, a in found]
    assert np.mean(shared) < 1.5, "words alone would find the answers"


def test_the_score_is_ndcg_at_10():
    assert general_ndcg(Told()) == pytest.approx(1.0)
    lost = [3, 50, 98]
    expected = (97 + 3 / math.log2(5)) / 100
    assert general_ndcg(Told(lost)) == pytest.approx(expected)


def test_a_question_without_known_words_counts_nothing():
    assert general_ndcg(Told(zero=[7, 8])) == pytest.approx(0.98)


def test_generic_answers_most_of_them_but_not_all():
    score = general_ndcg(load_generic())
    assert 0.8 < score < 0.99


@pytest.mark.parametrize(
    ("start", "model", "says"),
    [
        (0.95, 0.90, "forgot some"),
        (0.95, 0.945, "nothing of note"),
        (0.95, 0.955, "nothing of note"),
        (0.90, 0.95, "better at other fields"),
    ],
)
def test_what_it_says(start, model, says):
    told = General(100, start, model)
    assert says in told.sentence
    assert f"{start:.3f}" in told.sentence and f"{model:.3f}" in told.sentence
    assert told.as_json() == {"questions": 100, "start": start, "ndcg@10": model}
    assert General.of(told.as_json()) == told
