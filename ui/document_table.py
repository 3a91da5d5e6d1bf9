"""Documents as rows of a table: what has no title is called by its file or by how it begins; empty columns are left out."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

import streamlit as st

from search.corpus.document import Document
from ui import widgets

_NAME, _TEXT = 60, 400


def name_of(document: Document) -> str:
    """What people call a document: its title, else its file, else its first words."""
    if document.title:
        return document.title
    if file := document.metadata.get("file", ""):
        return PurePath(file.replace("\\", "/")).stem
    start = " ".join(document.text[: 2 * _NAME].split())
    return start if len(start) <= _NAME else f"{start[:_NAME].rsplit(' ', 1)[0]} …"


def draw(documents: Sequence[Document], height: int = 560, **more: Any) -> Any:
    """Draw documents as a table.

    :param height: the most pixels that it takes.
    :param more: what else `widgets.dataframe` takes.
    :returns: what is selected of it, where that is asked for.
    """
    titled = any(document.title or "file" in document.metadata for document in documents)
    rows = [_row(document, titled) for document in documents]
    names = dict.fromkeys(name for row in rows for name, value in row.items() if value)
    table = [[row.get(name, "") for name in names] for row in rows]
    widths = {
        "id": st.column_config.TextColumn(width="small"),
        "text": st.column_config.TextColumn(width="large"),
    }
    return widgets.dataframe(
        table,
        list(names),
        height=widgets.full_height(len(rows), height),
        column_config=widths,
        **more,
    )


def _row(document: Document, titled: bool) -> dict[str, str]:
    """A document as a row; a further column that is also called "text" does not hide the text."""
    own = {"id": document.id, "title": name_of(document) if titled else "", "text": document.text[:_TEXT]}  # fmt: skip
    return own | {f"{k} *" if k in own else k: v for k, v in document.metadata.items()}
