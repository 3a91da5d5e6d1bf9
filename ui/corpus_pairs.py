"""The second step of the Corpus page: pairs of a query and its answer."""

from pathlib import Path

import streamlit as st

from search.corpus.readers.pairs import PairColumns, preview_pairs
from search.projects.project import Project
from ui import cache, corpus_report, reading, uploads, widgets

_ROWS = 50
_TYPES = ["json", "jsonl", "ndjson", "csv", "tsv", "xlsx", "parquet", "gz"]
_ROLES = {"query": False, "response": True, "document": True, "negative": True}


def step(project: Project) -> None:
    """Draw the step."""
    manifest = project.newest("pairs")
    with st.container(border=True):
        st.subheader("2 · Pairs of a query and its answer", anchor=False)
        if manifest is not None:
            pairs = cache.pair_set(project, manifest).pairs
            rows = [{"query": p.query, "response": p.response} for p in pairs[:_ROWS]]
            widgets.dataframe(rows, height=220)
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
                type=_TYPES,
                key=uploads.box(project, "pairs"),
            )
            if upload is not None:
                _preview(project, uploads.saved(project, upload), has_corpus)


def _preview(project: Project, path: Path, has_corpus: bool) -> None:
    chosen = PairColumns(**{role: reading.chosen_column(path, role) for role in _ROLES})
    read = reading.preview(
        path,
        _ROLES,
        lambda encoding, sign: preview_pairs(path, chosen, encoding=encoding, delimiter=sign),
    )
    if read is None:
        return
    first, report = read
    reading.understood(path, report, "pair")
    reading.choose_columns(path, report.columns, report.roles, _ROLES)
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
    count = widgets.counted(report.accepted, "pair")
    if st.button(f"Add {count}", type="primary", key="add-pairs"):
        options = reading.column_options(path, report, list(_ROLES)) + reading.options(path)
        options += ["--add-responses"] if extend else []
        reading.start(project, ["pairs", project.name, str(path), *options])
