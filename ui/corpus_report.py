"""The report on a project's data, as pictures: lengths, languages, foreign words, terms, copies, advice."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from search.projects.project import Project
from training.data.reports import current_report
from ui import charts, run_view, widgets
from ui.rendering import literal, render

_TERMS = 30
_SHREDDED = 20
_ABBREVIATIONS = 30
_BLUE = "#2563a8"


def draw(project: Project) -> None:
    """The newest report, or the way to make it."""
    run = run_view.latest(project, ["report"])
    if run_view.watched(run):
        return
    made = current_report(project)
    if made is None:
        run_view.ended(run, quiet=["done"])
        st.caption(
            "What languages and words are in there, what repeats, what the generic model cannot read; and "
            "what to fix in the pairs before training. It takes some seconds."
        )
        if st.button("Look at the data", key="make-report", icon=":material/query_stats:"):
            run_view.start(project, ["report", project.name])
        return
    _corpus(made.details["corpus"])
    if pairs := made.details.get("pairs"):
        st.header("Pairs", anchor=False)
        _pairs(pairs)


def _pairs(pairs: Mapping[str, Any]) -> None:
    figures = [
        (f"{pairs['pairs']:,}", "pairs"),
        (f"{pairs['distinct_queries']:,}", "different queries"),
        (f"{pairs['distinct_responses']:,}", "different responses"),
        (f"{pairs['with_negatives']:,}", "with hard negatives"),
        (f"{pairs['copied']:,}", "queries copied from the response"),
        (f"{pairs['false_negatives']['share']:.0%}", "of batches with a false negative"),
    ]
    st.html(render("figures.html", figures=figures))
    _sentences(pairs["advice"] or ["Nothing stands in the way of training on these pairs."])
    kinds = {"query": pairs["query_lengths"], "response": pairs["response_lengths"]}
    languages = _shares(pairs["query_languages"], "share of the queries")
    _beside(
        {
            "How long queries and responses are": _lengths(kinds),
            "Languages of the queries": languages,
        }
    )
    examples = [
        {"query": one["query"], "what is wrong": what, "with": one["other"]}
        for what, kind in (
            ("copied from its response", "copied_examples"),
            ("nearly the same query", "near_query_examples"),
            ("answer and negative at once", "contradictory_examples"),
        )
        for one in pairs[kind]
    ]
    if examples:
        with st.expander("Pairs to look at"):
            widgets.dataframe(examples)


def _corpus(seen: Mapping[str, Any]) -> None:
    about = "about " if seen["estimated"] else ""
    foreign = seen["foreignness"]
    figures = [
        (f"{seen['documents']:,}", "documents"),
        (f"{seen['passages']:,}", "passages"),
        (f"{about}{seen['words']:,}", "words"),
        (f"{foreign['pieces_per_word']:.2f}", "parts a word is read in"),
        (f"{foreign['ordinary_pieces_per_word']:.2f}", "in ordinary English"),
    ]
    st.html(render("figures.html", figures=figures))
    _sentences(seen["findings"])
    if seen["estimated"]:
        st.caption(f"Seen in {seen['sampled']:,} documents, spread evenly over the corpus.")
    lengths = _lengths({"document": seen["lengths"]})
    languages = _shares(seen["languages"], "share of the documents")
    _beside({"How long documents are": lengths, "Languages": languages})
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


def _beside(drawn: Mapping[str, charts.Spec]) -> None:
    """Charts beside each other, each under its title."""
    for box, (title, chart) in zip(st.columns(len(drawn)), drawn.items(), strict=True):
        box.markdown(f"**{literal(title)}**")
        box.vega_lite_chart(chart, width="stretch")


def _sentences(sentences: Sequence[str]) -> None:
    if sentences:
        st.html(render("findings.html", sentences=sentences))


def _lengths(kinds: Mapping[str, Mapping[str, Any]]) -> charts.Spec:
    """A histogram over bins of words, for one kind of text or several beside each other."""
    rows = []
    for kind, lengths in kinds.items():
        for one in lengths["bins"]:
            low, high = one["low"], one["high"]
            words = "none" if high == 0 else f"{low}+" if high is None else f"{low}–{high}"
            rows.append({"kind": kind, "words": words, "texts": one["count"]})
    used = {row["words"] for row in rows if row["texts"]}
    several = len(kinds) > 1
    texts = charts.number("texts")
    encoding = {
        "x": charts.name("words", sort=None, axis={"labelAngle": -40}),
        "y": texts | {"title": "texts" if several else "documents"},
        "tooltip": [charts.name("kind"), charts.name("words"), texts | {"format": ","}],
    }
    if several:
        colours = {"domain": list(kinds), "range": [_BLUE, charts.SLATE]}
        legend = {"title": None, "orient": "top"}
        encoding["color"] = charts.name("kind", scale=colours, legend=legend)
        encoding["xOffset"] = charts.name("kind")
    shown = [row for row in rows if row["words"] in used]
    return {"height": 280 if several else 200} | charts.layer(
        "bar", shown, encoding, color=charts.SLATE
    )


def _shares(languages: Sequence[Mapping[str, Any]], of: str) -> charts.Spec:
    rows = [{"language": one["name"], "share": one["share"]} for one in languages[:8]]
    share = charts.number("share")
    encoding = {
        "y": charts.name("language", sort=None, title=None),
        "x": share | {"title": of, "axis": {"format": "%"}},
        "tooltip": [charts.name("language"), share | {"format": ".1%"}],
    }
    return {"height": 200} | charts.layer("bar", rows, encoding, color=charts.SLATE)


def _chips(title: str, items: Sequence[tuple[str, str]]) -> None:
    if items:
        st.markdown(f"**{literal(title)}**")
        st.html(render("chips.html", chips=items))


def _abbreviations(abbreviations: Sequence[Mapping[str, Any]]) -> None:
    if not abbreviations:
        return
    with st.expander(f"Abbreviations with their meaning ({len(abbreviations):,})"):
        rows = [
            (one["short"], "; ".join(each["text"] for each in one["expansions"]), one["count"])
            for one in abbreviations[:_ABBREVIATIONS]
        ]
        widgets.dataframe(rows, ["abbreviation", "stands for", "times"])


def _copies(copies: Mapping[str, Any]) -> None:
    pairs = [*copies["exact_examples"], *copies["near_examples"]]
    if not pairs:
        return
    total = copies["exact"] + copies["near"]
    with st.expander(f"Documents that repeat others ({total:,})"):
        rows = [(one["second"], one["first"], one.get("similarity", 1.0)) for one in pairs]
        common = {"words in common": st.column_config.NumberColumn(format="percent")}
        widgets.dataframe(rows, ["document", "repeats", *common], column_config=common)
