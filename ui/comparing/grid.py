"""The columns side by side: a row for each rank, so that equal ranks stand level and read one after another."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from search.evaluation.rankings.rank_similarity import RankSimilarity
from ui.comparing import cards
from ui.comparing.sides import Board
from ui.comparing.summary import brief
from ui.hits import query_words
from ui.rendering import render

_SKELETON_ROWS = 5
_WHY = ("why", "Why?", "See which words drew this document")
_RIGHT = (
    "right",
    "Right answer",
    "Keep this question, with this document as its answer; again takes it back",
)
_MORE = ("more", "More like this", "Search for documents like this one")


def table(board: Board, likenesses: list[RankSimilarity], explains: bool) -> str:
    """All columns as HTML: heads, one row a rank, and what fell out of the first column.

    :param likenesses: how much each further column agrees with the first, in order.
    :param explains: whether a card offers to say why the document moved.
    """
    # Documents like one have no question of words to mark.
    words = query_words("" if board.like else board.query)
    switch = render("switch.html", titles=[side.title for side in board.sides])
    return (switch if len(board.sides) > 1 else "") + render(
        "board.html",
        k=board.k,
        judged=bool(board.judged),
        heads=[_head(board, likenesses, column) for column in range(len(board.sides))],
        rows=[
            [
                cards.card(board, column, result.hits[row], words)
                if row < len(result.hits)
                else None
                for column, result in enumerate(board.results)
            ]
            for row in range(max(board.rows, 1))
        ],
        gone=[
            [(board.numbers[hit.id], hit.rank, cards.name_of(hit)) for hit in board.gone(column)]
            for column in range(len(board.results))
        ],
        # The page's script tells the page which was pressed.
        acts=[_RIGHT, _WHY, _MORE] if explains else [_MORE],
    )


def skeleton(count: int) -> str:
    """The columns before anything was found, as high as they will be."""
    return render("skeleton.html", count=count, rows=_SKELETON_ROWS)


def _head(board: Board, likenesses: list[RankSimilarity], column: int) -> dict[str, object]:
    """What the template says in the head of a column."""
    result = board.results[column]
    read = f"question read in {result.encode_ms:.0f} ms, " if result.encode_ms else ""
    return {
        "side": board.sides[column],
        "took": f"{read}searched in {result.search_ms:.0f} ms",
        "ms": f"{result.ms:.0f}",
        "like": brief(likenesses[column - 1]) if column and len(board.sides) > 2 else "",
        "answer_rank": next((hit.rank for hit in result.hits if hit.id in board.judged), None),
        "nothing": "" if result.hits else f"{(result.note or 'nothing fits').capitalize()}.",
    }


class Slot:
    """The element of the results: drawn at once, or after something that stands in meanwhile.

    `st.empty()` takes away what is there before the new is drawn, and everything under it jumps; so it is used only
    where something has to stand in.
    """

    def __init__(self) -> None:
        self._element: DeltaGenerator | None = None

    def wait(self, html: str) -> None:
        """Draw what stands in until the answer is there."""
        if self._element is None:
            self._element = st.empty()
        self._element.html(html)

    def draw(self, html: str) -> None:
        """Draw the answer."""
        if self._element is None:
            st.html(html)
        else:
            self._element.html(html)

    def clear(self) -> None:
        """Take away what stood in."""
        if self._element is not None:
            self._element.empty()
