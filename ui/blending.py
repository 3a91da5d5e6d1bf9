"""Between a custom model and its start: what lies on the way, and a slider that publishes it."""

import streamlit as st

from search.models.registry import ModelInfo
from search.projects import runs
from search.projects.artifacts import Manifest
from search.projects.project import Project
from training.interpolation.publish import InterpolationCurve, curve_for
from training.weight_interpolation import InterpolationPoint
from ui import address, charts, run_view, widgets
from ui.rendering import literal

VERB = "blend"
_STEP = 5


def section(project: Project, info: ModelInfo, manifest: Manifest) -> None:
    """What a model could be between its start and all that it learned; nothing where there is no way to a start."""
    point = InterpolationPoint.of(manifest)
    if point is None or point.share == 0:
        return
    mine = [VERB, project.name, info.name]
    run = next((run for run in runs.runs(project) if run.arguments[:3] == mine), None)
    asked = f"blend-run-{info.id}"
    with st.expander(
        "Blend with its start",
        expanded=run_view.going(run)
        or asked in st.session_state
        or address.value("blend") == info.id,
    ):
        if run_view.watched(run):
            return
        if run is not None and st.session_state.get(asked) == run.id:
            run_view.ended(run)
        curve = curve_for(project, manifest)
        if curve is None:
            st.write(
                "Going only part of the way from the start to what was learned often keeps most of the gain and forgets "
                "less. Measured are models along the way, on the dev queries and on general questions."
            )
            if st.button("Measure the way", key=f"way-{info.id}"):
                _start(project, info, [], asked)
            return
        _curve(project, info, point, curve, asked)


def _curve(
    project: Project,
    info: ModelInfo,
    point: InterpolationPoint,
    curve: InterpolationCurve,
    asked: str,
) -> None:
    st.write(literal(curve.sentence))
    shown = curve.best or point.share
    share = st.slider(
        f"How much of the way from {literal(point.start)}",
        0,
        100,
        round(100 * shown / _STEP) * _STEP,
        _STEP,
        format="%d%%",
        key=f"share-{info.id}",
    )
    st.vega_lite_chart(charts.local_only(chart(curve, share / 100)), width="stretch")
    dev, general, measured = curve.at(share / 100)
    about = "" if measured else "about "
    queries = widgets.counted(curve.queries, "dev query", "dev queries")
    st.write(
        f"At {share}%: {about}{dev:.3f} nDCG@10 on {queries} ({dev - curve.dev[0]:+.3f} against the start), "
        f"{about}{general:.3f} on general questions ({general - curve.general[0]:+.3f})."
    )
    if abs(share / 100 - point.share) < 1e-9:
        st.caption(f"That is what {literal(info.name)} is already.")
    elif dev <= curve.dev[0]:
        st.caption("That is not better than the start, so what is published would be the start.")
    with st.form(f"blend-{info.id}", border=False):
        name = st.text_input(
            "Name of the new model",
            placeholder=f"{info.name}-blend (numbered when taken)",
            max_chars=80,
        )
        go = st.form_submit_button("Publish this blend", icon=":material/tune:")
    if go:
        arguments = ["--share", f"{share / 100:g}"]
        _start(project, info, arguments + (["--name", name.strip()] if name.strip() else []), asked)


def _start(project: Project, info: ModelInfo, arguments: list[str], asked: str) -> None:
    run_view.start(project, [VERB, project.name, info.name, *arguments], asked)


def chart(curve: InterpolationCurve, share: float) -> charts.Spec:
    """Both scores along the way, and where the slider stands."""
    kinds = {"dev queries": curve.dev, "general questions": curve.general}
    rows = [
        {"of the way": at, "nDCG@10": score, "measured on": kind}
        for kind, scores in kinds.items()
        for at, score in zip(curve.shares, scores, strict=True)
    ]
    x = charts.number("of the way", axis={"format": "%", "grid": False}, title="of the way")
    colours = {"domain": list(kinds), "range": [charts.TEAL, charts.SLATE]}
    legend = {"orient": "bottom", "title": None}
    tooltip = [
        charts.number("of the way", format=".0%"),
        charts.name("measured on"),
        charts.number("nDCG@10", format=".3f"),
    ]
    lines = {
        "x": x,
        "y": charts.score("nDCG@10"),
        "color": charts.name("measured on", scale=colours, legend=legend),
        "tooltip": tooltip,
    }
    here = {"color": widgets.ink(), "strokeDash": [4, 4]}
    return {
        "height": 220,
        "layer": [
            charts.layer("line", rows, lines, point=True),
            charts.layer("rule", [{"of the way": share}], {"x": x}, **here),
        ],
    }
