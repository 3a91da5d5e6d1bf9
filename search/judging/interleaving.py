"""One list out of two, fairly: team-draft interleaving, and who is credited for what it found.

Radlinski, Kurup and Joachims, "How does clickthrough data reflect retrieval quality?", CIKM 2008: like two
captains who choose their teams, the rankings take turns, a coin decides who goes first in each round, and each
adds its best document that is not chosen yet. A ranking is credited for the documents of its own team that the
judge finds relevant.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from search.judging.votes import Choice


@dataclass(frozen=True)
class Mixed:
    """An interleaved list: documents, and for each the ranking (0 or 1) whose team it is on."""

    documents: tuple[str, ...]
    teams: tuple[int, ...]

    def credit(self, grades: Mapping[str, int]) -> tuple[int, int]:
        """The sum of the grades of each team's documents; with grades of 0 and 1, the paper's count of clicks."""
        total = [0, 0]
        for document, team in zip(self.documents, self.teams, strict=True):
            total[team] += grades.get(document, 0)
        return total[0], total[1]

    def choice(self, grades: Mapping[str, int]) -> Choice:
        """The vote that grades amount to: for the ranking with more credit; "neither" when nothing was relevant."""
        first, second = self.credit(grades)
        if first == second:
            return "both" if first else "neither"
        return "first" if first > second else "second"


def team_draft(
    first: Sequence[str], second: Sequence[str], length: int, coins: random.Random
) -> Mixed:
    """Interleave two rankings until the list is long enough, or one of them has nothing left to add.

    :param first: ids of documents, best first.
    :param second: the other ranking.
    :param length: how many documents the list shall have at most.
    :param coins: decides who goes first in each round.
    """
    team_of: dict[str, int] = {}
    while len(team_of) < length:
        left = [[d for d in ranking if d not in team_of][:1] for ranking in (first, second)]
        if not all(left):
            break
        sizes = Counter(team_of.values())
        level = sizes[0] == sizes[1]
        team = int(coins.random() < 0.5 if level else sizes[1] < sizes[0])
        team_of[left[team][0]] = team
    return Mixed(tuple(team_of), tuple(team_of.values()))
