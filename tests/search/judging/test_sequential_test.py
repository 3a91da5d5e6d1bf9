"""Verdicts against scipy, against brute force over all paths, and against what chance does in simulation."""

import math
import random
from itertools import product

import pytest

from search.judging.sequential_test import (
    ENOUGH,
    bayes_factor,
    forecast,
    settled,
    share_interval,
    sign_test,
)


@pytest.mark.parametrize(
    ("wins", "losses"), [(0, 0), (1, 0), (5, 5), (9, 1), (18, 4), (300, 240), (2_000, 1_800)]
)
def test_sign_test_equals_scipy(wins, losses):
    from scipy.stats import binomtest

    if wins + losses:
        known = binomtest(wins, wins + losses).pvalue
        assert sign_test(wins, losses) == pytest.approx(known)
        assert sign_test(losses, wins) == sign_test(wins, losses)
    else:
        assert sign_test(0, 0) == 1.0


def test_the_interval_is_the_middle_of_the_posterior():
    low, high = share_interval(18, 4)
    from scipy.stats import beta

    assert beta(18.5, 4.5).cdf(low) == pytest.approx(0.025)
    assert beta(18.5, 4.5).cdf(high) == pytest.approx(0.975)
    assert share_interval(0, 0) == (0.0, 1.0)
    assert share_interval(0, 8)[0] == 0.0 and share_interval(8, 0)[1] == 1.0


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (3, 1), (12, 2), (40, 60)])
def test_evidence_is_the_ratio_of_two_likelihoods(wins, losses):
    from scipy.integrate import quad

    open_ = quad(lambda share: share**wins * (1 - share) ** losses, 0, 1)[0]
    assert bayes_factor(wins, losses) == pytest.approx(open_ / 0.5 ** (wins + losses), rel=1e-6)


def test_evidence_stays_finite():
    assert math.isfinite(bayes_factor(100_000, 0)) and settled(100_000, 0)


def test_whoever_stops_when_it_is_settled_errs_at_most_once_in_twenty():
    """Fair coins, looked at after each of 300: how many are ever called settled?"""
    rng = random.Random(11)
    wrong = 0
    for _ in range(2_000):
        wins = 0
        for count in range(1, 301):
            wins += rng.random() < 0.5
            if settled(wins, count - wins):
                wrong += 1
                break
    assert wrong / 2_000 <= 1 / ENOUGH


def test_looking_again_and_again_at_a_p_value_would_err_much_more_often():
    """Why the evidence is there: the same coins, stopped at p < .05."""
    rng = random.Random(11)
    wrong = 0
    for _ in range(300):
        wins = 0
        for count in range(1, 201):
            wins += rng.random() < 0.5
            if sign_test(wins, count - wins) < 0.05:
                wrong += 1
                break
    assert wrong / 300 > 0.15


def _brute_force(wins, losses, steps):
    """The chance to be settled after at most so many more, over every single path."""
    chance = 0.0
    for path in product((0, 1), repeat=steps):
        w, lost, likely, hit = wins, losses, 1.0, False
        for won in path:
            likely *= (w + 1) / (w + lost + 2) if won else (lost + 1) / (w + lost + 2)
            w, lost = w + won, lost + 1 - won
            hit = hit or settled(w, lost)
        chance += likely * hit
    return chance


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (4, 1), (7, 1), (3, 3), (9, 2)])
def test_the_forecast_equals_every_path_counted(wins, losses):
    for steps in (1, 4, 9):
        assert forecast(wins, losses, steps).chance == pytest.approx(
            _brute_force(wins, losses, steps)
        )
    needed = forecast(wins, losses, 9).needed
    for steps in range(1, 10):
        if _brute_force(wins, losses, steps) >= 0.5:
            assert needed == steps
            break
    else:
        assert needed is None or needed > 9


def test_a_forecast_for_what_is_settled_or_hopeless():
    assert settled(12, 1) and forecast(12, 1, 5).needed == 0 and forecast(12, 1, 0).chance == 1.0
    even = forecast(200, 200, 50)
    assert even.needed is None and even.chance < 0.01
    assert forecast(3, 0, 0).chance == 0.0
    assert forecast(3, 0, 0).needed == forecast(3, 0, 100).needed


def test_the_forecast_is_right_half_of_the_time():
    """Shares drawn from what the counts leave open: half of the runs must be settled by then."""
    rng = random.Random(2)
    wins, losses = 6, 2
    needed = forecast(wins, losses, 400).needed
    hits = 0
    for _ in range(4_000):
        share = rng.betavariate(wins + 1, losses + 1)
        w, lost = wins, losses
        for _ in range(needed):
            won = rng.random() < share
            w, lost = w + won, lost + (not won)
            if settled(w, lost):
                hits += 1
                break
    assert 0.47 < hits / 4_000 < 0.60
