"""The counter of questions: how many have a right answer, and how many more it takes."""

import streamlit as st

from search.judging.counter import QuestionCount
from ui.rendering import literal


def line(count: QuestionCount) -> None:
    """Draw the counter as a bar with its words."""
    st.progress(
        min(1.0, count.judged / count.aim),
        text=f"**{literal(count.short)}** questions have a right answer. {literal(count.more)}",
    )
