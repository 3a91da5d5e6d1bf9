"""The pairs of a project: a table of them, what became of each that came, and the drawer that adds more."""

from pathlib import Path

import streamlit as st

from search.corpus.isolated.door import preview_pairs
from search.corpus.readers.pairs import PairColumns
from search.projects.artifacts import Manifest
from search.projects.project import Project
from search.text.spreadsheet_cells import csv_text
from training.data.pair_sets import PairSet
from ui import cache, deleting, reading, uploads, widgets
from ui.question_choice import question_options
from ui.rendering import literal

WHAT = "pairs"
"""What its drawer adds, as addresses have it."""
_ROWS = 1_000
_TYPES = ["json", "jsonl", "ndjson", "csv", "tsv", "xlsx", "parquet", "gz"]
_ROLES = {"query": False, "response": True, "document": True, "negative": True, "label": True}
_TEMPLATE = csv_text(
    ("query", "response"),
    [
        ("How long do I have to give back what I bought?", "You may return an item within 30 days of its delivery ..."),
        ("can i get a refund", "You may return an item within 30 days of its delivery ..."),
    ],
)  # fmt: skip


def tab(project: Project, manifest: Manifest | None) -> None:
    """Draw the tab."""
    has_corpus = project.newest("corpora") is not None
    if manifest is None:
        st.write(
            "A pair is what somebody asked and the text that answers it. A model learns from these; a part is kept aside for "
            "the proof."
        )
    bar = st.container(horizontal=True, vertical_alignment="bottom")
    if manifest is not None:
        with bar:
            words = st.text_input(
                "Search the pairs",
                placeholder="Search the pairs",
                label_visibility="collapsed",
                key=f"find-pairs-{project.name}",
            )
    with bar:
        is_open = reading.drawer_button(project, WHAT, "Add pairs", manifest is None)
    if is_open:
        with st.container(border=True, key="box-pairs"):
            _add(project, has_corpus)
    if manifest is None:
        return
    pairs = cache.pair_set(project, manifest)
    _table(project, manifest, pairs, words.strip().casefold())
    reading.refusals_of([manifest.details.get("file") or {}], [])


def _table(project: Project, manifest: Manifest, pairs: PairSet, words: str) -> None:
    found = [
        p
        for p in pairs.pairs
        if not words or words in p.query.casefold() or words in p.response.casefold()
    ]
    rows = [{"query": p.query, "response": p.response} for p in found[:_ROWS]]
    if rows:
        widgets.dataframe(rows, height=widgets.full_height(len(rows)))
    else:
        st.caption("No pair has that.")
    with deleting.beside(project, manifest, "these pairs"):
        shown = f"{len(rows):,} of " if len(rows) < len(pairs.pairs) else ""
        st.caption(literal(f"{shown}{in_words(pairs)}"))


def in_words(pairs: PairSet) -> str:
    """How many pairs there are, and what each of them is for."""
    total = len(pairs.pairs)
    if not pairs.dev.queries:
        return f"{widgets.counted(total, 'pair')} to train on."
    aside = widgets.counted(len(pairs.dev.queries), "more question")
    held = widgets.counted(pairs.held_answers, "answer")
    return (
        f"{widgets.counted(total, 'pair')} to train on; {aside} ({held}) are kept aside to steer the training by: no model "
        "learns from them."
    )


def _add(project: Project, has_corpus: bool) -> None:
    upload = st.file_uploader(
        "A table or list with a query and its response in each row",
        type=_TYPES,
        key=uploads.box(project, "pairs"),
    )
    if upload is not None:
        _preview(project, uploads.saved(project, upload), has_corpus)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            "CSV, Excel, JSON or Parquet; columns of other names can be chosen.", width="stretch"
        )
        st.download_button(
            "A template to fill in",
            _TEMPLATE.encode("utf-8-sig"),
            file_name="pairs.csv",
            mime="text/csv",
            type="tertiary",
            icon=":material/download:",
            on_click="ignore",
            key="pairs-template",
        )


def _preview(project: Project, path: Path, has_corpus: bool) -> None:
    roles = {role: reading.chosen_column(path, role) for role in _ROLES}
    chosen = PairColumns(**roles, grades=reading.rules(path))
    read = reading.preview(
        path,
        _ROLES,
        lambda encoding, sign: preview_pairs(path, chosen, encoding=encoding, delimiter=sign),
    )
    if read is None:
        return
    first, report = read
    reading.understood(path, report, "pair")
    go = st.container()
    reading.choose_columns(path, report.columns, report.roles, _ROLES)
    reading.choose_meanings(path, list(report.meanings), report.meanings)
    total = report.accepted + report.refused_count
    reading.refused(report.refused, report.refused_count, total, f"pairs-{path}")
    rows = []
    for pair in first:
        row = {"query": pair.query, "response": pair.response}
        row |= {"document": pair.document} if pair.document else {}
        row |= {"negatives": " · ".join(pair.negatives)} if pair.negatives else {}
        rows.append(row)
    widgets.dataframe(rows, height=widgets.full_height(len(rows), 260))
    extend = False
    if has_corpus:
        extend = st.checkbox(
            "Add responses that are not in the corpus as new documents", key=f"extend-{path}"
        )
    is_split = project.newest("pairs") is None and project.newest("queries") is None
    asked = question_options(path) if is_split else []
    reading.how_to_read(path, report)
    count = widgets.counted(report.accepted, "pair")
    with go:
        pressed = st.button(f"Add {count}", type="primary", key="add-pairs")
    if pressed:
        options = reading.column_options(path, report, list(_ROLES)) + reading.options(path)
        options += ["--add-responses"] if extend else []
        options += ["--grades", said] if (said := reading.chosen_meanings(path)) else []
        reading.start(project, ["pairs", project.name, str(path), *options, *asked])
