"""The gain in plain words, and the relative gain against a ratio that is drawn by hand."""

import numpy as np
import pytest

from search.evaluation.statistics.groups import QueryGroups
from search.evaluation.statistics.significance import paired_test
from search.evaluation.verdict.gains import Gain, gain_of

FIRSTS = ([1, 4, None, 3], [2, 3, 1, 3])


def columns(queries, gain, seed=3):
    rng = np.random.default_rng(seed)
    ours = rng.uniform(0.1, 0.9, queries)
    return ours, np.clip(ours + gain + rng.normal(0, 0.1, queries), 0, 1)


def no_firsts(queries):
    return [None] * queries, [None] * queries


def test_first_three_are_counted_and_said_of_as_many_questions_as_there_are():
    made = gain_of([0.5] * 4, [0.6] * 4, FIRSTS, QueryGroups.single(4))
    assert (made.before, made.after) == (2, 4)
    assert (
        made.sentence
        == "The right document is among the first three for 4 instead of 2 of 4 questions."
    )


def test_equal_shares_are_no_gain():
    assert Gain(300, 174, 175).sentence.endswith("58 of 100 questions, with either.")


def test_a_baseline_that_finds_nothing_has_no_relative_gain():
    made = gain_of([0.0] * 40, [0.5] * 40, no_firsts(40), QueryGroups.single(40))
    assert (made.relative, made.interval, made.relative_words) == (None, None, "")


def test_a_steady_ratio_has_no_spread():
    ours = np.linspace(0.1, 0.5, 40)
    made = gain_of(ours, ours * 1.2, no_firsts(40), QueryGroups.single(40))
    assert made.interval == pytest.approx((0.2, 0.2))


def test_the_interval_of_many_groups_is_near_that_of_groups_drawn_by_hand():
    ours, theirs = columns(200, 0.05)
    labels = np.arange(200) // 2
    made = gain_of(ours, theirs, no_firsts(200), QueryGroups(labels.astype(np.int32)))
    assert made.relative == pytest.approx(theirs.mean() / ours.mean() - 1)
    rng = np.random.default_rng(1)
    drawn = rng.integers(0, 100, (4_000, 100))
    pairs = [np.add.reduceat(values, np.arange(0, 200, 2)) for values in (ours, theirs)]
    ratios = pairs[1][drawn].sum(axis=1) / pairs[0][drawn].sum(axis=1) - 1
    assert made.interval == pytest.approx(np.quantile(ratios, [0.025, 0.975]), abs=0.006)


@pytest.mark.parametrize("gain", [0.0, 0.02, 0.03, 0.045, 0.06])
def test_with_few_groups_the_interval_holds_no_gain_exactly_where_the_test_does(gain):
    ours, theirs = columns(20, gain)
    groups = QueryGroups.single(20)
    low, high = gain_of(ours, theirs, no_firsts(20), groups).interval
    p_value = paired_test("a", "b", list(ours), list(theirs), groups).p_value
    assert (low <= 0 <= high) == (p_value >= 0.05)


def test_two_groups_say_nothing_of_a_ratio():
    ours, theirs = columns(20, 0.1)
    labels = np.arange(20) % 2
    made = gain_of(ours, theirs, no_firsts(20), QueryGroups(labels.astype(np.int32)))
    assert made.interval is None
    assert made.relative is not None
