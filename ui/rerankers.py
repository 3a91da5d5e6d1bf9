"""Rerankers of a project: models that read a question and each of its best answers together, as a further column."""

import streamlit as st

from search.models.cross_encoders import DEPTH, RerankerInfo, remove_reranker, rerankers
from search.projects.project import Project
from search.projects.settings import LIMITS
from ui import run_view, widgets


def section(project: Project) -> None:
    """The rerankers, and the form that adds one."""
    st.subheader("Rerankers", anchor=False)
    st.write(
        "A reranker reads the question and each of the best answers of a column side by side: slower, and often "
        "better at the top. Each makes further columns for Compare and Evaluate."
    )
    for info in rerankers(project):
        _card(project, info)
    run = run_view.latest(project, ["add-reranker"])
    if run_view.watched(run):
        return
    run_view.ended(run)
    with st.expander("Add a reranker"):
        _form(project)


def _card(project: Project, info: RerankerInfo) -> None:
    with st.container(border=True, key=f"reranker-{info.id}"):
        left, right = st.columns([3, 1], vertical_alignment="center")
        with left:
            st.markdown(f"**{widgets.literal(info.name)}**")
            st.caption(
                widgets.literal(f"{info.reference} · reads the best {info.depth:,} documents again")
            )
        right.button(
            "Remove",
            key=f"remove-{info.id}",
            width="stretch",
            on_click=remove_reranker,
            args=(project, info.name),
            help="Its files stay where they are.",
        )


def _form(project: Project) -> None:
    left, middle, right = st.columns([3, 2, 1])
    reference = left.text_input(
        "A folder here, or its name on a model hub",
        placeholder="cross-encoder/ms-marco-MiniLM-L6-v2",
        key="reranker-reference",
    ).strip()
    name = middle.text_input(
        "What to call it here", placeholder="careful reader", key="reranker-name"
    ).strip()
    depth = right.number_input(
        "Reads so many", 1, LIMITS.max_hits, DEPTH, step=10, key="reranker-depth"
    )
    st.caption(
        "Any cross-encoder with one score and .safetensors weights. From a hub it is downloaded once; from then on "
        "it needs no network."
    )
    if st.button("Add", key="reranker-add", type="primary", icon=":material/add:"):
        if not reference or not name:
            st.error("Say which reranker, and what to call it.")
            return
        arguments = ["add-reranker", project.name, reference, "--name", name]
        run_view.start(project, [*arguments, "--depth", str(depth)])
