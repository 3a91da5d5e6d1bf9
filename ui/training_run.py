"""A training as it goes on: where it is of four steps, and one chart of the score, with the start as a dashed line."""

import re
from collections.abc import Sequence
from typing import Any

import streamlit as st

from search.projects.runs import OVER, Run
from ui import charts, leaderboard
from ui.rendering import render

_STEPS = ("Reading", "Score of the start", "Training", "Choosing the best")
_READING = ("starting", "waiting", "keeping", "reading")
_LAST_EPOCH = re.compile(r"epoch (\d+) of \1\b")
_ENDING = 0.85


def step_of(message: str, share: float | None, scored: bool) -> int:
    """Which of the four steps a training is at.

    >>> step_of("keeping training and test apart", None, scored=False)
    0
    >>> step_of("epoch 3 of 20", 0.5, scored=True), step_of("epoch 20 of 20", 0.9, scored=True)
    (2, 3)

    :param message: what it says that it does.
    :param share: of all its work that is done.
    :param scored: whether it has measured its start.
    """
    if not scored:
        return 0 if message.startswith(_READING) else 1
    return 3 if (share or 0) >= _ENDING and _LAST_EPOCH.search(message) else 2


def draw(run: Run) -> None:
    """The steps while it goes on, the leaderboard where several ways are tried, and the chart."""
    events = run.events()
    status = run.status
    trials = leaderboard.trials_so_far(events)
    if status.state not in OVER:
        scored = bool(trials) or any("dev ndcg@10" in event["metrics"] for event in events)
        at = step_of(status.message, status.share, scored)
        st.html(render("training_steps.html", steps=_STEPS, at=at))
    if trials:
        leaderboard.draw(trials)
        events = leaderboard.events_since(events)
        if status.state in OVER:
            return
    scores = [e["metrics"] for e in events if "dev ndcg@10" in e["metrics"]]
    st.caption("Score on the questions kept aside (nDCG@10, higher is better); dashed: the start")
    if scores:
        st.vega_lite_chart(charts.local_only(chart(scores)), width="stretch")
    else:
        st.html(render("waiting_chart.html"))


def chart(scores: Sequence[dict[str, Any]]) -> charts.Spec:
    """The dev scores by epoch, and the first as a dashed line: it is the start's where training began with one."""
    rows = [{"epoch": e["epoch"], "score": e["dev ndcg@10"]} for e in scores]
    x = charts.number("epoch", axis={"tickMinStep": 1, "format": "d", "grid": False})
    y = charts.score("score", title=None)
    tooltip = [charts.number("epoch"), charts.number("score", format=".4f")]
    line = {"x": x, "y": y, "tooltip": tooltip}
    point = {"color": charts.TEAL}
    layers = [charts.layer("line", rows, line, color=charts.TEAL, point=point)]
    if rows[0]["epoch"] == 0:
        look = {"color": charts.SLATE, "strokeDash": [5, 4]}
        layers.insert(0, charts.layer("rule", rows[:1], {"y": y}, **look))
    return {"height": 220, "layer": layers}
