"""What nobody judged: who is drawn, what the estimate is against labels that are all known, and what is said of a verdict."""

import numpy as np
import pytest

from search.evaluation.labels.other_side import OtherSide
from search.evaluation.labels.unjudged import TwoRuns, UnjudgedHit, graded_part, lined_up
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.rankings.metrics import JUDGED, score
from search.evaluation.statistics.groups import QueryGroups
from search.evaluation.statistics.significance import paired_test

METRICS = ["ndcg@10", JUDGED]


def world(seed=1, queries=120, rate=0.3, bad_ones=True):
    """Two columns with ten documents each, four of them shared; all is known, and of what only one has half is hidden."""
    rng = np.random.default_rng(seed)
    whole, known, ours, theirs = {}, {}, {}, {}
    for n in range(queries):
        query = f"q{n:03}"
        shared, left, right = (
            [f"{query}-{part}{i}" for i in range(count)]
            for part, count in (("s", 4), ("l", 6), ("r", 6))
        )
        grades = {d: int(rng.random() < rate) for d in (*shared, *left, *right)} | {shared[0]: 1}
        ours[query] = [str(d) for d in rng.permutation([*shared, *left])]
        theirs[query] = [str(d) for d in rng.permutation([*shared, *right])]
        whole[query] = grades
        hidden = {d for d in (*left, *right) if rng.random() < 0.5}
        known[query] = {d: g for d, g in grades.items() if d not in hidden and (g or bad_ones)}
    texts = dict.fromkeys(whole, "?")
    return QuerySet(texts, whole), QuerySet(texts, known), {"one": ours, "two": theirs}


def looked_at(known, runs, grades):
    scores = {name: score(run, known, METRICS) for name, run in runs.items()}
    test = paired_test("one", "two", scores["one"]["ndcg@10"], scores["two"]["ndcg@10"])
    groups = QueryGroups.single(len(known.queries))
    return OtherSide.of(test, runs, scores, known, groups, grades, draws=499), scores


def difference(whole, runs):
    values = [np.array(score(runs[name], whole, ["ndcg@10"])["ndcg@10"]) for name in ("one", "two")]
    return float(np.mean(values[1] - values[0]))


def test_only_what_one_side_alone_has_in_its_ten_is_unjudged():
    judged = QuerySet({"q": "?"}, {"q": {"a": 1, "z": 0}})
    one = ["a", "b", "c", "d", "z", "f", "g", "h", "i", "j", "late"]
    two = ["x", "a", "b", *"klmnopq"]
    hits = TwoRuns(({"q": one}, {"q": two}), judged).unjudged
    assert {(h.document, h.rank) for h in hits if h.side == 0} == {
        ("c", 3), ("d", 4), ("f", 6), ("g", 7), ("h", 8), ("i", 9), ("j", 10),
    }  # fmt: skip
    assert {h.document for h in hits if h.side == 1} == {"x", *"klmnopq"}
    assert {h.document for h in TwoRuns(({"q": one}, {"q": two}), judged).already_judged} == {"z"}


def test_a_sample_is_drawn_in_proportion_to_the_discount_and_the_same_each_time():
    hits = [UnjudgedHit(f"q{q}", f"d{r}", r, 1) for q in range(2_000) for r in (1, 3, 7)]
    drawn = sorted(hits, key=lambda hit: hit.turn)[:600]
    counts = {rank: sum(hit.rank == rank for hit in drawn) for rank in (1, 3, 7)}
    # The weights are 1, 1/2 and 1/3; three standard errors.
    for rank, weight in ((1, 1), (3, 1 / 2), (7, 1 / 3)):
        wanted = 600 * weight / (1 + 1 / 2 + 1 / 3)
        assert abs(counts[rank] - wanted) < 3 * np.sqrt(wanted)
    again = [UnjudgedHit(hit.query, hit.document, hit.rank, 0) for hit in drawn]
    assert [hit.turn for hit in again] == [hit.turn for hit in drawn], "whichever side has it"


def test_effects_are_those_of_measuring_again():
    _, known, runs = world()
    two = TwoRuns((runs["one"], runs["two"]), known)
    hits = two.unjudged[:40]
    effects = two.effects(hits, [2] * 40)
    for hit, effect in zip(hits, effects, strict=True):
        more = {**known.judgments, hit.query: {**known.judgments[hit.query], hit.document: 2}}
        changed = difference(QuerySet(known.queries, more), runs) - difference(known, runs)
        assert effect / len(known.queries) == pytest.approx(changed, abs=1e-12)
    assert {hit.side for hit, effect in zip(hits, effects, strict=True) if effect > 0} == {1}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_where_all_is_graded_the_estimate_is_what_all_labels_say(seed):
    whole, known, runs = world(seed, queries=12, rate=0.1)
    grades = whole.judgments
    looked, _ = looked_at(known, runs, grades)
    assert sum(looked.estimate.graded) == sum(looked.unjudged) <= 160
    # Effects of several labels of one query do not add up to the last digit: the ideal ranking changes with each.
    assert looked.estimate.delta == pytest.approx(difference(whole, runs), abs=0.02)
    assert looked.to_grade == []


def test_the_estimate_by_a_sample_is_near_what_all_labels_say_and_holds_it():
    held, errors = 0, []
    for seed in range(20):
        whole, known, runs = world(seed, queries=80, rate=0.15)
        hits = TwoRuns((runs["one"], runs["two"]), known).unjudged
        grades = {}
        for hit in hits[:80]:
            grades.setdefault(hit.query, {})[hit.document] = whole.judgments[hit.query][
                hit.document
            ]
        looked, _ = looked_at(known, runs, grades)
        truth = difference(whole, runs)
        assert looked.estimate.source == "a graded sample"
        errors.append(looked.estimate.delta - truth)
        held += looked.estimate.ci95[0] <= truth <= looked.estimate.ci95[1]
    assert abs(np.mean(errors)) < 2.5 * np.std(errors) / np.sqrt(len(errors))
    assert held >= 17


def test_a_sample_without_a_relevant_document_does_not_make_the_rate_certain():
    _, known, runs = world(rate=0.0, bad_ones=False)
    hits = TwoRuns((runs["one"], runs["two"]), known).unjudged
    grades = {}
    for hit in hits[:30]:
        grades.setdefault(hit.query, {})[hit.document] = 0
    looked, _ = looked_at(known, runs, grades)
    assert looked.estimate.relevant == (0, 0)
    assert looked.estimate.ci95[1] - looked.estimate.ci95[0] > 0.01
    assert "(0 of 30 relevant)" in looked.sentence


def test_only_the_beginning_of_an_order_is_a_sample():
    hits = [UnjudgedHit("q", f"d{n}", 1, 1) for n in range(200)]
    graded = {"q": {f"d{n}": 0 for n in (*range(30), *range(31, 41), 90, 91)}}
    assert graded_part(hits, graded) == [h for n, h in enumerate(hits) if n < 41 and n != 30]
    assert graded_part(hits, {"q": {"d5": 1, "d7": 0}}) == []
    assert len(graded_part(hits, {"q": {f"d{n}": 0 for n in range(200)}})) == 160
    assert [len(lined_up(hits, n)) for n in (0, 35, 36, 71, 72, 150, 160)] == [
        40,
        40,
        80,
        80,
        160,
        160,
        160,
    ]
    assert len(lined_up(hits[:50], 40)) == 50


def test_existing_judgments_serve_where_there_are_enough_with_both_outcomes():
    _, known, runs = world()
    looked, _ = looked_at(known, runs, {})
    assert looked.estimate.source == "existing judgments"
    assert min(looked.estimate.graded) >= 30
    _, few, few_runs = world(queries=9)
    assert looked_at(few, few_runs, {})[0].estimate is None


def test_without_a_bad_label_nothing_tells_and_that_is_said():
    _, known, runs = world(bad_ones=False)
    looked, scores = looked_at(known, runs, {})
    assert (looked.estimate, looked.settled) == (None, None)
    assert looked.sentence.startswith("This holds if what nobody labelled is wrong: nobody judged")
    assert looked.judged == tuple(np.mean(scores[name][JUDGED]) for name in ("one", "two"))


def test_columns_that_are_judged_unequally_are_not_settled_until_a_sample_is_graded():
    _, known, runs = world(queries=9)
    lopsided = QuerySet(
        known.queries,
        {q: {d: g for d, g in j.items() if "-r" not in d} for q, j in known.judgments.items()},
    )
    looked, _ = looked_at(lopsided, runs, {})
    assert looked.settled is False
    assert "nobody graded a sample" in looked.sentence
    assert len(looked.to_grade) == 40
    assert looked_at(known, runs, {})[0].settled is True


def test_where_all_is_judged_there_is_nothing_to_settle():
    whole, _, runs = world()
    looked, _ = looked_at(whole, runs, {})
    assert (looked.unjudged, looked.settled, looked.sentence) == ((0, 0), True, "")
