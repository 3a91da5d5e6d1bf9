"""Which question to ask next: where the columns differ most, and where a vote settles most.

How far two rankings are apart is one minus their rank-biased overlap (Webber, Moffat and Zobel 2010), which
weighs the top most. A vote settles something only when it prefers a side, and it does so the more often the
farther the rankings are apart. How often is learned from the votes so far: the share of votes with a preference
among questions about as far apart, starting from the distance itself. Every preference tells equally much of the
one share that is to be found out, so the expected information gain of asking a question (Lindley 1956) is that
of a preference, times the chance of one: the order by that chance is the order by what is learned.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from search.evaluation.rankings.rank_similarity import rank_biased_overlap

_WIDTH = 0.15
_PRIOR = 2.0
_SHARED = 3
"""Every third question is one that another judge has answered, so that agreement can be told."""


def distance(one: Sequence[str], other: Sequence[str]) -> float:
    """How far apart two rankings are: 0 the same, 1 nothing in common."""
    return min(1.0, max(0.0, 1.0 - rank_biased_overlap(one, other)))


class Decisiveness:
    """How likely a vote on two rankings prefers a side, by how far they are apart.

    :param seen: for each voted question its distance, and whether the vote preferred a side.
    """

    def __init__(self, seen: Sequence[tuple[float, bool]] = ()) -> None:
        self._seen = list(seen)

    def __call__(self, apart: float) -> float:
        """The chance of a preference: near votes weigh most, and the distance itself as much as two of them."""
        if apart == 0:
            return 0.0
        weighed = [(math.exp(-(((apart - d) / _WIDTH) ** 2) / 2), won) for d, won in self._seen]
        total = _PRIOR + sum(weight for weight, _ in weighed)
        return (_PRIOR * apart + sum(weight for weight, won in weighed if won)) / total


@dataclass(frozen=True)
class Candidate:
    """A question that could be asked, and how far apart its two rankings are."""

    question: str
    apart: float


@dataclass(frozen=True)
class Queue:
    """What is left to ask one judge, the most telling first."""

    questions: list[str]
    gains: Mapping[str, float]
    same: int
    """How many questions are not asked, because both columns show the same."""

    fresh: frozenset[str]
    """Those that nobody has answered: only they add to the verdict, the others to what is known of agreement."""

    def votes_for(self, preferences: float) -> int | None:
        """How many votes will probably bring so many preferences; None when all that are left will not."""
        total = 0.0
        for count, question in enumerate(self.questions, start=1):
            total += self.gains[question] if question in self.fresh else 0.0
            if total >= preferences - 1e-9:
                return count
        return None


def queue(
    candidates: Sequence[Candidate],
    mine: frozenset[str] | set[str],
    others: frozenset[str] | set[str],
    decisive: Decisiveness,
    ahead: Sequence[str] = (),
    turn: tuple[int, int] = (0, 1),
) -> Queue:
    """Put the questions that a judge has not answered in order.

    :param candidates: all questions.
    :param mine: those that this judge answered.
    :param others: those that another judge answered.
    :param decisive: the chance that a vote prefers a side.
    :param turn: which of how many judges this is. Where several judge at once, each begins with other questions:
        with every second, third ... of the farthest apart.
    :param ahead: questions that come first whatever they tell (the judge typed them).
    """
    open_ = [c for c in candidates if c.question not in mine and c.apart > 0]
    same = sum(c.apart == 0 and c.question not in mine for c in candidates)
    # All questions share one share of wins, so what a preference tells is the same for each: the order
    # is that of the chance of one. Ties: the farther apart, then the id.
    gains = {c.question: decisive(c.apart) for c in open_}
    ranked = sorted(open_, key=lambda c: (-gains[c.question], -c.apart, c.question))
    first = [q for q in dict.fromkeys(ahead) if q in gains]
    place, count = turn
    far = sorted(candidates, key=lambda c: (-c.apart, c.question))
    own = {c.question for c in far[place::count]}
    fresh = [c.question for c in ranked if c.question not in others and c.question not in first]
    fresh.sort(key=lambda question: question not in own)
    shared = [c.question for c in ranked if c.question in others and c.question not in first]
    made = list(first)
    # So that an undo or a reload does not change whose turn it is, it goes by the number of answers.
    while fresh or shared:
        again = (len(mine) + len(made)) % _SHARED == _SHARED - 1
        source = shared if (again and shared) or not fresh else fresh
        made.append(source.pop(0))
    return Queue(made, gains, same, frozenset(gains) - others)
