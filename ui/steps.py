"""The strip of steps: what a project has, from documents to a model, and the one button that leads on."""

import streamlit as st

from search.projects.project import Project
from ui import navigation, next_step
from ui.rendering import literal

_PAGES = ("corpus", "questions", "train")


def strip(project: Project, here: str) -> None:
    """Draw the way so far, each step a link to its page, with the next one as the page's filled button.

    :param here: the page that it stands on; where the next step is on that very page, the page itself draws it.
    """
    following = next_step.next_step(project)
    ready = [step for step in next_step.steps(project) if step.page in _PAGES]
    with st.container(key="steps", horizontal=True, vertical_alignment="center"):
        for number, step in enumerate(ready):
            if number:
                st.markdown(":material/arrow_forward:")
            label = f"**{literal(step.title)}** {literal(step.said)}".strip()
            if st.button(label, key=f"step-{step.page}", type="tertiary"):
                navigation.go(step.page, project.name)
        if following.page != here:
            navigation.step(following.label, following.page, "next-step", **following.parameters)
