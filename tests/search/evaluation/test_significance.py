"""The paired test against every sign flip; the verdict in one sentence."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.evaluation.significance import PairedTest, paired_test


def every_sign_flip(differences):
    """The share of sign flips whose mean is at least as far from zero: two-sided, exact."""
    values = np.asarray(differences, dtype=np.float64)
    signs = np.array(list(itertools.product([1, -1], repeat=len(values))))
    means = np.abs((signs * values).mean(axis=1))
    return float((means >= abs(values.mean()) - 1e-12).mean())


def compared(differences):
    differences = np.asarray(differences, dtype=np.float64)
    base = np.full(len(differences), 0.25)
    return paired_test("old", "new", base, base + differences)


@pytest.mark.parametrize("seed", range(12))
def test_p_equals_every_sign_flip(seed):
    rng = np.random.default_rng(seed)
    differences = rng.normal(rng.choice([0, 0.3, -0.6]), 0.3, size=rng.integers(2, 11))
    if seed % 2:
        differences = np.round(differences, 1)  # with ties among the flips
    test = compared(differences)
    assert test.p_value == pytest.approx(every_sign_flip(differences), abs=1e-9)
    assert test.delta == pytest.approx(differences.mean())


def test_many_queries_are_sampled_close_to_the_normal_answer():
    from scipy.stats import norm

    differences = np.random.default_rng(4).normal(0.02, 0.15, size=400)
    test = compared(differences)
    z = differences.mean() / math.sqrt((differences**2).mean() / 400)
    assert test.p_value == pytest.approx(2 * norm.sf(abs(z)), abs=0.01)
    error = differences.std(ddof=1) / 20
    low, high = test.ci95
    assert low == pytest.approx(differences.mean() - 1.96 * error, abs=0.003)
    assert high == pytest.approx(differences.mean() + 1.96 * error, abs=0.003)


def test_the_interval_of_skewed_differences_equals_scipys_by_another_seed():
    from scipy.stats import bootstrap

    differences = np.random.default_rng(4).exponential(0.1, size=80)
    reference = bootstrap(
        (differences,), np.mean, n_resamples=20_000, rng=np.random.default_rng(99)
    ).confidence_interval
    assert compared(differences).ci95 == pytest.approx((reference.low, reference.high), abs=0.002)


def test_all_ties_are_no_difference():
    test = compared([0.0] * 9)
    assert (test.p_value, test.delta, test.ci95) == (1.0, 0.0, (0.0, 0.0))
    assert (test.wins, test.ties, test.losses) == (0, 9, 0)
    assert test.verdict == "no clear difference"


def test_better_and_worse_mirror_each_other():
    differences = [0.2, 0.3, 0.1, 0.4, 0.2, 0.0, 0.3, -0.1, 0.5, 0.25]
    better, worse = compared(differences), compared([-d for d in differences])
    assert (better.verdict, worse.verdict) == ("better", "worse")
    assert (better.wins, better.ties, better.losses) == (8, 1, 1)
    assert (worse.wins, worse.ties, worse.losses) == (1, 1, 8)
    assert better.delta == pytest.approx(0.215)
    assert worse.delta == pytest.approx(-0.215)
    assert better.p_value == worse.p_value == pytest.approx(every_sign_flip(differences))
    assert better.ci95[0] > 0 > worse.ci95[1]
    assert (better.baseline, better.candidate, better.metric) == ("old", "new", "ndcg@10")
    assert "new is better than old on 10 held-out queries: +0.215 nDCG@10" in better.sentence(10)
    assert "new is worse than old on 10 held-out queries: -0.215" in worse.sentence(10)


def test_the_same_difference_everywhere():
    test = compared([0.5] * 10)
    assert test.p_value == pytest.approx(2 / 2**10)
    assert test.ci95 == pytest.approx((0.5, 0.5))
    assert test.verdict == "better"


def test_one_query_proves_nothing():
    test = compared([0.9])
    assert test.p_value == 1.0
    assert test.ci95 == (-1.0, 1.0)
    assert (test.verdict, test.practical) == ("no clear difference", "cannot tell")
    assert test.sentence(1).startswith("Cannot tell whether new is better than old on 1 held-out")
    assert "only 1 independent group of queries" in test.sentence(1)


def test_no_clear_difference():
    test = compared([0.3, -0.3, 0.2, -0.2, 0.1, -0.15, 0.0])
    assert test.verdict == "no clear difference"
    assert test.p_value > 0.5
    assert test.ci95[0] < 0 < test.ci95[1]
    assert test.sentence(7).startswith("No clear difference between new and old on 7 held-out")


def test_the_same_scores_give_the_same_verdict_each_time():
    differences = np.random.default_rng(8).normal(0.01, 0.2, size=300)
    assert compared(differences) == compared(differences)


# What nDCG@10 of one relevant document can be, and differences of it: rounding noise included.
ndcg_values = st.sampled_from(
    [0.0, *(1 / math.log2(rank + 1) for rank in range(1, 11)), 1.0, 1 / 3]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(ndcg_values, ndcg_values), min_size=1, max_size=9))
def test_any_scores_have_a_finite_test(scores):
    ours, theirs = zip(*scores, strict=True)
    test = paired_test("old", "new", ours, theirs)
    assert 0 < test.p_value <= 1
    low, high = test.ci95
    assert math.isfinite(low)
    assert math.isfinite(high)
    assert -1 <= low <= high <= 1
    assert test.wins + test.ties + test.losses == len(scores)
    differences = np.subtract(theirs, ours)
    assert test.wins == (differences > 1e-9).sum()
    assert test.losses == (differences < -1e-9).sum()
    json.dumps(test.ci95, allow_nan=False)


@pytest.mark.parametrize("count", [2, 5, 40])
def test_one_query_that_differs_among_equal_ones(count):
    """The bootstrap's worst case: nearly every resample is the same."""
    test = compared([0.0] * (count - 1) + [0.5])
    assert all(math.isfinite(bound) for bound in test.ci95)
    assert test.p_value == 1.0
    assert test.verdict == "no clear difference"


@pytest.mark.parametrize("noise", [1e-16, 5e-17, 1e-12])
def test_differences_that_differ_by_rounding_only(noise):
    """Equal but for the last bits: the interval must be numbers, for JSON has no NaN."""
    base = np.zeros(8)
    test = paired_test("old", "new", base, np.array([0.3, 0.3 + noise] * 4))
    assert test.ci95 == pytest.approx((0.3, 0.3))
    assert test.verdict == "better"


@pytest.mark.parametrize(
    ("verdict", "start"),
    [
        ("better", "a is better than generic on 1,200 held-out queries: +0.125 nDCG@10"),
        ("worse", "a is worse than generic on 1,200 held-out queries: +0.125 nDCG@10"),
        ("no clear difference", "No clear difference between a and generic on 1,200 held-out"),
    ],
)
def test_the_verdict_is_one_plain_sentence(verdict, start):
    test = PairedTest("generic", "a", "ndcg@10", 0.125, (0.1, 0.15), 0.01, 3, 2, 1, verdict)
    sentence = test.sentence(1200)
    assert sentence.startswith(start)
    assert sentence.endswith("(95% interval +0.100 to +0.150).")
