"""Small tables as HTML: they wrap, and what stands in them is data."""

from collections.abc import Sequence

import streamlit as st

from ui.rendering import render


def escaped_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Draw a table of texts."""
    st.html(render("table.html", heads=heads, rows=rows))
