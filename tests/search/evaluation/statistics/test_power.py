"""Power against published figures, against draws, and against itself asked the other way round."""

import numpy as np
import pytest

from search.evaluation.statistics.flips import Flips
from search.evaluation.statistics.groups import QueryGroups
from search.evaluation.statistics.power import Power, Spread


def power_of(spread, sizes):
    return Power.on(QueryGroups(np.repeat(np.arange(len(sizes)), sizes)), spread, "measured")


def test_single_queries_have_the_power_of_a_paired_t_test():
    """G*Power 3.1's own example: two dependent means, two-sided .05, 34 pairs and an effect of .5 give .8078."""
    assert power_of(Spread(0.2), [1] * 34).share(0.1) == pytest.approx(0.8078, abs=1e-4)


def test_least_gain_and_queries_needed_are_the_same_question():
    power = power_of(Spread(0.2, 0.3), [3] * 50)
    least = power.detectable()
    assert power.share(least) == pytest.approx(0.8, abs=1e-3)
    assert power.more_queries(least) == 0
    more = power.more_queries(0.02)
    assert 150 < more < 5_000
    assert power.share(0.02, (150 + more) / 150) == pytest.approx(0.8, abs=2e-3)
    assert power.share(0.02, (150 + more - 2) / 150) < 0.8
    assert power.more_queries(1e-6) is None, "beyond reach"


@pytest.mark.parametrize("correlation", [0.0, 0.5, 1.0])
def test_the_spread_of_groups_is_found_again(correlation):
    rng = np.random.default_rng(4)
    groups = QueryGroups(np.repeat(np.arange(3_000), rng.integers(1, 6, 3_000)).astype(np.int32))
    shared = rng.normal(0, np.sqrt(correlation), 3_000)[groups.labels]
    row = 0.2 * (shared + rng.normal(0, np.sqrt(1 - correlation), len(shared)))
    spread = Spread.of(row, groups)
    assert spread.deviation == pytest.approx(0.2, rel=0.05)
    assert spread.correlation == pytest.approx(correlation, abs=0.07)


def test_the_error_of_measured_groups_is_that_of_their_sums():
    """Cameron, Gelbach and Miller's cluster-robust error of a mean."""
    rng = np.random.default_rng(1)
    groups = QueryGroups(np.repeat(np.arange(60), rng.integers(1, 8, 60)).astype(np.int32))
    row = rng.normal(0, 0.2, 60)[groups.labels] + rng.normal(0, 0.1, len(groups.labels))
    off = np.bincount(groups.labels, row - row.mean())
    robust = np.sqrt(60 / 59 * (off**2).sum()) / len(row)
    assert Spread.of(row, groups).error(len(row), groups.effective) == pytest.approx(robust)


def test_the_share_found_is_the_share_predicted():
    rng = np.random.default_rng(9)
    groups = QueryGroups(np.repeat(np.arange(60), 5).astype(np.int32))
    noise = rng.normal(0, 0.15, (400, 60))[:, groups.labels] + rng.normal(0, 0.15, (400, 300))
    found = (Flips(groups, 999).p_values(noise + 0.06) < 0.05).mean()
    power = power_of(Spread(0.15 * np.sqrt(2), 0.5), [5] * 60)
    assert power.share(0.06) == pytest.approx(found, abs=0.06)


def test_what_is_said():
    few = power_of(Spread(0.2), [9] * 5)
    assert (few.detectable(), few.share(0.5)) == (None, 0.0)
    assert few.sentence.startswith("45 test queries in 5 independent groups cannot show any gain")
    rough = Power.on(QueryGroups(np.repeat(np.arange(50), 2)), None, "rough")
    assert rough.detectable() == power_of(Spread(0.2), [1] * 50).detectable()
    assert rough.sentence == (
        "100 test queries in 50 independent groups would show a gain of 0.081 nDCG@10 four times in five (roughly, for "
        "a spread of 0.20)."
    )
    assert rough.as_json()["detectable"] == rough.detectable()
    same = power_of(Spread(0.0), [1] * 50)
    assert (same.share(0.01), same.share(0.0)) == (1.0, 0.0)
