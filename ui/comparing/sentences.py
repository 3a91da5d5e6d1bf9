"""The sentence that answers, underlined in each card once the cards are there: as its column sees it."""

import time
from pathlib import Path

import streamlit as st

from search.projects.artifacts import Manifest
from search.projects.errors import BespokeError
from search.projects.project import Project
from search.retrieval.columns import parse_column
from search.retrieval.results import Hit
from ui import cache
from ui.comparing.sides import Board, Side

_FIRST = 5
_AT_MOST = 4.0  # Seconds; what is not read by then is read when the page is drawn next.
_SCRIPT = Path(__file__).with_name("sentences.js").read_text(encoding="utf-8")
_mount = st.components.v2.component("bespoke_sentences", js=_SCRIPT, isolate_styles=False)


def underline(project: Project, manifest: Manifest, board: Board) -> None:
    """Underline the sentence that answers in the first five cards of each column. Changes no height.

    A column that joins keywords and a model, or is read again, shows what its model sees; a model that is paid for by what it
    reads is not asked.
    """
    marks: list[tuple[int, int, str]] = []
    until = time.monotonic() + _AT_MOST
    boards = zip(board.sides, board.results, strict=True)
    cards = [
        (hit.rank, number, side, hit)
        for number, (side, result) in enumerate(boards)
        for hit in result.hits[:_FIRST]
    ]
    for rank, number, side, hit in sorted(cards, key=lambda card: card[:2]):  # The best first.
        # Where something else was asked meanwhile, reading its state ends this run.
        _ = "sentences" in st.session_state
        if time.monotonic() > until:
            break
        if said := _answer(project, manifest, side, board.query, hit):
            marks.append((number, rank, said))
    # Cards that are drawn anew, with how probable each hit is, have lost what was underlined.
    drawn = [result.relevance is not None for result in board.results]
    _mount(key="compare-sentences", data={"marks": marks, "drawn": drawn}, height=1)


def _answer(project: Project, manifest: Manifest, side: Side, query: str, hit: Hit) -> str:
    """The sentence of a card that answers; empty where there is none."""
    text = " ".join(hit.passage.text.split())
    try:
        model = parse_column(side.name).model
        (said,) = cache.answering(project, manifest, model, query, (text,))
    except BespokeError:  # Such as a model that was deleted meanwhile; the next answer says so.
        return ""
    return said
