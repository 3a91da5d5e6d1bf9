"""The learning curve: what more pairs would bring."""

import streamlit as st

from search.projects.project import Project
from training.learning_curve import Curve, current_curve
from ui import charts, run_view
from ui.rendering import literal

VERB = "curve"


def draw(project: Project) -> None:
    """The curve where it was drawn, else the button that draws it."""
    saved = current_curve(project)
    if saved is not None:
        st.write(literal(saved.sentence))
        st.vega_lite_chart(charts.local_only(chart(saved)), width="stretch")
        st.caption(
            f"An adapter, trained on {', '.join(f'{size:,}' for size in saved.sizes)} pairs with {literal(saved.seeds)} seeds "
            f"each; dev score (nDCG@10) on {saved.queries:,} queries with 95% intervals, and the expected course. "
            f"The untrained start has {saved.start:.3f}."
        )
    else:
        st.caption(
            "Trains an adapter on a tenth, three tenths and all of your pairs, three times each."
        )
    if st.button("Draw the learning curve" if saved is None else "Draw it again", key="curve"):
        run_view.start(project, [VERB, project.name])


def chart(curve: Curve) -> charts.Spec:
    """Measured scores with their intervals, and the course that is expected."""
    numbers = (curve.sizes, curve.means, curve.low, curve.high)
    measured = [
        {"pairs": size, "nDCG@10": mean, "low": low, "high": high}
        for size, mean, low, high in zip(*numbers, strict=True)
    ]
    course = [{"pairs": size, "nDCG@10": score} for size, score in curve.expected]
    axis = {"format": ",d", "grid": False, "title": "pairs to train on"}
    x, y = charts.number("pairs", axis=axis), charts.score("nDCG@10")
    interval = {"x": x, "y": charts.score("low", title="nDCG@10"), "y2": {"field": "high"}}
    tooltip = [charts.number("pairs"), charts.number("nDCG@10", format=".3f")]
    points = {"x": x, "y": y, "tooltip": tooltip}
    return {
        "height": 240,
        "layer": [
            charts.layer("line", course, {"x": x, "y": y}, color=charts.SLATE, strokeDash=[4, 4]),
            charts.layer("rule", measured, interval, color=charts.TEAL, strokeWidth=2),
            charts.layer("point", measured, points, color=charts.TEAL, filled=True, size=70),
        ],
    }
