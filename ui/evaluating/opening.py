"""Opening what is sealed of the query set: once, for one model, chosen before anybody sees a figure."""

import streamlit as st

from search.evaluation.ledger.sealing import sealed_in
from search.evaluation.query_sets.query_set import newest_query_set
from search.evaluation.query_sets.seal import seals
from search.evaluation.statistics.family import is_candidate
from search.models.registry import default_models
from search.projects.project import Project
from search.retrieval.columns import known_columns
from ui import run_view, widgets
from ui.rendering import literal


def opening(project: Project) -> None:
    """Offer to open the seal, where there is one and a model that it can be opened for."""
    closed = next((seal for seal in seals(project) if seal.closed), None)
    if closed is None:
        return
    count = sealed_in(project, newest_query_set(project), closed)
    options = {
        column.name: column.title
        for column in known_columns(project)
        if is_candidate(column.name, project)
    }
    if not count or not options:
        return
    newest = default_models(project)[-1].name
    queries = widgets.counted(count, "query", "queries")
    with st.expander(f"Open the sealed part: {queries}, for one model"):
        st.markdown(
            literal(
                f"{queries} of the query set {'is' if count == 1 else 'are'} sealed since {closed.time[:10]}. One model is "
                "measured on them against the best ready-made one, with no other candidate to be counted. It works once: "
                "afterwards they are ordinary queries."
            )
        )
        name = st.selectbox(
            "The model that they are opened for",
            options,
            index=list(options).index(newest) if newest in options else 0,
            format_func=options.__getitem__,
            key=f"unseal-{project.name}-{hash(tuple(options))}",
        )
        sure = st.checkbox("I have chosen this model, and will not choose again", key="unseal-sure")
        if st.button("Open it", type="primary", disabled=not sure, key="unseal"):
            run_view.start(project, ["evaluate", project.name, "--open-seal", "--model", name])
