"""The learning curve: what more pairs would bring."""

import altair as alt
import pandas as pd
import streamlit as st

from search.projects import runs
from search.projects.project import Project
from training.learning_curve import Curve, current_curve

VERB = "curve"
_TEAL, _SLATE = "#0f9488", "#6b7a90"


def draw(project: Project) -> None:
    """The curve where it was drawn, else the button that draws it."""
    st.subheader("Would more pairs help?", anchor=False)
    found = current_curve(project)
    if found is not None:
        st.write(found.sentence)
        st.altair_chart(chart(found), width="stretch")
        st.caption(
            f"An adapter, trained on {', '.join(f'{size:,}' for size in found.sizes)} pairs with {found.seeds} seeds "
            f"each; dev score (nDCG@10) on {found.queries:,} queries with 95% intervals, and the expected course. "
            f"The untrained start has {found.start:.3f}."
        )
    else:
        st.caption(
            "Trains an adapter on a tenth, three tenths and all of your pairs, three times each."
        )
    if st.button("Draw the learning curve" if found is None else "Draw it again", key="curve"):
        runs.start(project, [VERB, project.name])
        st.rerun()


def chart(curve: Curve) -> alt.LayerChart:
    """Measured scores with their intervals, and the course that is expected."""
    measured = pd.DataFrame(
        {"pairs": curve.sizes, "nDCG@10": curve.means, "low": curve.low, "high": curve.high}
    )
    course = pd.DataFrame(curve.expected, columns=["pairs", "nDCG@10"])
    x = alt.X("pairs:Q", axis=alt.Axis(format=",d", grid=False, title="pairs to train on"))
    y = alt.Y("nDCG@10:Q", scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=4, format=".2f"))
    line = alt.Chart(course).mark_line(color=_SLATE, strokeDash=[4, 4]).encode(x=x, y=y)
    bars = (
        alt.Chart(measured)
        .mark_rule(color=_TEAL, strokeWidth=2)
        .encode(x=x, y=alt.Y("low:Q", scale=alt.Scale(zero=False), title="nDCG@10"), y2="high:Q")
    )
    points = (
        alt.Chart(measured)
        .mark_point(color=_TEAL, filled=True, size=70)
        .encode(x=x, y=y, tooltip=["pairs", alt.Tooltip("nDCG@10", format=".3f")])
    )
    drawn: alt.LayerChart = (line + bars + points).properties(height=240)
    return drawn
