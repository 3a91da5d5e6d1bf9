"""A verdict that was reached in eight bits, measured again in full precision by one button."""

import streamlit as st

from search.models.registry import FAST, named, precision_of
from search.projects.project import Project
from search.retrieval.columns import parse_column
from ui import run_view

COMMAND = "full"


def button(project: Project, candidate: str) -> None:
    """Offer to measure a candidate in full, where it is an adapter in eight bits."""
    name = parse_column(candidate).model
    info = None if name is None else named(project, name)
    if info is None or info.kind != "custom" or precision_of(project, info) != FAST:
        return
    if st.button(
        "Measure again in full precision",
        icon=":material/verified:",
        key="measure-in-full",
        help="This was measured in the fast class. The same adapter is put on the model in full, and both answer again.",
    ):
        run_view.start(project, [COMMAND, project.name, info.name])
