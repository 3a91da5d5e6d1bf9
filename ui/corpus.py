"""Corpus: what did you understand of my data?"""

from pathlib import Path

import streamlit as st

from search.corpus.isolated.door import preview_pairs
from search.corpus.readers.pairs import PairColumns
from search.models.registry import custom_manifests
from search.projects.project import Project
from ui import (
    cache,
    corpus_documents,
    corpus_queries,
    corpus_report,
    deleting,
    navigation,
    reading,
    run_view,
    uploads,
    widgets,
)
from ui.question_choice import question_options

_VERBS = ("add", "pairs", "queries", "import", "sample")
_ROWS = 50
_PAIR_TYPES = ["json", "jsonl", "ndjson", "csv", "tsv", "xlsx", "parquet", "gz"]
_PAIR_ROLES = {"query": False, "response": True, "document": True, "negative": True, "label": True}


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
    _pairs_step(project)
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


def _pairs_step(project: Project) -> None:
    """The second step: pairs of a query and its answer."""
    manifest = project.newest("pairs")
    with st.container(border=True):
        st.header("2 · Pairs of a query and its answer", anchor=False)
        if manifest is not None:
            pairs = cache.pair_set(project, manifest).pairs
            rows = [{"query": p.query, "response": p.response} for p in pairs[:_ROWS]]
            widgets.dataframe(rows, height=220)
            with deleting.beside(project, manifest, "these pairs"):
                st.caption(
                    f"The first {len(rows)} of {len(pairs):,} pairs to train on. "
                    f"{manifest.details['dev_queries']:,} more queries are held out to steer training."
                )
            reading.refusals_of([manifest.details.get("file") or {}], [])
            with st.expander("What the pairs are like"):
                corpus_report.draw_pairs(project)
        else:
            st.caption(
                "What people ask, and the text that answers it. A model learns from these; a fifth is "
                "held out, so that the proof is on questions it never saw."
            )
        has_corpus = project.newest("corpora") is not None
        with st.expander("Add pairs", expanded=manifest is None and has_corpus):
            upload = st.file_uploader(
                'A JSON list [{"query": "...", "response": "..."}], JSONL, CSV, TSV, Excel or Parquet',
                type=_PAIR_TYPES,
                key=uploads.box(project, "pairs"),
            )
            if upload is not None:
                _preview_pairs(project, uploads.saved(project, upload), has_corpus)


def _preview_pairs(project: Project, path: Path, has_corpus: bool) -> None:
    roles = {role: reading.chosen_column(path, role) for role in _PAIR_ROLES}
    chosen = PairColumns(**roles, grades=reading.rules(path))
    read = reading.preview(
        path,
        _PAIR_ROLES,
        lambda encoding, sign: preview_pairs(path, chosen, encoding=encoding, delimiter=sign),
    )
    if read is None:
        return
    first, report = read
    reading.understood(path, report, "pair")
    reading.choose_columns(path, report.columns, report.roles, _PAIR_ROLES)
    reading.choose_meanings(path, list(report.meanings), report.meanings)
    reading.how_to_read(path, report)
    rows = []
    for pair in first:
        row = {"query": pair.query, "response": pair.response}
        row |= {"document": pair.document} if pair.document else {}
        row |= {"negatives": " · ".join(pair.negatives)} if pair.negatives else {}
        rows.append(row)
    widgets.dataframe(rows)
    reading.refused(report.refused, report.refused_count, f"pairs-{path}")
    extend = False
    if has_corpus:
        extend = st.checkbox(
            "Add responses that are not in the corpus as new documents", key=f"extend-{path}"
        )
    is_split = project.newest("pairs") is None and project.newest("queries") is None
    asked = question_options(path) if is_split else []
    count = widgets.counted(report.accepted, "pair")
    if st.button(f"Add {count}", type="primary", key="add-pairs"):
        options = reading.column_options(path, report, list(_PAIR_ROLES)) + reading.options(path)
        options += ["--add-responses"] if extend else []
        options += ["--grades", said] if (said := reading.chosen_meanings(path)) else []
        reading.start(project, ["pairs", project.name, str(path), *options, *asked])
