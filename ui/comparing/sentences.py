"""The sentence that answers, underlined in each card once the cards are there: as its column sees it."""

from pathlib import Path

import streamlit as st

from search.projects.artifacts import Manifest
from search.projects.errors import BespokeError
from search.projects.project import Project
from search.retrieval.columns import parse_column
from ui import cache
from ui.comparing.sides import Board

_FIRST = 5
_SCRIPT = Path(__file__).with_name("sentences.js").read_text(encoding="utf-8")
_mount = st.components.v2.component("bespoke_sentences", js=_SCRIPT, isolate_styles=False)


def underline(project: Project, manifest: Manifest, board: Board) -> None:
    """Underline the sentence that answers in the first five cards of each column. Changes no height.

    A column that joins keywords and a model, or is read again, shows what its model sees; a model that is paid for by what it
    reads is not asked.
    """
    marks: list[tuple[int, int, str]] = []
    for number, (side, result) in enumerate(zip(board.sides, board.results, strict=True)):
        hits = result.hits[:_FIRST]
        texts = tuple(" ".join(hit.passage.text.split()) for hit in hits)
        try:
            model = parse_column(side.name).model
            found = cache.answering(project, manifest, model, board.query, texts)
        except BespokeError:  # Such as a model that was deleted meanwhile; the next answer says so.
            continue
        marks += [(number, hit.rank, said) for hit, said in zip(hits, found, strict=True) if said]
    _mount(key="compare-sentences", data={"marks": marks}, height=1)
