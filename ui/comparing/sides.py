"""What the page knows of each column before and after the search: its name in words, its colour, its result."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from search.retrieval.results import Hit, SearchResult


@dataclass(frozen=True)
class Side:
    """One column of the page.

    `name` is what addresses call it, `title` and `subtitle` what people read, `spoken` what stands in a sentence,
    `colour` its colour as CSS, `reads` how much of the passages it reads, where that is not all.
    """

    name: str
    title: str
    subtitle: str
    spoken: str
    colour: str
    reads: str = ""


@dataclass(frozen=True)
class Board:
    """Every column with what it found for one question, and the documents judged for it.

    `judged` maps the id of a relevant document to its grade. `like` is the id of the document that others were
    looked for like; the question is then its name. `left_out` are documents that are the question itself.
    """

    query: str
    k: int
    sides: Sequence[Side]
    results: Sequence[SearchResult]
    judged: Mapping[str, int] = field(default_factory=dict)
    like: str | None = None
    left_out: frozenset[str] = frozenset()

    @property
    def rows(self) -> int:
        """How many ranks there are to show."""
        return max((len(result.hits) for result in self.results), default=0)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """A number for each document on the board, by id: what links the same document across columns."""
        return {identity: number for number, identity in enumerate(self.hit_counts)}

    @cached_property
    def hit_counts(self) -> Counter[str]:
        """In how many columns each document was found, by id."""
        return Counter(hit.id for result in self.results for hit in result.hits)

    @cached_property
    def rank_by_id(self) -> list[dict[str, int]]:
        """For each column, the rank of each document in it, by id."""
        return [{hit.id: hit.rank for hit in result.hits} for result in self.results]

    def gone(self, column: int) -> list[Hit]:
        """What the first column found and this one did not, in the first column's order."""
        here = self.rank_by_id[column]
        return [hit for hit in self.results[0].hits if hit.id not in here] if column else []


def movement(board: Board, column: int, hit: Hit) -> tuple[str, str]:
    """How a document moved against the first column.

    :returns: a word for its kind (up, down, same, new, only or nothing), and what the card says.
    """
    alone = len(board.results) > 1 and board.hit_counts[hit.id] == 1
    if column == 0:
        return ("only", "only here") if alone else ("", "")
    before = board.rank_by_id[0].get(hit.id)
    if before is None:
        return ("only", "new · only here") if alone and len(board.results) > 2 else ("new", "new")
    change = before - hit.rank
    if change > 0:
        return "up", f"▲ {change}"
    return ("down", f"▼ {-change}") if change < 0 else ("same", "same rank")
