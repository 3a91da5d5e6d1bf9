"""What went wrong, said on the page: a sentence instead of a traceback, and a button where one press mends it.

A page and each part that is drawn by itself is guarded, so that it is said where it happened and the rest stays. What
goes wrong elsewhere (in what a widget calls before the page is drawn), the server hands to `tell`, too.
"""

import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import streamlit as st

from search.projects import audit
from search.projects.errors import BespokeError, Damaged
from search.projects.publishing import discard
from search.projects.unexpected import first_line_of, unexpected
from ui.rendering import literal

P = ParamSpec("P")

# What is made out of documents and models, and made again by itself where it is missing.
_MADE_AGAIN = ("indexes", "vectors", "vocabularies", "maps", "evaluations", "reports")
_UNFORESEEN = "unforeseen"


def guarded(draw: Callable[P, None]) -> Callable[P, None]:
    """A page, or a part of one that is drawn by itself: what goes wrong in it is said in its place."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            draw(*args, **kwargs)
        except Exception as error:
            tell(error)

    return drawn


def tell(error: Exception) -> bool:
    """Say any error on the page. What nobody foresaw is one line with a hint and the file with all of it.

    :returns: True: all of it is said, and Streamlit has nothing to add.
    """
    if isinstance(error, BespokeError):
        say(error)
    elif isinstance(error, FileNotFoundError):
        _gone(error)
    else:
        st.error(literal(_unforeseen(error)), icon=":material/error:")
    return True


def say(error: BespokeError) -> None:
    """Say what went wrong; what can be made again is made again by one press."""
    if not isinstance(error, Damaged) or error.folder.parent.name not in _MADE_AGAIN:
        st.error(literal(error), icon=":material/error:")
        return
    st.error(literal(error.what), icon=":material/error:")
    st.button(
        "Build it again",
        key=f"again-{error.folder.name}",
        icon=":material/refresh:",
        on_click=_discard,
        args=(error.folder,),
        help=f"Deletes {literal(error.folder)} and makes it anew from the documents and the model.",
    )


def _unforeseen(error: Exception) -> str:
    """The line on an error that nobody foresaw; what is drawn anew each second writes one file, not one a second."""
    at = tuple((one.filename, one.lineno) for one in traceback.extract_tb(error.__traceback__))
    same = (type(error), first_line_of(error), at)
    known: dict[object, str] = st.session_state.setdefault(_UNFORESEEN, {})
    if same not in known:
        failed = unexpected(error, what="This page", after="Load the page again to go on")
        known[same] = str(failed)
    return known[same]


def _gone(error: FileNotFoundError) -> None:
    """Somebody else, or a terminal, deleted what the page was reading at that moment."""
    st.warning(
        f"{literal(error.filename or 'A file')} was deleted while this page was reading it, such as by another person who "
        "deleted a model or a project.",
        icon=":material/warning:",
    )
    st.button("Show what is there now", key="look-again", icon=":material/refresh:")


def _discard(folder: Path) -> None:
    project, kind = folder.parents[1].name, folder.parent.name
    audit.note("deleted what is made again", project, f"{kind}/{folder.name}")
    with suppress(FileNotFoundError):  # Somebody else was faster.
        discard(folder)
    # A run that ended does not stand for what was just deleted.
    st.session_state.pop("index-runs", None)
