"""The test inside a slice against every pattern of signs written out; what is named, and what is too small to be."""

from itertools import product

import numpy as np
import pytest

from search.evaluation.evaluate import evaluate
from search.evaluation.evaluation import Evaluation, load_evaluation
from search.evaluation.slices.define import Slice
from search.evaluation.slices.tested import SliceTest, compare_slices, large_enough, worse_on
from search.evaluation.statistics.groups import QueryGroups
from search.evaluation.statistics.significance import compare
from search.projects.project import project_to_be
from training.data.intake import import_beir

GROUPS = QueryGroups(np.repeat(np.arange(12), 2).astype(np.int32))
FIRST = np.arange(24) < 20


def scores(**columns):
    return {name: {"ndcg@10": list(values)} for name, values in columns.items()}


@pytest.fixture
def noise():
    rng = np.random.default_rng(7)
    return rng.integers(-5, 6, 24) / 16


def by_hand(differences, members):
    """The two-sided p of the sum over a slice, with every pattern of signs of all groups: twice the smaller tail."""
    inside = np.where(members, differences, 0.0)
    sums = [inside[GROUPS.labels == g].sum() for g in range(12)]
    flipped = [np.dot(signs, sums) for signs in product((1, -1), repeat=12)]
    more = sum(value >= sum(sums) - 1e-12 for value in flipped) / 2**12
    less = sum(value <= sum(sums) + 1e-12 for value in flipped) / 2**12
    return min(1.0, 2 * min(more, less))


def test_the_difference_inside_a_slice_is_tested_by_the_flips_of_the_whole(noise):
    theirs = 0.4 + noise - 0.15 * FIRST
    columns = scores(generic=[0.4] * 24, mine=theirs, other=0.4 - noise)
    slices = [
        Slice("first", "questions one", FIRST),
        Slice("all but two", "others", np.arange(24) > 1),
    ]
    pairs = [("generic", "mine"), ("generic", "other")]
    tested = compare_slices(slices, columns, pairs, GROUPS)
    assert [(t.candidate, t.key) for t in tested] == [(c, s.key) for _, c in pairs for s in slices]
    for test in tested:
        members = next(s.members for s in slices if s.key == test.key)
        each = np.subtract(columns[test.candidate]["ndcg@10"], 0.4)
        assert test.p_value == pytest.approx(by_hand(each, members))
        assert test.delta == pytest.approx(each[members].mean())
        assert (test.queries, test.groups) == (members.sum(), members.sum() / 2)
        assert (test.wins, test.ties, test.losses) == tuple(
            int((np.sign(np.round(each[members], 9)) == sign).sum()) for sign in (1, 0, -1)
        )
        # The interval holds 0 exactly where the test does not refuse it.
        assert (test.ci95[0] <= 0 <= test.ci95[1]) == (test.p_value > 0.05)
    for start in (0, 2):  # Benjamini and Hochberg, written out for two.
        low, high = sorted((tested[start].p_value, tested[start + 1].p_value))
        wanted = {low: min(2 * low, high), high: high}
        assert [t.p_adjusted for t in tested[start : start + 2]] == [
            pytest.approx(wanted[t.p_value]) for t in tested[start : start + 2]
        ]


def test_a_slice_is_named_where_its_loss_is_certain_and_not_by_its_own_p_alone(noise):
    noise = noise - noise.mean()
    lost = np.where(FIRST, -0.3, 0.2) + noise / 8
    sure = [Slice("first", "questions one", FIRST)]
    each = QueryGroups.single(24)
    tested = compare_slices(sure, scores(a=[0.5] * 24, b=0.5 + lost), [("a", "b")], each)
    assert [t.verdict for t in tested] == ["worse"] and tested[0].is_certain_loss
    assert worse_on(tested, "a", "b") == "worse on questions one"
    assert worse_on(tested, "a", "c") == worse_on([], "a", "b") == ""
    # As one of many that say nothing, a p just under .05 is chance.
    faint = next(
        values
        for values in (noise - shift * FIRST for shift in np.linspace(0.05, 0.3, 200))
        if 0.02 < by_hand(values, FIRST) < 0.05
    )
    others = [Slice(f"other {n}", "others", np.roll(np.arange(24) > 3, n)) for n in range(0, 24, 2)]
    columns = scores(a=[0.5] * 24, b=0.5 + faint)
    alone = compare_slices(sure, columns, [("a", "b")], GROUPS)
    among = compare_slices([*sure, *others], columns, [("a", "b")], GROUPS)
    assert alone[0].verdict == "worse"
    assert among[0].p_value == alone[0].p_value
    assert among[0].p_adjusted > 0.05 and among[0].verdict == "no clear difference"


def test_of_fewer_than_twenty_queries_or_ten_groups_nothing_is_said():
    small = Slice("19", "questions", np.arange(24) < 19)
    crowded = QueryGroups(np.array([*range(9), *[9] * 3, *[10] * 12], dtype=np.int32))
    enough = Slice("20", "questions", FIRST)
    assert [one.key for one in large_enough([small, enough], GROUPS)] == ["20"]
    assert large_enough([Slice("9", "questions", np.arange(24) < 9)], crowded) == []
    nine = QueryGroups(np.minimum(np.arange(24), 8).astype(np.int32))
    assert large_enough([enough], nine) == []
    two = Slice("two", "questions", np.arange(24) < 2)
    assert compare_slices([two], scores(a=[0.0] * 24, b=[1.0] * 24), [("a", "b")], GROUPS) == []
    assert compare_slices([enough], scores(a=[0.0] * 24), [], GROUPS) == []


def test_of_many_losses_the_sentence_names_the_largest():
    lost = [
        SliceTest(
            str(n),
            f"kind {n}",
            "a",
            "b",
            40,
            30,
            -n / 10,
            (-0.9, -0.01),
            0.001,
            0.01,
            0,
            0,
            40,
            "worse",
            as_low=0.001,
        )
        for n in (1, 4, 2, 5, 3)
    ]
    assert worse_on(lost, "a", "b") == "worse on kind 5, kind 4, kind 3 and 2 more slices"
    assert worse_on(lost[:4], "a", "b") == "worse on kind 5, kind 4, kind 2 and 1 more slice"
    assert worse_on(lost[:2], "a", "b") == "worse on kind 4 and kind 1"


def test_an_evaluation_keeps_its_slices_tops_and_times(tiny_beir, noise):
    lab = project_to_be("lab")
    import_beir(lab, tiny_beir)
    made = evaluate(lab, ["bm25"])
    for query, ids, first in zip(
        made.queries, made.tops["bm25"], made.first_relevant["bm25"], strict=True
    ):
        assert len(ids) == 3
        if first is not None and first <= 3:
            assert ids[first - 1] == f"d{28 + int(query.removeprefix('test-')) % 12}"
    (cost,) = made.costs.values()
    (index,) = lab.manifests("indexes")
    assert cost.milliseconds > 0 and cost.index_bytes == sum(f.size for f in index.files.values())
    assert (cost.model_bytes, cost.training_seconds, cost.recipe) == (None, None, None)
    assert (made.slices, made.slice_members) == ([], {})  # No slice of twenty queries has twenty.

    columns = scores(bm25=[0.5] * 24, mine=0.3 + noise / 9)
    pair = compare(columns, GROUPS, ["mine"])
    firsts = {name: [1] * 24 for name in columns}
    plain = Evaluation(
        list("abcdefghijklmnopqrstuvwx"), ["?"] * 24, columns, firsts, pair, groups=GROUPS
    )
    both = plain.in_slices(
        [Slice("first", "questions", FIRST), Slice("19", "few", np.arange(24) < 19)]
    )
    assert both.slices == compare_slices(
        [Slice("first", "questions", FIRST)], columns, [("bm25", "mine")], GROUPS
    )
    assert both.slice_members == {"first": list(range(20))}
    with lab.publish("evaluations", {}) as draft:
        both.save(draft, {})
    manifest = lab.manifests("evaluations")[-1]
    assert load_evaluation(lab, manifest) == both
    assert manifest.details["slices"][0]["verdict"] == "worse"


def test_a_loss_that_any_part_of_the_size_shows_is_not_named():
    """Nearly all lose a little and a few gain much: a part without these looks worse, and so would many others."""
    few = np.zeros(60, dtype=bool)
    few[:12] = True
    values = np.where(few, 0.4, -0.1)
    part = [Slice("none of the few", "questions", np.arange(60) >= 38)]
    groups = QueryGroups.single(60)
    (test,) = compare_slices(part, scores(a=[0.5] * 60, b=0.5 + values), [("a", "b")], groups)
    assert test.verdict == "worse" and test.ci95[1] < 0
    # Of all parts of 22 of 60 queries, so many hold none of the twelve.
    none = np.prod([(48 - n) / (60 - n) for n in range(22)])
    assert test.as_low == pytest.approx(none, abs=0.003)
    values = np.where(np.arange(60) >= 38, -0.3, 0.1) + np.linspace(-0.05, 0.05, 60)
    (own,) = compare_slices(part, scores(a=[0.5] * 60, b=0.5 + values), [("a", "b")], groups)
    assert own.as_low == pytest.approx(1 / 2_000) and own.is_certain_loss
