"""Train: which model should I make, and how is it going?"""

import streamlit as st

from search.evaluation.query_sets.leakage import MINED, ORIGIN
from search.projects.artifacts import Manifest
from search.projects.project import Project
from training.advice.advise import quick_recommendation
from ui import address, cache, navigation, run_view, widgets
from ui.rendering import literal
from ui.training import advice, cards, curve, custom_models, finished, form, synthetic

_VERBS = ("train", advice.VERB, curve.VERB, synthetic.VERB)


@widgets.over_documents(
    "Which model should you make?", "Nothing to learn from yet", "Add documents first, then pairs."
)
def page(project: Project, _: Manifest) -> None:
    """Draw the page."""
    run = run_view.latest(project, _VERBS)
    if not run_view.watched(run):
        if run is not None and finished.is_to_show(project, run):
            finished.draw(project, run)
        else:
            if run is not None:
                run_view.ended(run, quiet=["done"])
            _choose(project)
    device = st.empty()
    device.caption("Device: looking for a graphics card …")
    custom_models.table(project)
    custom_models.nearest(project)
    # Last, because asking loads torch: the page is drawn and can be used meanwhile.
    device.caption(f"Device: {literal(cache.device())}, chosen by itself.")


def _choose(project: Project) -> None:
    """Three ways to train, and all else that can be chosen beneath them."""
    best = quick_recommendation(project)
    pairs = project.newest("pairs")
    if (small := cache.too_small(project)) is not None:
        widgets.empty("Too little to learn from yet", small)
        navigation.step("Add documents", "corpus", "small-to-corpus")
        with st.expander("Train all the same"):
            form.draw(project, best)
        return
    advice.say(best)
    cards.draw(project, best)
    if shown := cache.power_sentence(project):
        st.caption(literal(shown))
    with st.expander(
        "Expert: every recipe and its settings", expanded=address.value("recipe") is not None
    ):
        form.draw(project, best)
    advice.compared(project)
    if pairs is None:
        if st.button("Add questions for the proof", key="to-questions"):
            navigation.go("questions")
        with st.expander("Choose which pairs are made of the documents"):
            synthetic.offer(project, "train")
        return
    with st.expander("Would more pairs help?"):
        curve.draw(project)
    if pairs.details.get(ORIGIN) == MINED:
        with st.expander("Make pairs of the documents again, with other shares"):
            synthetic.offer(project, "again")
    else:
        with st.expander("Add questions written by a chat server"):
            synthetic.beside(project)
