"""Corpus: what did you understand of my data?"""

import streamlit as st

from search.models.registry import custom_manifests
from ui import corpus_documents, corpus_pairs, corpus_queries, navigation, run_view, widgets

_VERBS = ("add", "pairs", "queries", "import", "sample")


def page() -> None:
    """Draw the page."""
    project = widgets.heading("What is in your corpus?")
    if project is None:
        return
    run = run_view.latest(project, _VERBS)
    if run_view.going(run):
        st.session_state["corpus-run"] = run.id
    if run_view.watched(run):
        return
    if run is not None and (
        st.session_state.get("corpus-run") == run.id or run.status.state != "done"
    ):
        run_view.ended(run)
    corpus, pairs, queries = (project.newest(k) for k in ("corpora", "pairs", "queries"))
    widgets.summary(
        _sentence(corpus is not None, pairs is not None, queries is not None),
        [
            (f"{corpus.details['documents'] if corpus else 0:,}", "documents"),
            (f"{pairs.details['pairs'] if pairs else 0:,}", "pairs to train on"),
            (f"{queries.details['queries'] if queries else 0:,}", "test queries"),
        ],
    )
    corpus_documents.step(project)
    corpus_pairs.step(project)
    corpus_queries.step(project)
    if corpus is not None:
        if pairs is not None or custom_manifests(project):
            navigation.step("Train a model", "train", "to-train")
        else:
            navigation.step("Search it with the generic model", "compare", "to-compare")


def _sentence(corpus: bool, pairs: bool, queries: bool) -> str:
    if not corpus:
        return "Start with your documents: what should be searched?"
    if not pairs:
        return "Documents are in. Pairs of a query and its answer let a model learn from you."
    if not queries:
        return "Documents and pairs are in. A query set is missing, so nothing can be proved yet."
    return "Everything is here: documents to search, pairs to learn from, queries for the proof."
