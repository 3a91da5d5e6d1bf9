"""The probability that a hit answers, as a word and a number, and the one thing to say where nothing seems to."""

from dataclasses import dataclass
from typing import Any

LIKELY, PERHAPS = 0.5, 0.1
NOT_ABOUT = "Not what this corpus is about"
UNANSWERED = "Nothing here seems to answer that"
_ROUGH = "roughly: no dev queries were asked by people"


def word_of(share: float) -> str:
    """A probability as a word.

    >>> word_of(0.5), word_of(0.1), word_of(0.09)
    ('likely', 'perhaps', 'probably nothing')
    """
    return "likely" if share >= LIKELY else "perhaps" if share >= PERHAPS else "probably nothing"


@dataclass(frozen=True)
class Relevance:
    """How probable it is that each hit of a column answers, in the order of the hits; and what to say of them all, if anything.

    >>> Relevance((0.62, 0.04)).words
    ('likely', 'probably nothing')
    >>> Relevance((0.62,), rough=True).described(0)
    'likely, 62 % (roughly: no dev queries were asked by people)'
    """

    shares: tuple[float, ...]
    line: str = ""
    rough: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """Each share as a word."""
        return tuple(map(word_of, self.shares))

    def described(self, i: int) -> str:
        """Word and number of the hit number i, from 0."""
        return f"{self.words[i]}, {self.shares[i]:.0%}".replace("%", " %") + (
            f" ({_ROUGH})" if self.rough else ""
        )

    def as_json(self) -> dict[str, Any]:
        """What `search --json` prints of a column's hits together."""
        return {"says": self.line or None, "rough": self.rough}
