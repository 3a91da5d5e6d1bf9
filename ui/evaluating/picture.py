"""One picture at a glance: the difference of every column, and of the verdict's inside each kind of question."""

from collections.abc import Sequence

import streamlit as st

from search.evaluation.evaluation import Evaluation
from search.evaluation.rankings.metrics import metric_title
from search.evaluation.slices.tested import SliceTest
from search.evaluation.statistics.significance import PairedTest
from ui import charts, widgets
from ui.evaluating.sentence import within_sentence

_SLICES = 10
_ROW = 27
_FIGURES = 0.12
_NARROW = "containerSize()[0] < 560"
_WIDE_ALONE = {"expr": f"{_NARROW} ? 0 : 13"}  # Where there is room beside the lines.
_HEADING = "Questions …"
_COLOURS = {"better": "#0f9488", "no clear difference": "#6b7a90", "worse": "#b4540a"}


def picture(result: Evaluation, main: PairedTest) -> None:
    """Draw every column's difference and those inside slices, each with its 95 % interval, against zero and the margin."""
    slices = shown_slices(result, main)
    rows = [
        _row(_name(test, main), test.delta, test.interval, test.verdict)
        for test in _columns(result, main)
    ]
    rows += [
        _row(one.title.removeprefix("questions "), one.delta, one.ci95, one.verdict)
        for one in slices
    ]
    names = [str(row["name"]) for row in rows]
    order = [
        *names[: len(rows) - len(slices)],
        *([_HEADING] if slices else []),
        *names[len(rows) - len(slices) :],
    ]
    title = [
        f"difference in {metric_title(main.metric)}",
        f"against {within_sentence(main.baseline)}",
    ]
    height = 92 + _ROW * len(order)
    # The chart comes a moment later than the rest; its place is kept.
    with st.container(height=height, border=False, key="intervals"):
        drawn = _chart(rows, order, title, main.margin)
        st.vega_lite_chart(charts.local_only({"height": height} | drawn), width="stretch")
    more = len(_of(result, main)) - len(slices)
    st.caption(
        "A line is a 95% interval: where it crosses zero, the difference may be chance. In the shaded band it is too small to "
        f"matter (±{main.margin:.3f})."
        + (f" {more:,} more kinds of questions are listed below." if more > 0 else "")
    )


def shown_slices(result: Evaluation, main: PairedTest) -> list[SliceTest]:
    """The slices that say most: what is certain first, then the largest differences."""
    found = sorted(
        _of(result, main), key=lambda one: (one.verdict == "no clear difference", -abs(one.delta))
    )
    return sorted(found[:_SLICES], key=lambda one: -one.delta)


def _of(result: Evaluation, main: PairedTest) -> list[SliceTest]:
    pair = (main.baseline, main.candidate)
    return [one for one in result.slices if (one.baseline, one.candidate) == pair]


def _columns(result: Evaluation, main: PairedTest) -> list[PairedTest]:
    """The verdict's comparison first, then all others against the same baseline, then its candidate against others."""
    others = [test for test in result.comparisons if test != main]
    same = [test for test in others if test.baseline == main.baseline]
    return [main, *same, *(t for t in others if t.candidate == main.candidate and t not in same)]


def _name(test: PairedTest, main: PairedTest) -> str:
    title = widgets.model_title(test.candidate)
    if test.baseline == main.baseline:
        return title
    return f"{title}, against {within_sentence(test.baseline)}"


def _row(name: str, difference: float, ends: tuple[float, float], verdict: str) -> charts.Spec:
    return {
        "name": name,
        "said": f"{difference:+.3f}",
        "difference": difference,
        "low": ends[0],
        "high": ends[1],
        "verdict": verdict,
    }


def _chart(
    rows: Sequence[charts.Spec], order: Sequence[str], title: Sequence[str], margin: float
) -> charts.Spec:
    """A line from the low to the high end of each row, its difference as a point and as a figure, zero, and the margin's band."""
    ends = [float(row[end]) for row in rows for end in ("low", "high")]
    # Two places would name several ticks of a narrow interval alike.
    least, most = min([*ends, -margin]), max([*ends, margin])
    form = "+.2f" if most - least > 0.1 else "+.3f"
    room = most + (most - least) * _FIGURES  # For the figures, right of all lines.
    verdicts = [verdict for verdict in _COLOURS if any(row["verdict"] == verdict for row in rows)]
    colours = {"domain": verdicts, "range": [_COLOURS[verdict] for verdict in verdicts]}
    labels = {
        "labelLimit": {"expr": f"{_NARROW} ? 150 : 400"},
        "labelFontWeight": {
            "condition": {"test": f"datum.value == '{_HEADING}'", "value": "bold"},
            "value": "normal",
        },
        "ticks": False,
        "domain": False,
        "labelPadding": 8,
        "labelFlush": False,
        "labelBound": False,
    }
    each = {
        "y": charts.name("name", title=None, sort=None, scale={"domain": list(order)}, axis=labels),
        "color": charts.name("verdict", scale=colours, legend={"orient": "bottom", "title": None}),
    }
    scale = {"domain": [least, room], "nice": False}
    axis = {"format": form, "tickCount": 6, "grid": False}
    low = charts.number("low", title=list(title), axis=axis, scale=scale)
    figures = each | {"x": {"datum": room}, "text": charts.name("said")}
    difference = charts.number("difference")
    tooltip = [
        charts.name("name"), difference | {"format": "+.4f"}, charts.number("low", format="+.4f"),
        charts.number("high", format="+.4f"), charts.name("verdict"),
    ]  # fmt: skip
    band = {"x": charts.number("from"), "x2": {"field": "to"}}
    zero = {"x": charts.number("zero")}
    points = each | {"x": difference, "tooltip": tooltip}
    ink = {"labelColor": widgets.ink(), "titleColor": widgets.ink(), "labelFontSize": 13}
    return {
        "config": {"axis": ink, "legend": ink, "view": {"stroke": None}},
        "description": " ".join(title),
        "layer": [
            charts.layer(
                "rect", [{"from": -margin, "to": margin}], band, color="#8a94a3", opacity=0.16
            ),
            charts.layer("rule", [{"zero": 0.0}], zero, strokeDash=[4, 4], color="#8a94a3"),
            charts.layer("rule", rows, each | {"x": low, "x2": {"field": "high"}}, strokeWidth=3),
            charts.layer("point", rows, points, filled=True, size=90, opacity=1),
            charts.layer("text", rows, figures, align="right", fontSize=_WIDE_ALONE),
        ],
    }
