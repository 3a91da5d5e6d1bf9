"""What nobody judged: whether the verdict stays where some of it is relevant after all."""

import streamlit as st

from search.evaluation.evaluation import Evaluation
from search.evaluation.labels.other_side import OtherSide
from search.evaluation.statistics.significance import PairedTest
from search.judging.sample import line_up_sample
from search.projects.project import Project
from ui import navigation
from ui.rendering import literal


def unjudged(result: Evaluation, main: PairedTest) -> None:
    """Whether the verdict stays where unjudged documents count."""
    side = _other_side(result, main)
    if side is None or not side.sentence:
        return
    if side.settled is False:
        st.warning(literal(side.sentence), icon=":material/balance:")
    else:
        st.caption(literal(side.sentence))


def grade_button(project: Project, result: Evaluation, main: PairedTest) -> None:
    """What people can do about what nobody judged."""
    side = _other_side(result, main)
    if side is not None and side.sentence and side.to_grade and st.button(
        f"Grade {len(side.to_grade)} documents", key="line-up-sample", icon=":material/rule:",
        help="A random sample of what nobody judged, blind: one question and one document at a time, on the page Judge. Then "
        "measure again.",
    ):  # fmt: skip
        line_up_sample(project, [side.baseline, side.candidate])
        st.session_state["judge-turn"] = "sample"
        navigation.go("judge")


def _other_side(result: Evaluation, main: PairedTest) -> OtherSide | None:
    pair = (main.baseline, main.candidate)
    return next((s for s in result.unjudged if (s.baseline, s.candidate) == pair), None)
