"""Kappa against scikit-learn, against Fleiss' published table, and against its definition."""

import random

import pytest

from search.judging.inter_rater import cohen_kappa, fleiss_kappa, inter_rater_agreement


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_cohen_equals_scikit_learn(weights):
    from sklearn.metrics import cohen_kappa_score

    rng = random.Random(5)
    levels = ["0", "1", "2", "3"]
    for _ in range(60):
        count = rng.randint(3, 80)
        ours = [rng.choice(levels) for _ in range(count)]
        theirs = [o if rng.random() < 0.6 else rng.choice(levels) for o in ours]
        known = cohen_kappa_score(
            ours, theirs, labels=levels, weights=None if weights == "none" else weights
        )
        assert cohen_kappa(ours, theirs, weights, levels) == pytest.approx(known, abs=1e-12)


def test_cohen_by_hand():
    """Two judges, 50 items, 20 yes-yes, 15 no-no, 5 and 10 apart: 0.4 (the textbook example)."""
    ours = ["y"] * 25 + ["n"] * 25
    theirs = ["y"] * 20 + ["n"] * 5 + ["y"] * 10 + ["n"] * 15
    assert cohen_kappa(ours, theirs) == pytest.approx(0.4)
    assert cohen_kappa(["a", "b"], ["a", "b"]) == 1.0
    assert cohen_kappa(["a", "b"], ["b", "a"]) == -1.0
    assert cohen_kappa(["a", "a"], ["a", "a"]) is None
    assert cohen_kappa([], []) is None


def test_fleiss_equals_the_published_example():
    """Ten subjects, fourteen raters, five categories: kappa 0.210 (the worked example of the literature)."""
    table = [
        (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
        (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
    ]  # fmt: skip
    items = [[str(c) for c, n in enumerate(row) for _ in range(n)] for row in table]
    assert fleiss_kappa(items) == pytest.approx(0.20993, abs=1e-5)


def test_fleiss_with_missing_ratings_follows_its_definition():
    rng = random.Random(3)
    items = [[rng.choice("abc") for _ in range(rng.randint(1, 5))] for _ in range(40)]
    used = [ratings for ratings in items if len(ratings) > 1]
    seen = []
    for ratings in used:  # All ordered pairs of raters, counted one by one.
        pairs = [(i, j) for i in range(len(ratings)) for j in range(len(ratings)) if i != j]
        seen.append(sum(ratings[i] == ratings[j] for i, j in pairs) / len(pairs))
    everything = [r for ratings in used for r in ratings]
    chance = sum((everything.count(c) / len(everything)) ** 2 for c in "abc")
    expected = (sum(seen) / len(seen) - chance) / (1 - chance)
    assert fleiss_kappa(items) == pytest.approx(expected)
    assert fleiss_kappa([["a", "a"], ["a", "a", "a"]]) is None
    assert fleiss_kappa([["a"], ["b"]]) is None


def test_agreement_of_two_and_of_more():
    two = inter_rater_agreement(
        {"Anna": {1: "first", 2: "both", 3: "first"}, "Ben": {1: "first", 2: "neither", 9: "both"}}
    )
    assert (two.method, two.judges, two.items, two.same) == ("cohen", ("Anna", "Ben"), 2, 0.5)
    assert two.kappa == cohen_kappa(["first", "both"], ["first", "neither"])
    three = inter_rater_agreement(
        {"A": {1: "x", 2: "y"}, "B": {1: "x", 2: "x"}, "C": {2: "y"}, "D": {7: "x"}}
    )
    assert (three.method, three.judges, three.items) == ("fleiss", ("A", "B", "C"), 2)
    assert three.kappa == pytest.approx(fleiss_kappa([["x", "x"], ["y", "x", "y"]]))
    assert three.same == pytest.approx(2 / 4)


def test_grades_are_weighed_and_pairs_of_judges_averaged_by_their_items():
    levels = ["0", "1", "2", "3"]
    near = inter_rater_agreement(
        {"A": {1: "3", 2: "0", 3: "2"}, "B": {1: "2", 2: "0", 3: "3"}}, levels
    )
    assert near.method == "weighted cohen"
    assert near.kappa == cohen_kappa(["3", "0", "2"], ["2", "0", "3"], "linear", levels)
    assert near.kappa > cohen_kappa(["3", "0", "2"], ["2", "0", "3"])
    ratings = {
        "A": {1: "3", 2: "0", 3: "2"},
        "B": {1: "3", 2: "1"},
        "C": {1: "0", 2: "0", 3: "2"},
    }
    many = inter_rater_agreement(ratings, levels)
    parts = [
        (2, cohen_kappa(["3", "0"], ["3", "1"], "linear", levels)),
        (3, cohen_kappa(["3", "0", "2"], ["0", "0", "2"], "linear", levels)),
        (2, cohen_kappa(["3", "1"], ["0", "0"], "linear", levels)),
    ]
    assert many.method == "mean weighted cohen"
    assert many.kappa == pytest.approx(sum(n * k for n, k in parts) / 7)


def test_agreement_in_words():
    none = inter_rater_agreement({"Anna": {1: "a"}, "Ben": {2: "a"}})
    assert none.items == 0 and none.kappa is None
    assert none.sentence().startswith("No question was judged by two people yet")
    always = inter_rater_agreement({"Anna": {1: "a", 2: "a"}, "Ben": {1: "a", 2: "a"}})
    assert always.kappa is None and "chance would do as well" in always.sentence()
    items = dict(enumerate("abababababab"))
    perfect = inter_rater_agreement({"Anna": items, "Ben": items})
    assert perfect.words == "almost perfect"
    assert perfect.sentence() == (
        "Anna and Ben said the same in 100% of cases, on the 12 questions that they share: almost perfect "
        "agreement (Cohen's kappa 1.00; 1 is perfect, 0 is chance)."
    )
    against = inter_rater_agreement(
        {"Anna": items, "Ben": {k: "ba"["ab".index(v)] for k, v in items.items()}}
    )
    assert "no better than chance (Cohen's kappa -1.00" in against.sentence("document")
    few = inter_rater_agreement({"Anna": {1: "a", 2: "b"}, "Ben": {1: "a", 2: "b"}})
    assert few.sentence().endswith("Fewer than 10 are too few to lean on.")
