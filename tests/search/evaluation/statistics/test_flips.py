"""The test over groups against every pattern of signs and against scipy's own; its interval against the test itself."""

import itertools

import numpy as np
import pytest
from scipy.stats import bootstrap, permutation_test

from search.evaluation.statistics.flips import SEED, Flips
from search.evaluation.statistics.groups import QueryGroups
from search.evaluation.statistics.resampling import Resamples


def grouped(*sizes):
    return QueryGroups(np.repeat(np.arange(len(sizes)), sizes).astype(np.int32))


def scipys_p(differences):
    """What stood here before groups: scipy's test of single queries."""
    return permutation_test(
        (differences,),
        lambda x, axis: np.mean(x, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=9_999,
        rng=np.random.default_rng(SEED),
    ).pvalue


def every_flip(differences, labels):
    """The share of patterns of signs of whole groups whose sum is at least as far from 0."""
    count = labels.max() + 1
    signs = np.array(list(itertools.product([1, -1], repeat=count)))[:, labels]
    sums = np.abs((signs * differences).sum(axis=1))
    return (sums >= abs(differences.sum()) - 1e-12).mean()


@pytest.mark.parametrize("seed", range(6))
def test_p_of_few_groups_is_that_of_every_pattern(seed):
    rng = np.random.default_rng(seed)
    groups = grouped(*rng.integers(1, 5, size=rng.integers(2, 12)))
    differences = rng.normal(0.1, 0.3, size=len(groups.labels)).round(1)
    flips = Flips(groups)
    assert flips.exact
    assert flips.p_values(differences[None])[0] == pytest.approx(
        every_flip(differences, groups.labels), abs=1e-12
    )


@pytest.mark.parametrize(
    ("queries", "decimals", "off"), [(10, 9, 5e-4), (60, 2, 5e-4), (60, 9, 1e-9), (320, 9, 1e-9)]
)
def test_single_queries_have_the_p_and_the_interval_of_scipy(queries, decimals, off):
    """Of rounded differences many means tie, which scipy tells apart by the last bits."""
    rng = np.random.default_rng(queries)
    means = (0.0, 0.02, -0.04)
    rows = np.stack([rng.normal(mean, 0.2, queries).round(decimals) for mean in means])
    groups = QueryGroups.single(queries)
    assert Flips(groups).p_values(rows) == pytest.approx([scipys_p(row) for row in rows], abs=1e-9)
    expected = [
        bootstrap((row,), np.mean, n_resamples=9_999, rng=np.random.default_rng(SEED))
        for row in rows
    ]
    ends = [(e.confidence_interval.low, e.confidence_interval.high) for e in expected]
    assert Resamples(*groups.totals(rows)).intervals(0.95) == pytest.approx(np.array(ends), abs=off)


def test_groups_have_the_interval_of_scipys_bootstrap_of_sums_and_counts():
    rng = np.random.default_rng(3)
    groups = grouped(*rng.integers(1, 9, size=45))
    row = rng.exponential(0.1, len(groups.labels)) + rng.normal(0, 0.1, 45)[groups.labels]
    sums = groups.sums(row[None])[0]
    expected = bootstrap(
        (sums, groups.sizes),
        lambda s, n, axis=-1: s.sum(axis=axis) / n.sum(axis=axis),
        paired=True,
        n_resamples=9_999,
        rng=np.random.default_rng(SEED),
    ).confidence_interval
    drawn = Resamples(*groups.totals(row[None]))
    assert drawn.intervals(0.95)[0] == pytest.approx([expected.low, expected.high], abs=1e-9)


@pytest.mark.parametrize("sizes", [(3, 1, 2, 2, 5, 1, 1, 4), (1,) * 18, (7,) * 20])
def test_the_interval_is_what_the_test_does_not_refuse(sizes):
    groups = grouped(*sizes)
    rng = np.random.default_rng(len(sizes))
    row = rng.normal(0.05, 0.2, len(groups.labels))
    flips = Flips(groups)
    for level in (0.9, 0.95):
        low, high = flips.intervals(row[None], level=level)[0]
        inside = np.linspace(low, high, 9)
        outside = np.array([low - 1e-6, high + 1e-6])
        assert (flips.p_values(row - inside[:, None]) >= 1 - level - 1e-12).all()
        assert (flips.p_values(row - outside[:, None]) < 1 - level - 1e-12).all()


def test_a_few_of_the_queries_are_tested_as_if_alone():
    """Inside a slice: the others are nothing, and neither are groups of others."""
    groups = grouped(*[2] * 40)
    rng = np.random.default_rng(1)
    row = rng.normal(0.05, 0.1, 80)
    within = rng.random(80) < 0.6
    flips = Flips(groups)
    alone = Flips(groups.only(within))
    assert flips.p_values(row[None], within[None])[0] == pytest.approx(
        alone.p_values(row[within][None])[0], abs=0.01
    )
    assert flips.intervals(row[None], within[None])[0] == pytest.approx(
        alone.intervals(row[within][None])[0], abs=0.003
    )
    changed = np.where(within, row, 9.0)
    assert flips.p_values(changed[None], within[None]) == flips.p_values(row[None], within[None])


def test_too_few_groups_have_no_end():
    flips = Flips(grouped(4, 4, 4, 4, 4))
    row = np.full((1, 20), 0.3)
    assert flips.p_values(row) == [2 / 2**5]
    assert flips.intervals(row).tolist() == [[-1.0, 1.0]]
    six = Flips(grouped(*[4] * 6))
    assert six.p_values(np.full((1, 24), 0.3)) == [2 / 2**6]
    assert six.intervals(np.full((1, 24), 0.3)) == pytest.approx(np.array([[0.3, 0.3]]))


def test_what_is_not_a_number_is_refused():
    flips = Flips(grouped(1, 1, 1))
    with pytest.raises(ValueError, match="not a number"):
        flips.p_values(np.array([[0.1, np.nan, 0.2]]))


def test_several_at_once_hold_at_a_higher_level():
    rng = np.random.default_rng(5)
    groups = QueryGroups.single(200)
    rows = rng.normal(0, 0.2, (6, 200))
    drawn = Resamples(*groups.totals(rows))
    levels = drawn.joint_levels(range(6), 0.95)
    # Six that know nothing of each other: as Šidák's, .95 ** (1 / 6).
    assert levels == pytest.approx(np.full(6, 0.95 ** (1 / 6)), abs=0.003)
    assert drawn.joint_levels([2], 0.95) == [0.95]
    alike = Resamples(*groups.totals(np.stack([rows[0], 2 * rows[0]])))
    assert alike.joint_levels([0, 1], 0.95) == pytest.approx([0.95, 0.95], abs=0.001)
