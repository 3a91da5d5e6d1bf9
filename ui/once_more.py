"""After the proof: the winner trained once more, from everything."""

import streamlit as st

from search.evaluation.statistics.significance import PairedTest
from search.models.registry import named, to_be_used
from search.projects.project import Project
from training.refit_plan import plan_of
from ui import run_view, widgets
from ui.rendering import literal


def once_more(project: Project, test: PairedTest) -> None:
    """The button that trains a winner once more; what came of it, where that was done.

    :param test: the verdict of the page.
    """
    info = named(project, test.candidate)
    if test.verdict != "better" or info is None or info.kind == "generic":
        return
    run = run_view.latest(project, ["train"], ["--refit", info.name])
    if run_view.watched(run):
        return
    used = to_be_used(project, info)
    if used != info:
        st.caption(
            f":material/model_training: {literal(widgets.model_title(used.name))} is "
            f"{literal(widgets.model_title(info.name))}, trained once more from all pairs, test and dev included. It is what "
            "*Export* and a search take; nothing here can measure it."
        )
        return
    run_view.ended(run, quiet=["done"])
    if not plan_of(project.artifact("models", info.id).details):
        return  # It learned from documents alone, or before its steps were noted.
    left, right = st.columns([1, 3], vertical_alignment="center")
    if left.button("Train once more, from everything", key="refit", width="stretch"):
        run_view.start(project, ["train", project.name, "--refit", info.name])
    right.caption(
        "It is proved, so the held-out questions may teach as well: the same recipe, the same steps, all pairs. The new model "
        "cannot be measured here; this verdict stands for its recipe."
    )
