"""The row of tools over the results, and what stands under them: columns, filters, history, sharing, full screen."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from search.models.registry import GENERIC, KEYWORD
from search.projects import audit
from search.projects.project import Project
from search.retrieval.columns import SearchColumn
from ui import address, cache, navigation
from ui.comparing import downloads, summary
from ui.comparing.sides import Board
from ui.rendering import literal, render
from ui.widgets import counted

_VIEW = "view"
_FULL = "full"
_DEPTHS = (3, 50, 10)


@dataclass(frozen=True)
class Bar:
    """The places of the row that the page fills."""

    columns: DeltaGenerator
    filters: DeltaGenerator
    changed: DeltaGenerator
    history: DeltaGenerator
    share: DeltaGenerator
    judge: DeltaGenerator


def bar() -> Bar:
    """Draw the row; what is in its lists comes later. Each is a symbol on a wide page: its word is there to be heard."""
    with st.container(key="compare-tools", horizontal=True, width="content"):
        made = Bar(
            columns=_opens("Columns", "view_column"),
            filters=st.container(width="content"),
            changed=_opens("Wins and losses", "swap_vert"),
            history=_opens("History", "history"),
            share=_opens("Share", "ios_share"),
            judge=st.container(width="content"),
        )
        label = "Leave full screen" if full() else "Full screen"
        icon = ":material/fullscreen_exit:" if full() else ":material/fullscreen:"
        st.button(label, key="full-screen", icon=icon, on_click=_toggle_full, help=label)
    return made


def _opens(label: str, icon: str) -> DeltaGenerator:
    """A list of the row, with its name as a tip."""
    name = literal(label)
    return st.popover(name, icon=f":material/{icon}:", key=f"tool-{icon}", help=name)


def depth() -> int:
    """How many results a column shows; the address holds it."""
    lowest, highest, usual = _DEPTHS
    return int(
        st.slider("Results in each column", lowest, highest, usual, key="k", bind="query-params")
    )


def full() -> bool:
    """Whether the page fills the screen: no navigation, larger type."""
    return address.value(_VIEW) == _FULL


def leave_full() -> None:
    """Go back to the page with its navigation."""
    st.query_params.pop(_VIEW, None)


def share(project: Project, board: Board | None) -> str:
    """Draw what can be taken away of a comparison.

    :returns: the Markdown that the copy button copies; empty where nothing was answered yet.
    """
    if board is None:
        st.caption("Once a question was answered, it can be shared from here.")
        return ""
    st.html(render("copy.html"))
    for ending, kind, made in (
        ("csv", "text/csv", downloads.as_csv),
        ("json", "application/json", downloads.as_json),
    ):
        st.download_button(
            f"Download {ending.upper()}",
            audit.noted(project.name, f"an answer on Compare ({ending})", partial(made, board)),
            downloads.file_name(project.name, board.query, ending),
            kind,
            key=f"compare-{ending}",
            on_click="ignore",
            icon=":material/download:",
            width="stretch",
        )
    said = summary.sentence(board.results, board.sides, board.judged)
    return downloads.as_markdown(board, said, st.context.url or "")


def foot(chosen: Sequence[SearchColumn], news: str | None, answered: bool) -> None:
    """What stands under the results.

    :param news: a sentence about what goes on meanwhile, such as a training.
    :param answered: whether there are results.
    """
    if answered and len(chosen) > 1:
        st.caption(
            "Likely, perhaps, probably nothing: how probable it is that a hit answers, learned for each column by itself. "
            "Underlined is the sentence that answers, as the column sees it. ▲ and ▼ tell how far a document moved against the first column."
        )
    if news:
        st.caption(literal(news))
    if {column.name for column in chosen} <= {GENERIC, KEYWORD}:
        navigation.step("Train a custom model to compare with", "train", "to-train")


def to_proof(project: Project, chosen: Sequence[SearchColumn], measured: bool) -> str:
    """What the way from one question to all of them is called; empty where there is nothing to measure with.

    :param measured: whether these columns were measured against each other.
    """
    manifest = project.newest("queries")
    if manifest is None or len(chosen) < 2:
        return ""
    count = len(cache.query_set(project, manifest).queries)
    return "See the proof" if measured else f"Measure this on {counted(count, 'question')}"


def judge_blind(names: Sequence[str]) -> None:
    """Lead to the page where the sides have no names, with the first two columns.

    :param names: the names of the columns.
    """
    which = "the first two columns" if len(names) > 2 else "these columns"
    if st.button(
        "Judge blind",
        key="judge-blind",
        icon=":material/balance:",
        help=f"Vote which of {which} answers better, without knowing which is which.",
    ):
        if len(names) > 1:
            navigation.go("judge", model=names[:2])
        navigation.go("judge")


def _toggle_full() -> None:
    navigation.hold(_VIEW, "" if full() else _FULL)
