"""The shuffle: fixed for one judge and question, even over many, and not to be worked out without the key."""

import json
from collections import Counter

import pytest

from search.judging.blinding import blinded_view
from search.judging.votes import ColumnPair, grade, judge_name, vote
from search.projects.errors import Refused

PAIR = ColumnPair.of("generic", "custom")
KEY = b"k" * 32
RANKINGS = (["c1", "c2", "c3"], ["g1", "c1", "g2"])  # custom, generic: by name


def made(judge="Anna", question="q1", key=KEY, layout="lists", depth=3, rankings=RANKINGS):
    return blinded_view(key, judge, question, PAIR, rankings, layout, depth)


def test_the_same_judge_sees_the_same_question_the_same_way():
    assert made() == made()
    assert made(judge="anna") == made(judge="Anna")
    assert made(layout="mixed") == made(layout="mixed")


def test_sides_are_even_and_differ_between_judges_questions_keys_and_pairs():
    sides = Counter(made(question=f"q{n}").swapped for n in range(2_000))
    assert abs(sides[True] - 1_000) < 3 * (2_000**0.5) / 2
    for change in ({"judge": "Ben"}, {"key": b"x" * 32}):
        other = [made(question=f"q{n}", **change).swapped for n in range(400)]
        mine = [made(question=f"q{n}").swapped for n in range(400)]
        same = sum(a == b for a, b in zip(mine, other, strict=True))
        assert 140 < same < 260, "another judge or project must have coins of its own"


def test_lists_stand_on_the_side_that_the_coin_says():
    seen = set()
    for n in range(20):
        one = made(question=f"q{n}")
        first, second = map(tuple, RANKINGS)
        assert (one.left, one.right) == ((second, first) if one.swapped else (first, second))
        assert one.choice("left") == ("second" if one.swapped else "first")
        assert one.choice("right") == ("first" if one.swapped else "second")
        assert one.choice("both") == "both" and one.choice("neither") == "neither"
        for side in ("left", "right", "both", "neither"):
            assert one.side(one.choice(side)) == side
        seen.add(one.swapped)
    assert seen == {True, False}


def test_depth_cuts_both_lists_and_documents_are_in_an_order_that_tells_nothing():
    one = made(depth=2)
    assert {len(one.left), len(one.right)} == {2}
    assert made().documents == ["c1", "c2", "c3", "g1", "g2"]


def test_a_mixed_list_needs_two_lists():
    mixed = made(layout="mixed")
    assert mixed.layout == "mixed" and len(mixed.mixed.documents) == 3
    assert mixed.documents == sorted(mixed.mixed.documents)
    alone = made(layout="mixed", rankings=([], ["g1"]))
    assert alone.layout == "lists" and alone.mixed is None


def test_details_can_be_kept_as_json_and_say_what_was_shown():
    lists, mixed = made().details(), made(layout="mixed").details()
    assert json.loads(json.dumps(lists)) == {
        "layout": "lists",
        "swapped": made().swapped,
        "left": list(made().left),
        "right": list(made().right),
    }
    assert json.loads(json.dumps(mixed))["teams"] == list(made(layout="mixed").mixed.teams)


def test_pairs_have_one_order_and_need_two_columns():
    assert ColumnPair.of("b", "a") == ColumnPair.of("a", "b") == ColumnPair("a", "b")
    assert ColumnPair.from_key(PAIR.key) == PAIR
    assert PAIR.preferred("first") == "custom" and PAIR.preferred("both") is None
    with pytest.raises(Refused, match="Two different columns"):
        ColumnPair.of("a", "a")


def test_what_a_judge_can_say():
    assert vote("A", "q", PAIR, "first").value == "first"
    assert grade("A", "q", "d", 3).value == "3"
    with pytest.raises(Refused, match="is no vote"):
        vote("A", "q", PAIR, "left")
    for wrong in (-1, 4, 1.5):
        with pytest.raises(Refused, match="from 0 to 3"):
            grade("A", "q", "d", wrong)


@pytest.mark.parametrize(
    ("name", "tidy"), [(" Anna  B. ", "Anna B."), ("अनिता", "अनिता"), ("O'Neil 🙂", "O'Neil 🙂")]
)
def test_names(name, tidy):
    assert judge_name(name) == tidy


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\x00b", "a\u202eb"])
def test_names_that_cannot_be(name):
    with pytest.raises(Refused):
        judge_name(name)
