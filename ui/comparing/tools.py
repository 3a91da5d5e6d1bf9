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
from ui import address, navigation
from ui.comparing import downloads, summary
from ui.comparing.sides import Board
from ui.rendering import literal, render

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
    """Draw the row; what is in its lists comes later."""
    with st.container(key="compare-tools", horizontal=True, vertical_alignment="center"):
        made = Bar(
            columns=st.popover("Columns", icon=":material/view_column:", key="tool-columns"),
            filters=st.container(width="content"),
            changed=st.popover("Wins and losses", icon=":material/swap_vert:", key="tool-changed"),
            history=st.popover("History", icon=":material/history:", key="tool-history"),
            share=st.popover("Share", icon=":material/ios_share:", key="tool-share"),
            judge=st.container(width="content"),
        )
        label = "Leave full screen" if full() else "Full screen"
        icon = ":material/fullscreen_exit:" if full() else ":material/fullscreen:"
        st.button(label, key="full-screen", icon=icon, on_click=_toggle_full)
    return made


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
            "Scores of two columns are on different scales: compare ranks, not scores. "
            "▲ and ▼ tell how far a document moved against the first column."
        )
    if news:
        st.caption(literal(news))
    if {column.name for column in chosen} <= {GENERIC, KEYWORD}:
        navigation.step("Train a custom model to compare with", "train", "to-train")


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
