"""Several judges as one: every combination by hand, majorities against brute force."""

import random
from collections import Counter

import pytest

from search.judging.aggregation import Combine, Grades, Votes
from search.judging.votes import ColumnPair, grade, vote

PAIR = ColumnPair.of("a", "b")


@pytest.mark.parametrize(
    ("grades", "median", "majority", "strict"),
    [
        ((2,), 2, 2, 2),
        ((0, 3), 0, 0, 0),
        ((3, 0, 3), 3, 3, 0),
        ((1, 2, 3), 2, 1, 1),
        ((0, 2, 3, 3), 2, 3, 0),
        ((1, 1, 3, 3), 1, 1, 1),
        ((0, 1, 1, 3, 3), 1, 1, 0),
    ],
)
def test_how_grades_become_one(grades, median, majority, strict):
    assert Combine.MEDIAN(grades) == median
    assert Combine.MAJORITY(grades) == majority
    assert Combine.STRICT(grades) == strict


def test_combining_does_not_depend_on_who_came_first():
    rng = random.Random(1)
    for _ in range(200):
        grades = [rng.randint(0, 3) for _ in range(rng.randint(1, 6))]
        for how in Combine:
            assert how(grades) == how(sorted(grades)) == how(rng.sample(grades, len(grades)))
            assert min(grades) <= how(grades) <= max(grades)


def _votes(*choices, settled=None):
    marks = [vote(f"j{n}", "q", PAIR, choice) for n, choice in enumerate(choices)]
    if settled:
        marks.append(vote("j0", "q", PAIR, settled, final=True))
    return Votes.of(marks, PAIR)


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        (("first",), "first"),
        (("neither",), "neither"),
        (("first", "second"), None),
        (("first", "first", "second"), "first"),
        (("first", "both"), "first"),
        (("first", "both", "neither"), "both"),
        (("second", "both", "both"), "both"),
        (("both", "neither", "neither"), "neither"),
        (("first", "second", "both"), None),
        (("first", "second", "both", "both"), "both"),
    ],
)
def test_votes_together(choices, expected):
    assert _votes(*choices).together("q") == expected


def test_what_was_settled_stands_and_is_no_open_disagreement():
    open_ = _votes("first", "second")
    assert [d.question for d in open_.disagreements()] == ["q"]
    done = _votes("first", "second", settled="second")
    assert done.together("q") == "second" and done.disagreements() == []
    assert done.inter_rater_agreement().items == 1, "settling must not change what the judges said"
    assert _votes("first", "first").disagreements() == []


def test_only_votes_on_this_pair_count():
    other = ColumnPair.of("a", "c")
    marks = [
        vote("x", "q", PAIR, "first"),
        vote("x", "q", other, "second"),
        grade("x", "q", "d", 3),
    ]
    assert Votes.of(marks, PAIR).by_question == {"q": {"x": "first"}}


def test_opposite_votes_are_listed_before_near_misses():
    marks = [
        vote("x", "mild", PAIR, "first"), vote("y", "mild", PAIR, "both"),
        vote("x", "hard", PAIR, "first"), vote("y", "hard", PAIR, "second"),
    ]  # fmt: skip
    assert [d.question for d in Votes.of(marks, PAIR).disagreements()] == ["hard", "mild"]


def test_grades_become_judgments():
    marks = [
        grade("x", "q", "d1", 3), grade("y", "q", "d1", 1), grade("z", "q", "d1", 3),
        grade("x", "q", "d2", 0), grade("x", "p", "d1", 2), grade("y", "p", "d1", 0),
    ]  # fmt: skip
    found = Grades.of(marks)
    assert found.judgments() == {"q": {"d1": 3, "d2": 0}, "p": {"d1": 0}}
    assert found.judgments(Combine.STRICT)["q"]["d1"] == 1
    apart = [(d.question, d.document) for d in found.disagreements()]
    assert apart == [("q", "d1"), ("p", "d1")]
    settled = Grades.of([*marks, grade("z", "p", "d1", 3, final=True)])
    assert settled.judgments()["p"]["d1"] == 3
    assert [(d.question, d.document) for d in settled.disagreements()] == [("q", "d1")]


def test_grades_next_to_each_other_are_no_disagreement_unless_one_says_not_relevant():
    def apart(one, other):
        marks = [grade("x", "q", "d", one), grade("y", "q", "d", other)]
        return bool(Grades.of(marks).disagreements())

    assert [apart(a, b) for a, b in ((2, 3), (1, 2), (0, 1), (1, 3), (2, 2))] == [
        False, False, True, True, False,
    ]  # fmt: skip


def test_together_is_a_plain_majority_when_everybody_prefers_a_side():
    rng = random.Random(8)
    for _ in range(200):
        choices = [rng.choice(("first", "second")) for _ in range(rng.randint(1, 7))]
        counts = Counter(choices)
        expected = None
        if counts["first"] != counts["second"]:
            expected = counts.most_common(1)[0][0]
        assert _votes(*choices).together("q") == expected
