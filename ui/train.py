"""Train: which model should I make, and how is it going?"""

import streamlit as st

from search.evaluation.query_sets.leakage import MINED, ORIGIN
from search.projects import runs
from search.projects.artifacts import Manifest
from search.projects.project import Project
from training.advice.advise import quick_recommendation
from ui import cache, navigation, run_view, widgets
from ui.rendering import literal
from ui.training import advice, curve, custom_models, form, synthetic

_VERBS = ("train", advice.VERB, curve.VERB, synthetic.VERB)


@widgets.over_documents(
    "Which model should you make?", "Nothing to learn from yet", "Add documents first, then pairs."
)
def page(project: Project, _: Manifest) -> None:
    """Draw the page."""
    run = run_view.latest(project, _VERBS)
    if not run_view.watched(run):
        if run is not None:
            _last(project, run)
        _choose(project)
    device = st.empty()
    device.caption("Device: looking for a graphics card …")
    custom_models.table(project)
    custom_models.nearest(project)
    # Last, because asking loads torch: the page is drawn and can be used meanwhile.
    device.caption(f"Device: {literal(cache.device())}, chosen by itself.")


def _last(project: Project, run: runs.Run) -> None:
    """How the last run ended; a training leads to the proof."""
    if run.verb != "train":
        run_view.ended(run, quiet=["done"])
        return
    run_view.ended(run)
    with st.expander("Its curve and its command"):
        run_view.curves(run)
        st.code(run.command, language="bash", wrap_lines=True)
    if run.status.state == "done":
        left, right, _ = st.columns([1, 1, 2])
        with left:
            navigation.step("See the proof", "evaluate", "to-evaluate")
        with right:
            if st.button("Compare searches", key="to-compare"):
                navigation.go("compare")


def _choose(project: Project) -> None:
    """What is recommended, where pairs come from, and the form."""
    best = quick_recommendation(project)
    pairs = project.newest("pairs")
    if (small := cache.too_small(project)) is not None:
        widgets.empty("Too little to learn from yet", small)
        navigation.step("Add documents", "corpus", "small-to-corpus")
        with st.expander("Train all the same"):
            form.draw(project, best)
        return
    advice.say(best)
    if shown := cache.power_sentence(project):
        st.caption(literal(shown))
    if pairs is None:
        synthetic.offer(project, "train")
        with st.container(horizontal=True):
            if st.button("Add pairs of your own", key="to-pairs"):
                navigation.go("corpus")
            if st.button("Add questions for the proof", key="to-questions"):
                navigation.go("questions")
        st.header("Or learn words from the documents alone", anchor=False)
    form.draw(project, best)
    advice.compared(project)
    if pairs is not None:
        curve.draw(project)
        if pairs.details.get(ORIGIN) == MINED:
            with st.expander("Mine again, with other shares"):
                synthetic.offer(project, "again")
        else:
            with st.expander("Add questions written by a chat server"):
                synthetic.beside(project)
