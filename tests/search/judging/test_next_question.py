"""The order of the questions: distances against the definition, decisiveness learned, turns kept."""

import random

import pytest

from search.judging.next_question import Candidate, Decisiveness, distance, queue


def test_distance_equals_the_definition_summed_to_infinity():
    """For two full rankings of the same documents the overlap is summed far beyond their depth."""
    rng = random.Random(4)
    for _ in range(50):
        pool = [f"d{n}" for n in range(rng.randint(1, 10))]
        one, other = rng.sample(pool, len(pool)), rng.sample(pool, len(pool))
        total = 0.0
        for depth in range(1, 600):
            share = len(set(one[:depth]) & set(other[:depth])) / min(depth, len(pool))
            total += 0.9 ** (depth - 1) * share
        assert distance(one, other) == pytest.approx(1 - 0.1 * total, abs=1e-9)


def test_distance_of_uneven_rankings_by_hand():
    """Equation 32 with s=1, l=2, p=.9: A = a, B = b a."""
    x = {1: 0, 2: 1}
    total = x[1] / 1 * 0.9 + x[2] / 2 * 0.81 + x[1] * 1 / 2 * 0.81
    expected = 0.1 / 0.9 * total + ((x[2] - x[1]) / 2 + x[1] / 1) * 0.81
    assert distance(["a"], ["b", "a"]) == pytest.approx(1 - expected)
    assert distance(["b", "a"], ["a"]) == distance(["a"], ["b", "a"])


def test_the_ends_of_the_distance():
    assert distance([], []) == 0.0
    assert distance([], ["a"]) == distance(["a"], ["b"]) == distance(["a", "b"], ["c", "d"]) == 1.0
    assert distance(list("abc"), list("abc")) == pytest.approx(0.0, abs=1e-12)
    assert distance(list("abcd"), list("bacd")) > distance(list("abcd"), list("abdc"))


def test_decisiveness_begins_with_the_distance_and_learns():
    fresh = Decisiveness()
    assert fresh(0.0) == 0.0 and fresh(0.4) == 0.4 and fresh(1.0) == 1.0
    never = Decisiveness([(0.9, False)] * 20)
    assert never(0.9) < 0.1 and never(0.1) == pytest.approx(0.1, abs=0.01)
    always = Decisiveness([(0.2, True)] * 20)
    assert always(0.2) > 0.9
    assert always(0.0) == 0.0


FAR, MIDDLE, NEAR = Candidate("far", 0.9), Candidate("middle", 0.5), Candidate("near", 0.1)


def test_the_farthest_first_and_what_is_equal_never():
    made = queue([NEAR, Candidate("same", 0.0), FAR, MIDDLE], set(), set(), Decisiveness())
    assert made.questions == ["far", "middle", "near"]
    assert made.same == 1
    assert queue([FAR, NEAR], {"far"}, set(), Decisiveness()).questions == ["near"]


def test_votes_without_a_preference_send_their_kind_to_the_end():
    bored = Decisiveness([(0.9, False)] * 10 + [(0.5, True)] * 10)
    assert queue([FAR, MIDDLE, NEAR], set(), set(), bored).questions == ["middle", "near", "far"]


def test_every_third_question_is_shared_and_what_was_typed_comes_first():
    candidates = [Candidate(f"q{n}", 1 - n / 100) for n in range(9)]
    others = {"q0", "q1", "q8"}
    made = queue(candidates, set(), others, Decisiveness())
    assert made.questions == ["q2", "q3", "q0", "q4", "q5", "q1", "q6", "q7", "q8"]
    assert made.fresh == {f"q{n}" for n in range(2, 8)}
    one_done = queue(candidates, {"q2"}, others, Decisiveness())
    assert one_done.questions == made.questions[1:], "an answer must not reshuffle what follows"
    typed = queue(candidates, set(), others, Decisiveness(), ahead=["q7", "gone"])
    assert typed.questions[0] == "q7" and sorted(typed.questions) == sorted(made.questions)


def test_how_many_votes_bring_how_many_preferences():
    made = queue([FAR, MIDDLE, NEAR], set(), set(), Decisiveness())
    assert made.votes_for(0.9) == 1
    assert made.votes_for(1.0) == 2
    assert made.votes_for(1.5) == 3
    assert made.votes_for(1.6) is None
    shared = queue([FAR, MIDDLE, NEAR], set(), {"far"}, Decisiveness())
    assert shared.questions == ["middle", "near", "far"]
    assert shared.votes_for(0.6) == 2 and shared.votes_for(0.7) is None


def test_two_who_judge_at_once_begin_with_different_questions():
    candidates = [Candidate(f"q{n}", 1 - n / 100) for n in range(7)]
    one = queue(candidates, set(), set(), Decisiveness(), turn=(0, 2)).questions
    other = queue(candidates, set(), set(), Decisiveness(), turn=(1, 2)).questions
    assert one == ["q0", "q2", "q4", "q6", "q1", "q3", "q5"]
    assert other == ["q1", "q3", "q5", "q0", "q2", "q4", "q6"]
    # In step with each other: a third of what each answers is what the other one answered before.
    answered = [[], []]
    for _ in range(5):
        for place in (0, 1):
            mine, theirs = set(answered[place]), set(answered[1 - place])
            turn = (place, 2)
            answered[place].append(
                queue(candidates, mine, theirs, Decisiveness(), turn=turn).questions[0]
            )
    assert len(set(answered[0]) & set(answered[1])) == 3
    assert len(set(answered[0]) | set(answered[1])) == 7
