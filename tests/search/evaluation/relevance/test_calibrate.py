"""Probabilities and lines from evidence whose truth is known."""

import numpy as np
import pytest

from search.evaluation.relevance.calibrate import (
    ISOTONIC_ABOVE,
    AskedQuestion,
    calibrate,
    cross_fitted,
)
from search.retrieval.relevance.evidence import DEPTH, Evidence

HITS = 10


def asked(count: int, seed: int = 0, level: float = 0.0) -> list[AskedQuestion]:
    """Questions whose hits answer with the chance that the logistic function of their first measure has."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        hits = rng.normal(size=(HITS, 13))
        relevant = rng.random(HITS) < 1 / (1 + np.exp(1.5 - 2 * hits[:, 0]))
        made.append(AskedQuestion(evidence(rng, level + 1), hits, relevant, evidence(rng, level)))
    return made


def evidence(rng: np.random.Generator, level: float) -> Evidence:
    """The evidence of a question whose best score is about so high."""
    scores = np.sort(rng.normal(level, 0.3, DEPTH))[::-1]
    return Evidence(scores, rng.random(DEPTH), 0.5, 0.1, 2.0, 0.4, {})


@pytest.mark.parametrize("count", [90, 400])
def test_shares_are_what_they_say_on_hits_that_were_not_seen(count):
    fitted = calibrate(asked(count), asked(50, 1, -5.0))
    assert bool(fitted.steps.at) == (count * HITS > ISOTONIC_ABOVE)
    new = asked(2_000, 2)
    hits = np.concatenate([one.hits for one in new])
    right = np.concatenate([one.relevant for one in new])
    shares = np.array(fitted.shares(hits))
    for low in np.arange(0, 1, 0.2):
        inside = (shares >= low) & (shares < low + 0.2)
        assert shares[inside].mean() == pytest.approx(right[inside].mean(), abs=0.06)
    base = right.mean() * (1 - right.mean())
    assert ((shares - right) ** 2).mean() < 0.8 * base


def test_a_query_has_no_part_in_its_own_log_odds():
    questions = asked(30)
    rows = np.concatenate([one.hits for one in questions])
    right = np.concatenate([one.relevant for one in questions])
    owner = np.repeat(np.arange(30), HITS)
    changed = right.copy()
    changed[owner == 4] = ~changed[owner == 4]
    before, after = cross_fitted(rows, right, owner), cross_fitted(rows, changed, owner)
    assert np.array_equal(before[owner == 4], after[owner == 4])
    assert not np.array_equal(before, after)


def test_lines_spare_what_they_should_and_catch_what_they_are_there_for():
    fitted = calibrate(asked(200), asked(100, 1, -5.0))
    new, foreign = asked(400, 2), asked(200, 3, -5.0)
    assert np.mean([fitted.foreign.is_below(one.evidence.subject()) for one in new]) < 0.06
    assert all(fitted.foreign.is_below(one.evidence.subject()) for one in foreign)
    gone = [fitted.unanswered.is_below(one.gone.question()) for one in new if one.gone is not None]
    assert np.mean(gone) > 0.8
    wrong = [
        fitted.unanswered.is_below(one.evidence.question()) for one in new if one.relevant[:3].any()
    ]
    assert np.mean(wrong) <= 0.1 and 0.03 < fitted.unanswered.wrong < 0.1
    assert np.mean(gone) == pytest.approx(fitted.unanswered.caught, abs=0.1)


def test_a_line_that_catches_less_than_a_third_says_nothing():
    alike = [AskedQuestion(q.evidence, q.hits, q.relevant, q.evidence) for q in asked(60)]
    fitted = calibrate(alike, asked(50, 1, -5.0))
    assert fitted.unanswered.at is None
    assert not fitted.unanswered.is_below(alike[0].evidence.question())


def test_what_documents_ask_themselves_cannot_say_that_an_answer_is_missing():
    fitted = calibrate(asked(60), asked(50, 1, -5.0), rough=True)
    assert fitted.rough and fitted.unanswered.at is None and fitted.foreign.at is not None


def test_hits_that_all_answer_are_almost_certain():
    questions = [
        AskedQuestion(q.evidence, q.hits, np.ones(HITS, dtype=bool), q.gone) for q in asked(12)
    ]
    fitted = calibrate(questions, asked(20, 1, -5.0))
    assert 0.95 < min(fitted.shares(questions[0].hits)) <= 0.99
