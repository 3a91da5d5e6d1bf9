"""Judge: which answers are better, when nobody knows who gave them?"""

from contextlib import suppress

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from search.corpus.corpus import Corpus
from search.judging.sample import current_sample
from search.judging.setup import saved_setup
from search.projects.artifacts import Manifest
from search.projects.errors import BespokeError
from search.projects.project import Project
from ui import address, door, widgets
from ui.judging import board, outcome, sampling, start, using

_PARTS = {
    "judge": "Judge",
    "sample": "Grade a sample",
    "results": "Results",
    "use": "Use the judgments",
}


@widgets.over_documents(
    "Which answers are better?",
    "Nothing to judge yet",
    "Add documents first; then come back and judge.",
)
def page(project: Project, manifest: Manifest) -> None:
    """Draw the page."""
    left, right = st.columns([1.1, 1], vertical_alignment="center")
    with left:
        part = _part(project)
    if part == "results":
        outcome.results(project, manifest)
    elif part == "use":
        using.use(project)
    elif part == "sample":
        _sample(project, manifest)
    else:
        _judge(project, manifest, right)


def _judge(project: Project, manifest: Manifest, beside: DeltaGenerator) -> None:
    setup = saved_setup(project)
    judge = _judge_name(project)
    if door.role(project) == "judge" and (
        setup is None or not start.ready(project, setup, manifest)
    ):
        widgets.empty(
            "Nothing is lined up yet",
            "A member of this project chooses what is compared. Come back when they tell you.",
        )
        return
    handed = start.handed_over(project, setup)
    if handed is not None:
        start.begin(project, handed, judge, instead_of=setup)
        return
    if setup is None or judge is None or not start.ready(project, setup, manifest):
        start.begin(project, setup, judge)
        return
    with beside:
        start.tools(project, setup, judge)
    board.board(project, setup, manifest, Corpus.of(project, manifest), judge)


def _sample(project: Project, manifest: Manifest) -> None:
    judge = _judge_name(project)
    if judge is None:
        st.markdown(
            "You see a question and one document at a time, not who found it. One key a document."
        )
        name = st.text_input(
            "Your name", key="judge-name-input", placeholder="A first name will do"
        )
        pressed = st.button("Start grading", type="primary", key="sample-start")
        if name:  # Enter is enough.
            start.be(project, name)
            st.rerun()
        elif pressed:
            st.warning("Say who you are: a first name will do.")
        return
    sampling.grade_sample(project, Corpus.of(project, manifest), judge)


def _part(project: Project) -> str:
    """Which part of the page is shown; another part of the page may have turned to it. Judges see what is to be judged."""
    parts = list(_PARTS)
    sample = current_sample(project)
    if sample is None:
        parts.remove("sample")
    if door.role(project) == "judge":
        parts = [part for part in parts if part in ("judge", "sample")]
    if parts == ["judge"]:
        return "judge"
    key = f"judge-part-{project.name}"
    if turn := st.session_state.pop("judge-turn", None):
        st.session_state[key] = turn
    st.session_state.setdefault(key, "judge")
    titles = _PARTS | ({"sample": "Grade answers"} if sample and sample.pooled else {})
    part = st.segmented_control(
        "Part",
        parts,
        format_func=titles.__getitem__,
        required=True,
        key=key,
        label_visibility="collapsed",
    )
    return part or "judge"


def _judge_name(project: Project) -> str | None:
    """Who judges: whoever is signed in; else from this session or the address, so that a reload asks nobody again."""
    if here := door.signed_in_as():
        return start.be(project, here)
    said = st.session_state.get("judge-name") or address.value("judge")
    if not said:
        return None
    with suppress(BespokeError):
        return start.be(project, str(said))
    return None
