"""The report on a project's data, as pictures: lengths, languages, foreign words, terms, copies, advice."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from search import runs
from search.workspace import Project
from training.reports import current_report
from ui import run_view, widgets

_TERMS = 30
_SHREDDED = 20
_ABBREVIATIONS = 30
_SLATE = "#6b7a90"


def draw(project: Project) -> None:
    """The newest report, or the way to make it."""
    run = run_view.latest(project, ["report"])
    if run is not None and run.status.state not in runs.OVER:
        run_view.watch(run)
        return
    made = current_report(project)
    if made is None:
        if run is not None and run.status.state != "done":
            run_view.ended(run)
        st.caption(
            "What languages and words are in there, what repeats, what the generic model cannot read; and "
            "what to fix in the pairs before training. It takes some seconds."
        )
        if st.button("Look at the data", key="make-report", icon=":material/query_stats:"):
            runs.start(project, ["report", project.name])
            st.rerun()
        return
    _corpus(made.details["corpus"])
    if "pairs" in made.details:
        _pairs(made.details["pairs"])


def _corpus(seen: Mapping[str, Any]) -> None:
    about = "about " if seen["estimated"] else ""
    foreign = seen["foreignness"]
    st.html(
        '<div class="b-figures">'
        + widgets.figure(f"{seen['documents']:,}", "documents")
        + widgets.figure(f"{seen['passages']:,}", "passages")
        + widgets.figure(f"{about}{seen['words']:,}", "words")
        + widgets.figure(f"{foreign['pieces_per_word']:.2f}", "word pieces a word")
        + widgets.figure(f"{foreign['ordinary_pieces_per_word']:.2f}", "in ordinary English")
        + "</div>"
    )
    _sentences(seen["findings"])
    if seen["estimated"]:
        st.caption(f"Seen in {seen['sampled']:,} documents, spread evenly over the corpus.")
    left, right = st.columns(2)
    with left:
        st.markdown("**How long documents are**")
        st.altair_chart(_lengths(seen["lengths"]["bins"]), width="stretch")
    with right:
        st.markdown("**Languages**")
        st.altair_chart(_shares(seen["languages"]), width="stretch")
    _chips(
        "Words most typical of these documents",
        [(term["text"], f"{term['count']:,}") for term in seen["terms"]["words"][:_TERMS]],
    )
    _chips(
        "Words that the generic model takes apart most",
        [(word["word"], " ".join(word["pieces"])) for word in foreign["shredded"][:_SHREDDED]],
    )
    _abbreviations(seen["abbreviations"])
    _copies(seen["copies"])


def _pairs(told: Mapping[str, Any]) -> None:
    st.markdown("#### The pairs")
    _sentences(told["advice"])


def _sentences(sentences: Sequence[str]) -> None:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    if items:
        st.html(f'<ul class="b-findings">{items}</ul>')


def _lengths(bins: Sequence[Mapping[str, Any]]) -> alt.Chart:
    """A histogram over bins of words."""
    rows = []
    for one in bins:
        high = one["high"]
        name = f"{one['low']}+" if high is None else f"{one['low']}–{high}"
        rows.append({"words": "none" if high == 0 else name, "documents": one["count"]})
    while len(rows) > 1 and not rows[-1]["documents"]:
        rows.pop()
    frame = pd.DataFrame(rows)
    chart: alt.Chart = (
        alt.Chart(frame, height=200)
        .mark_bar(color=_SLATE)
        .encode(
            x=alt.X("words", sort=None, title="words a document", axis=alt.Axis(labelAngle=-40)),
            y=alt.Y("documents", title="documents"),
            tooltip=["words", alt.Tooltip("documents", format=",")],
        )
    )
    return chart


def _shares(languages: Sequence[Mapping[str, Any]]) -> alt.Chart:
    frame = pd.DataFrame(
        [{"language": one["name"], "share": one["share"]} for one in languages[:8]]
    )
    chart: alt.Chart = (
        alt.Chart(frame, height=200)
        .mark_bar(color=_SLATE)
        .encode(
            y=alt.Y("language", sort=None, title=None),
            x=alt.X("share", title="share of the documents", axis=alt.Axis(format="%")),
            tooltip=["language", alt.Tooltip("share", format=".1%")],
        )
    )
    return chart


def _chips(title: str, items: Sequence[tuple[str, str]]) -> None:
    if items:
        chips = "".join(
            f'<span class="b-chip">{escape(text)} <i>{escape(more)}</i></span>'
            for text, more in items
        )
        st.markdown(f"**{title}**")
        st.html(f'<div class="b-chips">{chips}</div>')


def _abbreviations(found: Sequence[Mapping[str, Any]]) -> None:
    if not found:
        return
    with st.expander(f"Abbreviations with their meaning ({len(found):,})"):
        rows = [
            {
                "abbreviation": one["short"],
                "stands for": "; ".join(meaning["text"] for meaning in one["expansions"]),
                "times": one["count"],
            }
            for one in found[:_ABBREVIATIONS]
        ]
        st.dataframe(pd.DataFrame(rows), hide_index=True)


def _copies(copies: Mapping[str, Any]) -> None:
    pairs = [*copies["exact_examples"], *copies["near_examples"]]
    if not pairs:
        return
    total = copies["exact"] + copies["near"]
    with st.expander(f"Documents that repeat others ({total:,})"):
        rows = [
            {
                "document": one["second"],
                "repeats": one["first"],
                "words in common": one.get("similarity", 1.0),
            }
            for one in pairs
        ]
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            column_config={"words in common": st.column_config.NumberColumn(format="percent")},
        )
