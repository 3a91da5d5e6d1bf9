"""The questions that the columns answer differently, as the newest evaluation measured it: wins, losses, and in which part."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from search.evaluation.changes import Change, changes, changes_csv
from search.evaluation.evaluation import Evaluation, current_evaluations
from search.projects import audit
from search.projects.project import Project
from ui import cache, widgets
from ui.comparing import asking, downloads
from ui.hits import shortened
from ui.rendering import literal

_ALL = ""
_SHOWN = 12
_LABEL = 60
_KINDS = {"both": "Wins and losses", "wins": "Wins", "losses": "Losses"}


def draw(project: Project, names: Sequence[str]) -> None:
    """Draw what stands in the list: a question a line, one press asks it.

    :param names: the columns that are compared; the first two count.
    """
    result = _measured(project, names)
    if result is None:
        st.caption(
            "Choose two columns that were measured against each other on Evaluate; the questions that they answer "
            "differently stand here then."
        )
        return
    baseline, candidate = names[:2]
    titles = {test.key: f"{test.title} ({test.queries:,})" for test in result.slices}
    key = st.selectbox(
        "Which questions",
        [_ALL, *titles],
        format_func=lambda one: titles.get(one, f"all questions ({len(result.queries):,})"),
        key="changed-slice",
    )
    kind = st.segmented_control(
        "Which of them",
        list(_KINDS),
        default="both",
        format_func=_KINDS.__getitem__,
        key="changed-kind",
        label_visibility="collapsed",
    )
    found = [
        change
        for change in changes(result, baseline, candidate, key or None)
        if kind in (None, "both") or change.is_win == (kind == "wins")
    ]
    said = widgets.counted(len(found), "question")
    st.caption(
        f"{said}, the largest difference first: right answer in {literal(widgets.model_title(baseline))} → in "
        f"{literal(widgets.model_title(candidate))}."
    )
    with st.container(key="compare-changed", gap=None):
        for number, change in enumerate(found[:_SHOWN]):
            st.button(
                literal(f"{shortened(change.text, _LABEL)} · {_ranks(change)}"),
                key=f"changed-{number}",
                on_click=asking.ask,
                args=(change.text,),
                type="tertiary",
                width="stretch",
            )
    st.download_button(
        "Download all as CSV",
        audit.noted(
            project.name,
            "wins and losses on Compare (csv)",
            partial(changes_csv, found, baseline, candidate),
        ),
        downloads.file_name(project.name, "wins and losses", "csv"),
        "text/csv",
        key="changed-csv",
        on_click="ignore",
        icon=":material/download:",
        disabled=not found,
    )


def _measured(project: Project, names: Sequence[str]) -> Evaluation | None:
    """The newest evaluation that measured the first two columns; None where none did."""
    if len(names) < 2:
        return None
    for manifest in current_evaluations(project):
        if all(name in manifest.details["models"] for name in names[:2]):
            return cache.evaluation(project, manifest)
    return None


def _ranks(change: Change) -> str:
    before, after = (
        f"rank {rank}" if rank else "not found" for rank in (change.before, change.after)
    )
    return f"{before} → {after}"
