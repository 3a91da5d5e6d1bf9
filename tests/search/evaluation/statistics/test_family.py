"""Holm's and Benjamini and Hochberg's adjusted p against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.evaluation.statistics.family import adjusted, benjamini_hochberg, holm

p_lists = st.lists(st.sampled_from([0.0, 0.001, 0.01, 0.012, 0.02, 0.04, 0.3, 1.0]), max_size=7)


def refused_by_holm(p_values, alpha):
    """Step down: the smallest against alpha / m, the next against alpha / (m - 1), until one does not pass."""
    refused = set()
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    for rank, i in enumerate(order):
        if p_values[i] > alpha / (len(p_values) - rank):
            break
        refused.add(i)
    return refused


def named_by_benjamini_hochberg(p_values, alpha):
    """All up to the largest p that is at most alpha times its rank over m."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    passing = [r for r, i in enumerate(order) if p_values[i] <= alpha * (r + 1) / len(p_values)]
    return {i for r, i in enumerate(order) if passing and r <= passing[-1]}


@given(p_lists, st.sampled_from([0.013, 0.05, 0.11]))
def test_what_stays_below_alpha_is_what_the_steps_refuse(p_values, alpha):
    holms = {i for i, p in enumerate(holm(p_values)) if p <= alpha}
    assert holms == refused_by_holm(p_values, alpha)
    discoveries = {i for i, p in enumerate(benjamini_hochberg(p_values)) if p <= alpha}
    assert discoveries == named_by_benjamini_hochberg(p_values, alpha)


def test_what_was_measured_before_counts():
    assert adjusted({"a": 0.01, "b": 0.04}, {}) == {"a": 0.02, "b": 0.04}
    assert adjusted({"a": 0.01}, {"f1": 0.2, "f2": 0.001}) == {"a": 0.02}
    assert adjusted({"a": 0.01}, {"f1": 0.2, "f2": 0.3}) == {"a": 0.03}
    assert adjusted({}, {"f1": 0.2}) == {}


@pytest.mark.parametrize("wrong", [np.nan, -0.1, 1.5])
def test_what_is_no_p_is_refused(wrong):
    """Sorted among others, what is not a number would count as the smallest."""
    for correct in (holm, benjamini_hochberg):
        with pytest.raises(ValueError, match="from 0 to 1"):
            correct([0.2, wrong])
