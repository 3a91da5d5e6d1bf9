"""Keyword search as a teacher: what it ranks, what is learned of that, and how it goes beside what pairs taught."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from training.adapter.fit import FittedAdapter, Learner
from training.adapter.keyword_teacher import KEYWORDS, _candidates, teacher_shares, with_keywords
from training.adapter.loss import AdapterLoss
from training.adapter.matrix import LearnedMatrix
from training.adapter.settings import AdapterSettings
from training.embeddings import Embedded, TeacherRanking

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def data():
    """Queries, documents, and a teacher that goes by the second half of the numbers alone."""
    rng = np.random.default_rng(1)
    queries, documents = (rng.normal(size=(count, 16)).astype(np.float32) for count in (64, 40))
    for vectors in (queries, documents):
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = np.stack([rng.permutation(40)[:24] for _ in queries])
    ranked = np.einsum("qd,qcd->qc", queries[:, 8:], documents[:, 8:][rows])
    shares = teacher_shares(ranked, ranked)
    none = np.zeros((64, 0, 16), np.float32)
    numbers = np.arange(64)
    return Embedded(
        queries, documents[rows[:, 0]], none, rows[:, 0], numbers, documents, np.arange(40), queries,
        teacher=TeacherRanking(rows, shares),
    )  # fmt: skip


def test_candidates_are_the_nearest_of_both_and_others_each_once():
    rng = np.random.default_rng(2)
    cosines, keywords = rng.permutation(300) / 300, rng.permutation(300).astype(float)
    chosen = _candidates(cosines, keywords)
    assert len(chosen) == len(set(chosen.tolist())) == 96
    by_hand = {*np.argsort(cosines)[-32:].tolist(), *np.argsort(keywords)[-32:].tolist()}
    assert by_hand <= set(chosen.tolist())
    assert sorted(_candidates(cosines[:50], keywords[:50]).tolist()) == list(range(50))


def test_its_shares_are_a_softmax_of_standard_scores():
    rng = np.random.default_rng(3)
    cosines, keywords = rng.normal(size=(2, 5, 9))
    z = [
        (one - one.mean(1, keepdims=True)) / one.std(1, keepdims=True)
        for one in (cosines, keywords)
    ]
    by_hand = torch.softmax(torch.from_numpy((z[0] + 0.5 * z[1]) / 0.5), dim=1)
    np.testing.assert_allclose(teacher_shares(cosines, keywords), by_hand, atol=1e-5)


def test_a_query_without_a_known_word_is_ranked_by_cosines_alone():
    cosines = np.array([[0.1, 0.5, 0.3]], np.float32)
    shares = teacher_shares(cosines, np.zeros((1, 3), np.float32))
    assert np.isfinite(shares).all()
    assert np.argsort(shares).tolist() == np.argsort(cosines).tolist()


@pytest.mark.parametrize("side", ["both", "query"])
def test_the_loss_is_the_cross_entropy_to_the_teacher(data, side):
    settings = AdapterSettings(temperature=0.1, side=side)
    matrix = LearnedMatrix(16, 0, torch.Generator())
    turned = np.random.default_rng(4).normal(size=(16, 16)).astype(np.float32)
    with torch.no_grad():
        matrix.parameters["matrix"].copy_(torch.from_numpy(turned))
    loss = AdapterLoss(data, settings, "teacher", matrix, torch.Generator())
    batch = torch.tensor([5, 0, 9])
    by_hand = []
    for n in batch.tolist():
        query = turned @ data.queries[n]
        documents = data.documents[data.teacher.rows[n]]
        documents = documents @ turned.T if side == "both" else documents
        cosines = documents @ query / np.linalg.norm(query) / np.linalg.norm(documents, axis=1)
        logs = cosines / 0.1 - np.log(np.exp(cosines / 0.1).sum())
        by_hand.append(-(data.teacher.shares[n] * logs).sum())
    assert loss(batch).item() == pytest.approx(np.mean(by_hand), abs=1e-4)


def test_what_is_learned_ranks_more_like_the_teacher(data):
    settings = AdapterSettings(epochs=30, batch_size=16, learning_rate=0.02)
    learner = Learner(data, settings, "teacher")
    for _ in range(settings.epochs):
        learner.epoch()

    def first(matrix):
        cosines = np.einsum(
            "qd,qcd->qc", data.queries @ matrix.T, data.documents[data.teacher.rows] @ matrix.T
        )
        return np.mean(cosines.argmax(axis=1) == data.teacher.shares.argmax(axis=1))

    assert first(learner.matrix) > first(np.eye(16)) + 0.2


def test_part_of_the_pairs_has_no_teacher(data):
    assert data.only([0, 1]).teacher is None


def test_what_pairs_taught_goes_half_as_far_beside_what_keyword_search_taught():
    rng = np.random.default_rng(5)
    whole, keywords = rng.normal(size=(2, 4, 4)).astype(np.float32)
    eye = np.eye(4, dtype=np.float32)
    adapted = FittedAdapter(eye + 0.5 * (whole - eye), 0.4, 0.5, "corpus", epoch=6, blend=0.5)
    made = with_keywords(adapted, keywords)
    np.testing.assert_allclose(made.matrix, eye + 0.5 * (whole - eye) + (keywords - eye), atol=1e-6)
    assert (made.blend, made.selected) == (1.0, "epoch 6, corpus negatives, blend 1")
    nothing = replace(adapted, matrix=eye, epoch=0, blend=0.0)
    alone = with_keywords(nothing, keywords)
    np.testing.assert_array_equal(alone.matrix, keywords)
    assert alone.negatives == KEYWORDS
    assert alone.epoch
