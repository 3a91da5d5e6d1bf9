"""Team-draft interleaving: known drafts by hand, the paper's rules on random ones, fair credit in simulation."""

import random
from collections import Counter
from itertools import product

import pytest

from search.judging.blinding import Mixed, team_draft


class Coins(random.Random):
    """Coins that fall as they are told: 0 lets the first ranking begin a round, 1 the second.

    The draft takes the second team where the number is below one half.
    """

    def __init__(self, *falls):
        super().__init__()
        self._falls = list(falls)

    def random(self):
        return 0.9 if self._falls.pop(0) == 0 else 0.1


@pytest.mark.parametrize(
    ("falls", "documents", "teams"),
    [
        # Rounds of two; the other captain passes over what is taken.
        ((0, 0, 0), "abcde", (0, 1, 0, 1, 0)),
        ((1, 1, 1), "badce", (1, 0, 1, 0, 1)),
        ((0, 1, 0), "abdce", (0, 1, 1, 0, 0)),
    ],
)
def test_drafts_by_hand(falls, documents, teams):
    """Radlinski et al.'s procedure for A = a b c d e..., B = b d e c ..."""
    made = team_draft("abcdefgh", "bdecfgha", 5, Coins(*falls))
    assert ("".join(made.documents), made.teams) == (documents, teams)


def test_random_drafts_follow_the_rules(rng):
    for _ in range(300):
        pool = [f"d{n}" for n in range(rng.randint(1, 12))]
        first = rng.sample(pool, rng.randint(0, len(pool)))
        second = rng.sample(pool, rng.randint(0, len(pool)))
        length = rng.randint(1, 12)
        made = team_draft(first, second, length, random.Random(rng.random()))
        assert len(set(made.documents)) == len(made.documents) <= length
        sizes = [0, 0]
        for place, (document, team) in enumerate(zip(made.documents, made.teams, strict=True)):
            taken = made.documents[:place]
            assert document == next(d for d in (first, second)[team] if d not in taken)
            sizes[team] += 1
            assert abs(sizes[0] - sizes[1]) <= 1
        if len(made.documents) < length:
            assert set(first) <= set(made.documents) or set(second) <= set(made.documents)


def test_equal_rankings_stay_as_they_are_and_get_equal_credit_on_average():
    ranking = list("abcdef")
    credit = [0, 0]
    for seed in range(4_000):
        made = team_draft(ranking, ranking, 6, random.Random(seed))
        assert list(made.documents) == ranking
        ours, theirs = made.credit({"a": 3, "b": 1, "e": 1})
        credit[0] += ours
        credit[1] += theirs
    assert credit[0] / sum(credit) == pytest.approx(0.5, abs=0.02)


def test_credit_is_unbiased_when_neither_ranking_is_better(rng):
    """Two random permutations of the same documents, relevance at random: wins must be even (3 sigma)."""
    outcomes = Counter()
    pool = [f"d{n}" for n in range(10)]
    for trial in range(6_000):
        first, second = rng.sample(pool, 10), rng.sample(pool, 10)
        grades = {d: rng.choice((0, 0, 0, 1, 2, 3)) for d in pool}
        made = team_draft(first, second, 6, random.Random(trial))
        outcomes[made.choice(grades)] += 1
    decided = outcomes["first"] + outcomes["second"]
    assert decided > 3_000
    assert abs(outcomes["first"] - decided / 2) < 3 * (decided**0.5) / 2


def test_swapping_the_rankings_swaps_the_distribution_of_credit():
    """Unbiased exactly, not only in simulation: over all coins, the outcomes of (A, B) mirror those of (B, A)."""
    first, second, grades = "abcd", "cadb", {"a": 1, "d": 2}
    both = []
    for one, other in ((first, second), (second, first)):
        outcomes = Counter()
        for falls in product((0, 1), repeat=4):
            ours, theirs = team_draft(one, other, 4, Coins(*falls)).credit(grades)
            outcomes[(ours, theirs) if one is first else (theirs, ours)] += 1
        both.append(outcomes)
    assert both[0] == both[1]


def test_the_better_ranking_wins_in_simulation(rng):
    """A judge who likes what the first ranking puts on top: it must win clearly more often."""
    outcomes = Counter()
    pool = [f"d{n}" for n in range(20)]
    for trial in range(1_500):
        relevant = rng.sample(pool, 3)
        rest = [d for d in pool if d not in relevant]
        good = relevant + rng.sample(rest, len(rest))
        poor = rng.sample(pool, 20)
        made = team_draft(good, poor, 6, random.Random(trial))
        outcomes[made.choice(dict.fromkeys(relevant, 1))] += 1
    assert outcomes["first"] > 4 * outcomes["second"]


def test_votes_from_credit():
    mixed = Mixed(("a", "b", "c"), (0, 1, 0))
    assert mixed.choice({}) == "neither"
    assert mixed.choice({"a": 1}) == "first"
    assert mixed.choice({"b": 1}) == "second"
    assert mixed.choice({"a": 1, "b": 1}) == "both"
    assert mixed.choice({"a": 1, "b": 1, "c": 1}) == "first"
    assert mixed.choice({"a": 1, "b": 3, "c": 1}) == "second"
    assert mixed.credit({"a": 1, "b": 3, "elsewhere": 3}) == (1, 3)
