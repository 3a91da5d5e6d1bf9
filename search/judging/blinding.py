"""What one judge sees of one question, with the sides shuffled in a way that only this project can work out.

The coins come from a keyed hash (HMAC-SHA256) of the judge and the question: the same judge sees the same
question the same way, another judge may see it the other way round, and nothing on the page, in its address or
in its source tells which side is which.
"""

import hashlib
import hmac
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from search.judging.interleaving import Mixed, team_draft
from search.judging.votes import Choice, ColumnPair, Layout

Side = Literal["left", "right", "both", "neither"]


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
