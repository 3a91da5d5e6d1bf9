"""The paired test against every sign flip; the verdict in one sentence."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from search.evaluation.statistics.family import holm, within_family
from search.evaluation.statistics.groups import QueryGroups
from search.evaluation.statistics.significance import PairedTest, compare, paired_test
from search.projects.errors import Refused


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


def scores_of(differences, metric="ndcg@10"):
    """A baseline and a column for each row of differences."""
    rows = np.asarray(differences)
    return {"old": {metric: [0.5] * rows.shape[1]}} | {
        f"new{i}": {metric: (0.5 + row).tolist()} for i, row in enumerate(rows)
    }


def spread_out(mean, spread, count, seed=0):
    """Noise of exactly this mean and spread."""
    noise = np.random.default_rng(seed).normal(0, 1, count)
    return mean + spread * (noise - noise.mean()) / noise.std()


def test_several_candidates_share_one_error():
    """The verdict follows Holm's p; what is shown of the best of several holds for all."""
    rows = [spread_out(mean, 0.2, 120, seed) for seed, mean in enumerate((0.06, 0.04, 0.0, 0.05))]
    tests = compare(scores_of(rows), QueryGroups.single(120), ["new0", "new1", "new2"])
    counted = within_family(tests, ["new0", "new1", "new2"])
    own = [test.p_value for test in tests]
    assert [t.p_adjusted for t in counted] == [*holm(own[:3]), None]
    assert [t.family for t in counted] == [3, 3, 3, 0]
    assert own[1] < 0.05 < counted[1].p_adjusted
    assert tests[1].verdict == "better"
    assert counted[1].verdict == "no clear difference"
    assert counted[3] == tests[3], "a reference keeps its own"
    assert tests[3].ci95_simultaneous is None
    for test in counted[:3]:
        wide, narrow = test.ci95_simultaneous, test.ci95
        assert wide[0] < narrow[0] < narrow[1] < wide[1]
        assert f"{wide[0]:+.3f} to {wide[1]:+.3f}" in test.sentence(120)
    assert within_family(tests[:1], ["new0"], {"f1": 1.0})[0].p_adjusted == min(1, 2 * own[0])


def test_one_candidate_alone_has_one_interval_and_one_p():
    rng = np.random.default_rng(2)
    (test,) = compare(scores_of(rng.normal(0.05, 0.2, (1, 80))), QueryGroups.single(80), ["new0"])
    assert test.ci95_simultaneous == test.ci95
    assert within_family([test], ["new0"])[0].p_adjusted == test.p_value


def test_queries_that_belong_together_are_no_evidence_of_their_own():
    groups = QueryGroups(np.repeat(np.arange(40), 8))
    row = spread_out(0.03, 0.2, 40)[groups.labels] + spread_out(0.0, 0.05, 320)
    alone = compare(scores_of([row]), QueryGroups.single(320), [])[0]
    together = compare(scores_of([row]), groups, [])[0]
    assert together.delta == alone.delta
    assert alone.p_value < 0.05 < together.p_value
    assert together.ci95[1] - together.ci95[0] > 2 * (alone.ci95[1] - alone.ci95[0])
    assert (together.groups, alone.groups) == (40, 320)


@pytest.mark.parametrize(
    ("mean", "spread", "practical"),
    [
        (0.002, 0.03, "too small to matter"),
        # Clearly better, and too small for it to matter: said first.
        (0.01, 0.03, "too small to matter"),
        (0.03, 0.1, "better"),
        (-0.03, 0.1, "worse"),
        (0.08, 0.1, "better by at least the margin"),
        (-0.08, 0.1, "worse by at least the margin"),
        (0.0, 0.3, "cannot tell"),
    ],
)
def test_practical_size_is_held_against_the_margin(mean, spread, practical):
    row = spread_out(mean, spread, 200)
    (test,) = compare(scores_of([row]), QueryGroups.single(200), [])
    assert test.practical == practical
    assert (test.verdict == "better") == (mean > 0.005), "the verdict does not look at the margin"
    wide = compare(scores_of([row]), QueryGroups.single(200), [], margin=0.2)[0]
    assert (wide.practical, wide.verdict) == ("too small to matter", test.verdict)


@pytest.mark.parametrize(
    ("sizes", "caveat"),
    [
        ([2] * 20, "few independent groups: 20)."),
        ([9] + [1] * 50, "few independent groups: one holds more than a tenth of the queries)."),
        ([2] * 30, "to +0.0"),
    ],
)
def test_few_groups_are_said_and_the_interval_never_contradicts_p(sizes, caveat):
    groups = QueryGroups(np.repeat(np.arange(len(sizes)), sizes))
    for seed in range(5):
        row = np.random.default_rng(seed).normal(0.05, 0.12, len(groups.labels))
        (test,) = compare(scores_of([row]), groups, [])
        if groups.few:
            low, high = test.ci95
            assert (low <= 0 <= high) == (test.p_value >= 0.05)
            assert test.sentence(len(row)).endswith(caveat)
        else:
            assert "few" not in test.sentence(len(row))


def test_under_six_groups_nothing_is_told():
    groups = QueryGroups(np.repeat(np.arange(5), 30))
    (test,) = compare(scores_of([[0.4] * 150]), groups, ["new0"])
    (counted,) = within_family([test], ["new0"])
    assert (counted.verdict, counted.practical) == ("no clear difference", "cannot tell")
    assert counted.sentence(150) == (
        "Cannot tell whether new0 is better than old on 150 held-out queries: only 5 independent groups of queries "
        "(+0.400 nDCG@10)."
    )


def test_every_metric_has_an_interval_and_a_p_and_one_decides():
    rng = np.random.default_rng(6)
    scores = scores_of(rng.normal(0.05, 0.1, (1, 60)))
    other = scores_of(rng.normal(-0.05, 0.1, (1, 60)), "mrr@10")
    both = {name: scores[name] | other[name] for name in scores}
    (test,) = compare(both, QueryGroups.single(60), [])
    (alone,) = compare(scores, QueryGroups.single(60), [])
    (reverse,) = compare(both, QueryGroups.single(60), [], metric="mrr@10")
    assert (test.verdict, reverse.verdict, reverse.metric) == ("better", "worse", "mrr@10")
    assert list(test.metrics) == ["ndcg@10", "mrr@10"]
    assert test.metrics["ndcg@10"].p_value == alone.metrics["ndcg@10"].p_value
    assert test.metrics["ndcg@10"].ci95 == pytest.approx(alone.ci95)
    assert test.metrics["mrr@10"].ci95 == reverse.ci95
    assert test.ci95 == test.metrics["ndcg@10"].ci95
    assert "MRR@10" in reverse.sentence(60)


def test_a_missing_score_is_refused():
    """scipy would call it significant, and the mean would be none."""
    scores = scores_of([[0.1, 0.2, math.nan, 0.3]])
    with pytest.raises(Refused, match=r"1 of 4 scores of new0 in ndcg@10 are missing"):
        compare(scores, QueryGroups.single(4), [])
    with pytest.raises(Refused, match="with itself"):
        paired_test("a", "a", [0.1], [0.2])


def test_what_was_kept_before_groups_were_counted_is_read():
    old = {
        "baseline": "generic", "candidate": "a", "metric": "ndcg@10", "delta": 0.1, "ci95": [0.05, 0.15],
        "p_value": 0.01, "wins": 3, "ties": 2, "losses": 1, "verdict": "better",
    }  # fmt: skip
    test = TypeAdapter(PairedTest).validate_python(old)
    assert (test.p_adjusted, test.groups, test.can_tell, test.interval) == (
        None,
        0,
        True,
        (0.05, 0.15),
    )
    assert TypeAdapter(PairedTest).validate_python(test.as_json()) == test
    assert {**test.as_json(), **old} == test.as_json()


def test_no_clear_difference_says_what_would_have_shown():
    (test,) = compare(scores_of([spread_out(0.0, 0.2, 100)]), QueryGroups.single(100), [])
    assert test.detectable == pytest.approx(2.83 * 0.2 / 10, abs=0.001)
    assert test.more_queries == pytest.approx(8 / (0.1**2) - 100, abs=40)
    assert test.power_sentence == (
        f"These queries show a difference of {test.detectable:.3f} nDCG@10 four times in five; for one of 0.020 it "
        f"takes about {test.more_queries:,} more of the same spread."
    )
    (sure,) = compare(scores_of([spread_out(0.0, 0.05, 100)]), QueryGroups.single(100), [])
    assert (sure.more_queries, sure.power_sentence[-20:]) == (0, " four times in five.")
    (better,) = compare(scores_of([spread_out(0.1, 0.2, 100)]), QueryGroups.single(100), [])
    assert better.power_sentence is None


def test_what_the_verdict_rests_on():
    rows = [spread_out(0.1, 0.2, 100), spread_out(0.0, 0.02, 100, 1)]
    tests = compare(scores_of(rows), QueryGroups.single(100), ["new0", "new1"])
    first, second = within_family(tests, ["new0", "new1"])
    assert first.evidence.startswith("p = 0.0002, 0.0004 adjusted for 2 candidates; ")
    assert first.evidence.endswith(f"{first.wins} wins, 0 ties, {first.losses} losses.")
    assert first.practical_sentence == "By at least the margin of 0.020."
    assert (
        second.practical_sentence
        == "Too small to matter: less than 0.020 either way (90% interval)."
    )
    assert tests[0].evidence.startswith("p = 0.0002; ")
