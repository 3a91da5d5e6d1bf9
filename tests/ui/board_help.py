"""Boards made by hand, and what their HTML shows."""

from collections.abc import Mapping
from typing import Any

from app_help import Card, cards, hit

from search.retrieval.results import Hit, SearchResult
from ui.comparing.grid import table
from ui.comparing.sides import Board, Side
from ui.comparing.summary import likenesses


def found(model: str, *ids: str, **more: Any) -> SearchResult:
    """What a column found: these documents, best first."""
    hits = [hit(rank, i, 1 / rank, f"Title {i}", f"Text {i}") for rank, i in enumerate(ids, 1)]
    return SearchResult(model, hits, 1.0, **more)


def of_hits(model: str, *hits: Hit) -> SearchResult:
    """What a column found, hits ready-made."""
    return SearchResult(model, list(hits), 1.0)


def board(
    *results: SearchResult, query: str = "q", judged: Mapping[str, int] | None = None, k: int = 10
) -> Board:
    """A board of these columns."""
    sides = [
        Side(r.model, r.model.title(), f"about {r.model}", f"the {r.model}", "red") for r in results
    ]
    return Board(query, k, sides, results, judged or {})


def drawn(made: Board) -> str:
    """The HTML of a board."""
    return table(made, likenesses(made), explains=False)


def cards_of(made: Board, place: int) -> list[Card]:
    """The cards of one column of a board."""
    return [card for side, card in cards(drawn(made)) if side == place]
