"""How a real document would be cut: its passages, live."""

from collections.abc import Sequence

import streamlit as st

from search.corpus.document import Document
from search.corpus.passages import Chunker, Chunking, embedded_passage
from search.corpus.tokenizer import generic_subwords
from ui import widgets
from ui.rendering import render

_SHOWN = 6


def draw(documents: Sequence[Document], chunking: Chunking) -> None:
    """Show the longest of some documents in passages."""
    if not documents:
        return
    longest = max(documents, key=lambda document: len(document.embedded))
    passages = Chunker(chunking).cut(longest)
    count = widgets.counted(len(passages), "passage")
    name = widgets.literal(longest.title or longest.id)
    with st.expander(f"The longest of these documents makes {count}: {name[:80]}"):
        pieces = generic_subwords()
        cards, end = [], 0
        for number, passage in enumerate(passages[:_SHOWN], start=1):
            again = longest.text[passage.start : max(end, passage.start)]
            rest = longest.text[max(end, passage.start) : passage.stop]
            end = passage.stop
            size = pieces.of(embedded_passage(longest.title, longest.text, passage))
            facts = [f"{number}", f"{size} word pieces"]
            facts += [f"page {passage.page}"] if passage.page is not None else []
            facts += [passage.heading] if passage.heading else []
            cards.append((facts, again, rest))
        st.html(render("passages.html", passages=cards))
        if len(passages) > _SHOWN:
            st.caption(f"The first {_SHOWN} of {len(passages):,}.")
