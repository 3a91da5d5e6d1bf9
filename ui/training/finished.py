"""A training that is over: the gain first, what was forgotten, and the one way on; the form returns when asked for."""

import streamlit as st

from search.models.registry import ModelInfo, models
from search.projects.project import Project
from search.projects.runs import Run
from training.gain import FORGOT, TrainingGain
from training.recipes import RECIPES
from ui import navigation, run_view, training_run, widgets
from ui.rendering import literal, render


def is_to_show(project: Project, run: Run) -> bool:
    """Whether a training's result stands in place of the form: it is done, no visit before said so, nobody asked for the form."""
    done = run.verb == "train" and run.status.state == "done"
    asked = st.session_state.get(_asked(project)) == run.id
    return done and not asked and not run_view.was_said(run)


def draw(project: Project, run: Run) -> None:
    """Draw the result, with the way to the proof and back to the form."""
    identity = run.status.result.get("id")
    info = next((info for info in models(project) if info.id == identity), None)
    if info is None:
        run_view.ended(run)
    else:
        _result(project, run, info)
    with st.container(horizontal=True, vertical_alignment="center", key="result-acts"):
        navigation.step("See the proof", "evaluate", "to-evaluate")
        if st.button("Compare searches", key="to-compare", type="tertiary"):
            navigation.go("compare")
        if st.button("Train another model", key="train-more", type="tertiary"):
            st.session_state[_asked(project)] = run.id
            st.rerun()
    with st.expander("More about this training"):
        for note in run.status.notes if info is not None else ():
            st.caption(literal(note))
        training_run.draw(run)
        run_view.command(run)


def _asked(project: Project) -> str:
    return f"train-again-{project.name}"


def _result(project: Project, run: Run, info: ModelInfo) -> None:
    manifest = project.artifact("models", info.id)
    recipe = RECIPES[info.recipe or ""]
    gain = TrainingGain.of(manifest, recipe.needs_pairs)
    own = f"{recipe.title}, trained in {widgets.duration(manifest.details['seconds'])}"
    with st.container(key="training-result"):
        st.html(
            render(
                "trained.html",
                name=info.name,
                gain=gain,
                is_start=info.is_start,
                questions=widgets.counted(gain.queries, "question"),
                own=own,
            )
        )
    if gain.general is not None and gain.forgot > FORGOT:
        start, model = gain.general
        with st.container(border=True, horizontal=True, vertical_alignment="center", key="forgot"):
            st.markdown(
                f":material/warning: It forgot some of what its start knew: {start:.2f} before, {model:.2f} now on a hundred "
                "general questions. Going only a part of the way often keeps most of the gain.",
                width="stretch",
            )
            if st.button("Blend with its start", key="to-blend"):
                navigation.go("models", blend=info.id)
