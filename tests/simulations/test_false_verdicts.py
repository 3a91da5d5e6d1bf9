"""Columns that differ by chance alone get a verdict in one evaluation of twenty, and intervals hold what is so.

Two standard errors of 2,000 evaluations are one percent, so 6 % is what may come out where 5 % is promised. Where a set's
own groups are drawn a few large ones carry much of the spread, and to one side: 8 % may come out there.
"""

import numpy as np
import pytest

from search.evaluation.statistics.family import adjusted
from tests.proofs import ROW
from tests.simulations.resampled import SETS, Real, draw, generator, planted, real, verdicts

pytestmark = pytest.mark.slow

EVALUATIONS = 2_000
NULL = "How often is there a verdict where nothing differs?"
LOOKS = "And after ten candidates, one after the other?"
COVERAGE = "How often does the 95 % interval hold the true difference?"
HERE = ("scifact", "hinglish_top")


def cases(*more):
    """Every data set and size in `make prove`; two sets and the first of all else elsewhere."""
    first = more[0]
    for name in SETS:
        for each in more:
            here = name in HERE and each == first
            yield pytest.param(name, *each, marks=() if here else pytest.mark.prove)


def percent(share):
    return f"{100 * share:.1f} %"


@pytest.mark.parametrize("grouped", [False, True], ids=["single queries", "the set's own groups"])
@pytest.mark.parametrize(("name", "queries"), cases((300,), (100,), (1_000,)))
def test_false_verdicts(name, queries, grouped, record_property):
    data = real(name).centred() if grouped else real(name).centred().single()
    drawn = draw(data, queries, EVALUATIONS, generator(name, queries, grouped))
    p_values = drawn.p_values()
    cells = {
        "data set": name,
        "queries": f"{queries:,}",
        "groups": f"{drawn.sums.shape[2]:,}",
    }
    for columns in (1, 3, 6):
        false = verdicts(p_values[:, :columns]).any(axis=1).mean()
        assert false <= (0.08 if grouped else 0.06)
        cells[f"{columns} candidate{'s' if columns > 1 else ''}"] = percent(false)
    record_property(ROW, (NULL, cells))


@pytest.mark.parametrize(("name", "groups"), cases((50,), (20,), (100,)))
def test_groups_that_are_ignored_give_false_verdicts(name, groups, record_property):
    """Groups of ten queries each, in which half of a difference's variance is the group's."""
    together, alone = planted(
        real(name).centred(), groups, 10, EVALUATIONS, generator(name, groups, "planted")
    )
    p_values, ignoring = together.p_values(), alone.first(1).p_values()
    cells = {"data set": name, "queries": f"{10 * groups:,}", "groups": f"{groups} of ten"}
    for columns in (1, 3, 6):
        false = verdicts(p_values[:, :columns]).any(axis=1).mean()
        assert false <= (0.06 if groups >= 50 else 0.07)  # Skewed sums of few groups.
        cells[f"{columns} candidate{'s' if columns > 1 else ''}"] = percent(false)
    wrong = verdicts(ignoring).mean()
    assert wrong > 0.2
    cells["1 candidate, groups ignored"] = percent(wrong)
    record_property(ROW, (f"{NULL[:-1]}, with planted groups?", cells))


@pytest.mark.parametrize(("name", "queries"), cases((300,), (100,)))
def test_ten_looks(name, queries, record_property):
    """Ten candidates on the same queries: at each look Holm's p is over all so far, each with the p it got first."""
    rng = generator(name, queries, "looks")
    data = real(name).centred()
    mixes = rng.dirichlet(np.ones(len(data.differences)), size=10)
    p_values = draw(
        Real(data.labels, mixes @ data.differences), queries, EVALUATIONS, rng
    ).p_values()
    last, along = 0, 0
    for looks in p_values.tolist():
        won = []
        for n, p in enumerate(looks):
            earlier = {str(i): before for i, before in enumerate(looks[:n])}
            won.append(adjusted({"new": p}, earlier)["new"] < 0.05)
        last += won[-1]
        along += any(won)
    none = (p_values < 0.05).any(axis=1).mean()
    all_ten = verdicts(p_values).any(axis=1).mean()
    assert all_ten <= 0.06
    assert last / EVALUATIONS <= 0.06
    cells = [
        f"{queries:,}",
        percent(last / EVALUATIONS),
        percent(all_ten),
        percent(along / EVALUATIONS),
        percent(none),
    ]
    heads = (
        "queries",
        "the tenth",
        "any of the ten, at the end",
        "any of the ten, at its time",
        "any of the ten, unadjusted",
    )
    record_property(ROW, (LOOKS, {"data set": name} | dict(zip(heads, cells, strict=True))))


@pytest.mark.parametrize(("name", "groups"), cases((50,), (20,), (100,), (300,)))
def test_intervals_hold_the_true_difference(name, groups, record_property):
    data = real(name).centred()
    sizes = np.bincount(data.labels)
    kinds = {
        "single queries": draw(
            data.single(), groups, EVALUATIONS, generator(name, groups, "cover")
        ),
        "the set's own groups": draw(
            data, round(groups * sizes.mean()), EVALUATIONS, generator(name, groups, "own")
        ),
        "groups of ten": planted(data, groups, 10, EVALUATIONS, generator(name, groups, "ten"))[0],
    }
    cells = {"data set": name, "groups": str(groups)}
    for kind, drawn in kinds.items():
        ends = drawn.intervals()
        held = ((ends[:, 0] <= 0) & (ends[:, 1] >= 0)).mean()
        cells[kind] = percent(held)
        # Nearly all of esci_sample's queries differ, a few by far the most: there the bootstrap stays too narrow.
        skewed = kind != "groups of ten" and name == "esci_sample" and groups == 100
        own = 0.01 if kind == "the set's own groups" else 0.0
        assert held >= (0.91 if groups < 50 or skewed else 0.93) - own, kind
        assert held <= 0.97 or groups < 50, kind
    record_property(ROW, (COVERAGE, cells))
