"""The verdict in one sentence, the largest thing on the page, and what belongs to it."""

import streamlit as st

from search.evaluation.evaluation import Evaluation
from search.evaluation.query_sets.questions import TITLES
from search.evaluation.rankings.metrics import metric_title
from search.evaluation.slices.tested import worse_on
from search.evaluation.statistics.significance import PairedTest
from search.evaluation.verdict.gains import first_three_sentence
from search.models.registry import KEYWORD
from ui import widgets
from ui.rendering import render

_COLOURS = {"better": "var(--b-teal)", "worse": "var(--b-brown)"}


def verdict(result: Evaluation, test: PairedTest, same: bool = False) -> None:
    """Draw the verdict: the sentence, two lines in plain words, and the figures behind them.

    :param test: the comparison that it is about.
    :param same: whether its candidate is published as its start, because nothing beat it.
    """
    decision = result.decision
    is_main = test == decision.main
    gain = decision.gain.sentence if is_main and decision.gain else ""
    words = is_main and KEYWORD in result.scores and KEYWORD not in (test.baseline, test.candidate)
    free = "Keyword search, free of training,"
    lines = [
        gain,
        first_three_sentence(free, result.first_relevant[KEYWORD]) if words and gain else "",
        "The model is the same as its start: no step of its training was better on dev."
        if same
        else "",
    ]
    lines = [line for line in lines if line]
    more = [line for line in (decision.about_keywords if is_main else "", *_doubts(test)) if line]
    # Its text comes a moment after its place, which is as high from the start (style.css).
    with st.container(key=f"evaluate-verdict-{1 + len(lines) + len(more)}"):
        st.html(
            render(
                "verdict.html",
                colour=_COLOURS.get(test.verdict, "var(--b-slate)"),
                asked=_asked(result),
                say=said(result, test),
                lines=lines,
                why=_why(result, test),
                more=more,
            )
        )


def _asked(result: Evaluation) -> str:
    """Which question the figures answer, in a few words; of proposed questions that they are."""
    if result.proposed:
        part = "On" if result.proposed == len(result.queries) else "Partly on"
        return f"{part} questions proposed from the documents"
    title = TITLES[result.question]
    return title[0].upper() + title[1:]


def said(result: Evaluation, test: PairedTest) -> str:
    """The verdict, with the parts of the questions that got worse for certain."""
    candidate = widgets.model_title(test.candidate)
    baseline = within_sentence(test.baseline)
    if not test.can_tell:
        groups = widgets.counted(test.groups, "independent group")
        return f"Cannot tell whether “{candidate}” is better than {baseline}: only {groups} of questions."
    small = test.practical == "too small to matter"
    if test.verdict == "no clear difference":
        start = f"No clear difference between “{candidate}” and {baseline}"
        if small:
            start = (
                f"“{candidate}” and {baseline} answer alike: what differs is too small to matter"
            )
    else:
        answer = "Yes" if test.verdict == "better" else "No"
        start = f"{answer}. “{candidate}” is {test.verdict} than {baseline}"
        if small:
            start = f"“{candidate}” is {test.verdict} than {baseline}, by too little to matter"
    lost = worse_on(result.slices, test.baseline, test.candidate)
    if not lost:
        return f"{start}."
    if test.verdict == "worse":
        return f"{start}, most of all {lost.removeprefix('worse ')}."
    return f"{start} overall, but {lost}."


def within_sentence(column: str) -> str:
    """What a column is called in the middle of a sentence; a model's own name stays as it is."""
    title = widgets.model_title(column)
    return title[0].lower() + title[1:] if title in ("Generic", "Keyword search") else f"“{title}”"


def _why(result: Evaluation, test: PairedTest) -> str:
    """The figures of the verdict: how much, how sure, and how often chance alone would show it."""
    low, high = test.interval
    gain = result.decision.gain if test == result.decision.main else None
    relative = f" ({gain.relative:+.0%})" if gain and gain.relative is not None else ""
    return (
        f"{test.delta:+.3f} {metric_title(test.metric)}{relative} on {_held_out(result)}; with 95% "
        f"certainty between {low:+.3f} and {high:+.3f}. {_chance(test)}"
    )


def _held_out(result: Evaluation) -> str:
    return widgets.counted(len(result.queries), "held-out query", "held-out queries")


def _chance(test: PairedTest) -> str:
    p_value = test.p_decisive
    counted = (
        f", counting all {test.family:,} candidates that were measured on these queries"
        if test.p_adjusted is not None and test.family > 1
        else ""
    )
    if p_value < 0.001:
        return f"Chance alone would hardly ever show this much (p < 0.001{counted})."
    return (
        f"Chance alone would show this much in {p_value:.1%} of cases (p = {p_value:.3f}{counted})."
    )


def _doubts(test: PairedTest) -> list[str]:
    """What a sceptic would ask next: size, power, few groups."""
    few = (
        f"Few independent groups of questions: {test.groups:,}."
        if test.few_groups and test.can_tell
        else ""
    )
    return [few, test.practical_sentence or "", test.power_sentence or ""]
