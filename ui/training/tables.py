"""Small tables as HTML: they wrap, and what stands in them is data."""

from collections.abc import Sequence
from html import escape

import streamlit as st


def escaped_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Draw a table of texts."""
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows
    )
    st.html(
        f'<div class="b-card" tabindex="0" role="region" aria-label="{escape(", ".join(heads))}">'
        f'<table class="b-table b-texts"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )
