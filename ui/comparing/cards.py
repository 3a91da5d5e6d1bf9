"""One hit as a card: rank, title, passage with the question's words marked, how far it moved, what is known of it."""

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from search.retrieval.results import Hit
from ui.comparing.sides import Board, Side, movement
from ui.hits import excerpt, rest_of, segments, shortened

_FACT = 60
_NAME = 90
_SPOKEN = {"up": "moved up {}", "down": "moved down {}", "same": "same rank", "new": "new here"}


class Fact(NamedTuple):
    """What is known of a hit: its text, the name of the metadata it is, and where it leads when it is an address."""

    text: str
    name: str | None = None
    link: str = ""


def card(board: Board, column: int, hit: Hit, words: frozenset[str]) -> dict[str, object]:
    """What the template of a card (card.html) says of one hit.

    :param column: the number of its column, from 0.
    :param words: the words to mark (`ui.hits.query_words`).
    """
    side = board.sides[column]
    kind, move = movement(board, column, hit)
    grade = board.judged.get(hit.id)
    lonely = kind in ("only", "new") and board.hit_counts[hit.id] == 1
    short = excerpt(" ".join(hit.passage.text.split()), words)
    relevance = board.results[column].relevance
    whole, more = rest_of(hit, short)
    return {
        "side": side,
        "column": column,
        "number": board.numbers[hit.id],
        "rank": hit.rank,
        "look": "b-judged" if grade is not None else "b-only" if lonely else "",
        "kind": kind,
        "move": move,
        "spoken": _spoken(board, side, hit, kind, move),
        "title": segments(hit.title, words) if hit.title else [],
        "text": segments(short, words),
        "grade": grade,
        "graded": max(board.judged.values(), default=0) > 1,  # Grades differ or are above 1.
        "tier": hit.tier,
        "facts": list(_facts(hit)),
        "probable": "" if relevance is None else relevance.described(hit.rank - 1),
        "likely": relevance is not None and relevance.words[hit.rank - 1] == "likely",
        "score": f"score {hit.score:.3f}; another column's scores are on another scale",
        "unfold": "whole text" if whole else "what stands around it",
        "more": segments(more, words) if more else [],
    }


def name_of(hit: Hit, length: int = _NAME) -> str:
    """What a document is called where there is room for a line: its title, or how its text begins."""
    return shortened(hit.title or hit.text, length)


def _spoken(board: Board, side: Side, hit: Hit, kind: str, move: str) -> str:
    """The card in words, for who cannot see it."""
    said = [f"{side.title}, rank {hit.rank}: {name_of(hit)}"]
    if kind == "only":
        said.append("found only here")
    elif kind in _SPOKEN:
        said.append(_SPOKEN[kind].format(move[2:]))
    if hit.id in board.judged:
        said.append("judged relevant")
    return ", ".join(said)


def _facts(hit: Hit) -> Iterator[Fact]:
    """Where the best passage stands, and the first of the metadata."""
    best = hit.passage
    if best.page is not None:
        yield Fact(f"page {best.page}")
    if best.heading:
        yield Fact(best.heading)
    if best.of > 1:
        yield Fact(f"passage {best.number} of {best.of}")
    shown = [(name, value) for name, value in hit.metadata.items() if value != hit.tier]
    for name, value in shown[:3]:
        yield _fact(name, value)


def _fact(name: str, value: str) -> Fact:
    """One value of the metadata; an address of the web as a link that says where it leads."""
    try:
        address = urlsplit(value.strip())
    except ValueError:  # Such as an address with half of a bracket.
        address = urlsplit("")
    if address.scheme in ("http", "https") and address.hostname:
        return Fact(address.hostname, name, value.strip())
    # A bare number says nothing.
    shown = value if any(map(str.isalpha, value)) else f"{name} {value}"
    return Fact(shortened(shown, _FACT), name)
