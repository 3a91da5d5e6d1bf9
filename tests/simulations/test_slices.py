"""A loss that is hidden in a part of the questions is named, and where nothing differs hardly any part is.

Named is what stands in the sentence of the verdict. Real differences are drawn as in `resampled`, the parts are those of real questions (real_slices.json: what `slices_of` says of
the shared data sets), drawn independently of the differences. With 999 flips no p is below .002, so that of 25 slices none
could be named alone: 1,999 are drawn.
"""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from search.evaluation.slices.define import Slice
from search.evaluation.slices.tested import compare_slices
from search.evaluation.statistics.flips import Flips
from search.evaluation.statistics.groups import QueryGroups
from tests.proofs import ROW
from tests.simulations.resampled import SETS, generator, real

pytestmark = pytest.mark.slow

DRAWS = 1_999
HERE = ("scifact", "hinglish_top")
PLANTED = "How often is a loss on 15 % of the questions named?"
NULL = "How often is any part named where nothing differs?"
_SHARE = 0.15


@cache
def parts(name):
    """Which queries of a data set are in each of its slices, of shape (slices, queries)."""
    path = Path(__file__).with_name("real_slices.json")
    stored = json.loads(path.read_text(encoding="utf-8"))[name]
    each = [np.frombuffer(bytes.fromhex(bits), np.uint8) for bits in stored["slices"].values()]
    return np.array([np.unpackbits(bits, count=stored["queries"]) for bits in each], dtype=bool)


def weights(sums):
    """Chances to draw each group by which the mean is zero though no difference is changed (exponential tilting; Efron 1981)."""
    low, high = -200.0, 200.0
    for _ in range(100):
        tilt = (low + high) / 2
        each = np.exp(tilt * sums - (tilt * sums).max())
        low, high = (low, tilt) if each @ sums > 0 else (tilt, high)
    return each / each.sum()


def drawn(name, queries, rng, ties_stay=False):
    """An evaluation of about so many queries without any difference: groups, differences, and parts of it.

    :param ties_stay: let the mean be zero by what is drawn, not by taking it off each difference: then what is equal stays so.
    """
    data = real(name) if ties_stay else real(name).centred()
    column = data.differences[rng.integers(len(data.differences))]
    sizes = np.bincount(data.labels)
    sums = np.bincount(data.labels, column)
    count = max(2, round(queries / sizes.mean()))
    chosen = rng.choice(len(sizes), count, p=weights(sums) if ties_stay else None)
    members = [np.flatnonzero(data.labels == group) for group in chosen]
    labels = np.repeat(np.arange(len(members)), [len(own) for own in members])
    values = column[np.concatenate(members)]
    known = parts(name)
    slices = known[:, rng.integers(0, known.shape[1], len(values))]
    named = [Slice(f"{n}", f"part {n}", own) for n, own in enumerate(slices)]
    return QueryGroups(labels.astype(np.int32)), values, named


def compared(groups, values, slices):
    scores = {"a": {"ndcg@10": [0.0] * len(values)}, "b": {"ndcg@10": list(values)}}
    return compare_slices(slices, scores, [("a", "b")], groups, Flips(groups, DRAWS))


def cases(*more):
    for name in SETS:
        for each in more:
            here = name in HERE and each == more[0]
            yield pytest.param(name, *each, marks=() if here else pytest.mark.prove)


@pytest.mark.parametrize(("name", "queries", "loss"), cases((300, 0.2), (1_200, 0.1)))
def test_a_planted_loss_is_named(name, queries, loss, whole, record_property):
    rng = generator(name, queries, "loss")
    evaluations = 1_000 if whole else 25
    named, others = 0, 0
    for _ in range(evaluations):
        groups, values, slices = drawn(name, queries, rng)
        # Whole groups, as questions of one kind are.
        chosen = rng.permutation(groups.count)
        inside = np.isin(groups.labels, chosen[: max(1, round(_SHARE * groups.count))])
        found = compared(groups, values - loss * inside, [Slice("hurt", "hurt", inside), *slices])
        lost = {test.key for test in found if test.is_certain_loss}
        named += "hurt" in lost
        others += len(lost - {"hurt"})
    share = named / evaluations
    cells = [f"{queries:,}", f"{loss:.2f}", f"{100 * share:.1f} %", f"{others / evaluations:.2f}"]
    heads = ("questions", "loss", "named", "others named with it, on average")
    record_property(ROW, (PLANTED, {"data set": name} | dict(zip(heads, cells, strict=True))))
    # Of few evaluations the share itself is known to two standard errors.
    assert share >= 0.9 - (0 if whole else 2 * (0.9 * 0.1 / evaluations) ** 0.5)


@pytest.mark.parametrize(
    ("name", "queries", "ties_stay"),
    cases((300, False), (1_200, False), (300, True), (1_200, True)),
)
def test_where_nothing_differs_hardly_any_part_is_named(
    name, queries, ties_stay, whole, record_property
):
    rng = generator(name, queries, ties_stay, "no loss")
    evaluations = 2_000 if whole else 100
    some, named, count = 0, 0, 0
    for _ in range(evaluations):
        found = compared(*drawn(name, queries, rng, ties_stay))
        some += any(test.verdict != "no clear difference" for test in found)
        named += any(test.is_certain_loss for test in found)
        count += len(found)
    cells = {
        "data set": name,
        "questions": f"{queries:,}",
        "mean zero by": "what is drawn" if ties_stay else "taking it off",
        "parts tested": f"{count / evaluations:.0f}",
        "a part is named in the sentence": f"{100 * named / evaluations:.1f} %",
        "a part is better or worse by p alone": f"{100 * some / evaluations:.1f} %",
    }
    record_property(ROW, (NULL, cells))
    # Two standard errors of 2,000 evaluations are one percent; of fewer, more.
    most = 0.05 + 2 * (0.05 * 0.95 / evaluations) ** 0.5
    assert named / evaluations <= most
