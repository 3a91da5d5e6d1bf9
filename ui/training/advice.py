"""What is recommended and why, and the approaches side by side."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from search.projects.files import size_in_words
from search.projects.project import Project
from training.advice.advise import current_advice
from training.advice.recommending import Advice
from ui import run_view, widgets
from ui.rendering import literal

VERB = "advise"
_NONE = "–"
CALLED = {"adapter": "Quick", "auto": "Best", "mine": "From documents alone"}
"""What the cards call the ways that most people need, by the name that the advice has for them."""


def say(advice: Advice) -> None:
    """The recommendation, largest on the page, with its reasons and minutes."""
    figures = []
    if advice.seconds is not None:
        figures.append(
            (widgets.duration(advice.seconds), "until you can search with it (estimated)")
        )
    title = CALLED.get(advice.option, advice.title)
    widgets.summary(f"Recommended: {title}. {' '.join(advice.reasons)}", figures)


def compared(project: Project) -> None:
    """Which approach: the ranking and the table, measured on this machine when asked for."""
    saved = current_advice(project)
    with st.expander("Which approach? All of them side by side", expanded=False):
        if saved is None:
            st.write(
                "Looks at your documents and pairs, measures some real steps on this machine, and says what each "
                "approach would take and bring; ready-made models on this machine are measured on your dev queries. It takes a "
                "minute or two."
            )
        else:
            _ranking(saved)
            _ready_made(saved.get("ready_made"))  # Advice of before it was measured has none.
            _table(saved["approaches"])
        minutes = st.number_input(
            "Minutes a training may take",
            min_value=1,
            max_value=10_000,
            value=round(saved["budget"]) if saved and saved["budget"] >= 1 else 10,
            key=f"budget-{project.name}",
        )
        hub = st.checkbox(
            "Download small ready-made models of a hub first, and measure them too",
            key=f"download-{project.name}",
        )
        label = "Measure again" if saved else "Measure on this machine"
        if st.button(label, key="advise", icon=":material/speed:"):
            more = ["--download"] if hub else []
            run_view.start(project, [VERB, project.name, "--budget", str(minutes), *more])


def _ranking(saved: dict[str, Any]) -> None:
    rows = []
    for rank, advice in enumerate(saved["recommended"], start=1):
        seconds = advice["seconds"]
        spent = widgets.duration(seconds) if seconds is not None else _NONE
        rows.append([f"{rank}. {advice['title']}", " ".join(advice["reasons"]), spent])
    widgets.escaped_table(["approach", "why", "time here (estimated)"], rows)


def _ready_made(measured: dict[str, Any] | None) -> None:
    if measured is None:
        return
    st.write(literal(measured["sentence"]))
    if len(measured["standings"]) > 1:
        rows = [[row["title"], row["figures"]] for row in measured["standings"]]
        widgets.escaped_table(["ready-made model", "on your dev queries, on this machine"], rows)
    for note in measured["notes"]:
        st.caption(literal(note))


def _table(approaches: list[dict[str, Any]]) -> None:
    if not approaches:
        return
    rows = [_row(row) for row in approaches]
    widgets.escaped_table(
        [
            "model",
            "nDCG@10",
            "query words unseen",
            "training",
            "size",
            "ms a query",
            "documents a second",
        ],
        rows,
    )
    st.caption(
        "Measured for models that exist, estimated (“about”, “expected”) for those that do not. Test scores are on "
        "held-out queries, dev scores on those that steered the training: do not compare one with the other. "
        "Unseen: words without a vector, or read in three scraps or more. Encoding alone is timed."
    )


def _row(row: dict[str, Any]) -> list[str]:
    about = "" if row["measured"] else "about "
    return [
        row["title"],
        row["quality"],
        _said(row["unseen"], "{:.0%}".format),
        _said(row["training"], lambda seconds: about + widgets.duration(seconds)),
        _said(row["size"], lambda size: about + size_in_words(size)),
        _said(row["query_ms"], lambda ms: f"{about}{ms:.1f}"),
        _said(row["documents"], lambda number: f"{about}{number:,.0f}"),
    ]


def _said(value: float | None, how: Callable[[float], str]) -> str:
    return _NONE if value is None else how(value)
