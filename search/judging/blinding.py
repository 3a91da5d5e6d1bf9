"""What one judge sees of one question, with the sides shuffled in a way that only this project can work out.

The coins come from a keyed hash (HMAC-SHA256) of the judge and the question: the same judge sees the same
question the same way, another judge may see it the other way round, and nothing on the page, in its address or
in its source tells which side is which.

One list out of two is made by team-draft interleaving (Radlinski, Kurup and Joachims, "How does clickthrough data
reflect retrieval quality?", CIKM 2008): like two captains who choose their teams, the rankings take turns, a coin
decides who goes first in each round, and each adds its best document that is not chosen yet. A ranking is credited
for the documents of its own team that the judge finds relevant.
"""

import hashlib
import hmac
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from search.judging.votes import Choice, ColumnPair, Layout

Side = Literal["left", "right", "both", "neither"]


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


@dataclass(frozen=True)
class BlindedView:
    """What a judge is shown: two lists, or one mixed of both.

    `swapped` says that the pair's second column is on the left. It stays on the server.
    """

    pair: ColumnPair
    layout: Layout
    swapped: bool
    left: tuple[str, ...]
    right: tuple[str, ...]
    mixed: Mixed | None = None

    @property
    def documents(self) -> list[str]:
        """Every document that is shown, each once, in an order that tells nothing (by id)."""
        shown = self.mixed.documents if self.mixed else (*self.left, *self.right)
        return sorted(set(shown))

    def choice(self, side: Side) -> Choice:
        """A vote for a side as a vote for a column."""
        if side in ("both", "neither"):
            return side
        return "second" if (side == "left") == self.swapped else "first"

    def side(self, choice: Choice) -> Side:
        """Where the column stood that a vote is for."""
        if choice in ("both", "neither"):
            return choice
        return "left" if (choice == "second") == self.swapped else "right"

    def credited(self, grades: Mapping[str, int]) -> Choice:
        """The vote that the grades of a mixed list amount to."""
        assert self.mixed is not None
        return self.mixed.choice(grades)

    def details(self) -> dict[str, Any]:
        """What was shown and how, to be kept with the vote."""
        shown: dict[str, Any] = {"layout": self.layout, "swapped": self.swapped}
        if self.mixed is not None:
            return {**shown, "documents": self.mixed.documents, "teams": self.mixed.teams}
        return {**shown, "left": self.left, "right": self.right}


def blinded_view(
    secret: bytes,
    judge: str,
    question: str,
    pair: ColumnPair,
    rankings: tuple[Sequence[str], Sequence[str]],
    layout: Layout,
    depth: int,
) -> BlindedView:
    """Make the sheet of one judge for one question.

    :param secret: the project's key of all shuffles.
    :param rankings: what the pair's first and second column found, ids of documents, best first.
    :param layout: two lists, or one. Where a column found nothing there is nothing to mix: two lists, then.
    :param depth: how many documents a list has, and the mixed one too.
    """
    coins = _coins(secret, judge, question, pair)
    swapped = coins.random() < 0.5
    first, second = (tuple(ranking[:depth]) for ranking in rankings)
    left, right = (second, first) if swapped else (first, second)
    if layout == "mixed" and first and second:
        mixed = team_draft(rankings[0], rankings[1], depth, coins)
        return BlindedView(pair, "mixed", swapped, left, right, mixed)
    return BlindedView(pair, "lists", swapped, left, right)


def _coins(secret: bytes, judge: str, question: str, pair: ColumnPair) -> random.Random:
    said = "\x00".join((judge.casefold(), question, pair.key)).encode()
    seed = int.from_bytes(hmac.new(secret, said, hashlib.sha256).digest())
    return random.Random(seed)  # noqa: S311 - the seed cannot be guessed; each coin is thrown once.
