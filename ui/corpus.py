"""Documents: what is in your corpus, and what are the pairs that a model may learn from?"""

import streamlit as st

from ui import (
    corpus_documents,
    corpus_pairs,
    corpus_report,
    deleting,
    reading,
    run_view,
    steps,
    widgets,
)

_VERBS = ("add", "remove", "cut", "pairs", "import", "sample")


def page() -> None:
    """Draw the page."""
    project = widgets.heading("What is in your corpus?")
    if project is None:
        return
    deleting.say_what_went()
    run = run_view.latest(project, _VERBS)
    if run_view.going(run):
        st.session_state["corpus-run"] = run.id
    if run_view.watched(run):
        return
    if run is not None and (
        st.session_state.get("corpus-run") == run.id or run.status.state != "done"
    ):
        run_view.said_aside(run)
    steps.strip(project, "corpus")
    corpus, pairs = project.newest("corpora"), project.newest("pairs")
    if corpus is None:
        st.write("Start with your documents: what should be searched?")
    documents, taught, report, versions = st.tabs(
        ["Documents", "Pairs", "What they are like", "Versions"],
        default="Pairs" if reading.opened(project) == corpus_pairs.WHAT else "Documents",
        key=f"corpus-tabs-{project.name}",
    )
    with documents:
        corpus_documents.tab(project, corpus)
    with taught:
        corpus_pairs.tab(project, pairs)
    with report:
        corpus_report.draw(project)
    with versions:
        corpus_documents.versions(project)
