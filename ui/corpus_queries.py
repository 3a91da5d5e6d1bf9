"""The third step of the Corpus page: the query set, by which models are compared."""

import streamlit as st

from search.projects.artifacts import Manifest
from search.projects.project import Project
from ui import cache, reading, uploads, widgets

_ROWS = 50
_QUERIES = [
    "jsonl", "ndjson", "json", "csv", "tsv", "xlsx", "parquet", "txt", "xml", "topics", "gz",
]  # fmt: skip
_QRELS = ["tsv", "txt", "qrels", "csv", "gz"]


def step(project: Project) -> None:
    """Draw the step."""
    manifest = project.newest("queries")
    with st.container(border=True):
        st.subheader("3 · Query set: the proof", anchor=False)
        if manifest is not None:
            query_set = cache.query_set(project, manifest)
            rows = [
                {"query": text, "relevant documents": ", ".join(query_set.relevant(query))}
                for query, text in list(query_set.queries.items())[:_ROWS]
            ]
            widgets.dataframe(rows, height=220)
            st.caption(
                f"The first {len(rows)} of {len(query_set.queries):,} test queries, from "
                f"{manifest.details.get('source', 'an upload')}. No model is trained on them."
            )
            _leaks(project, manifest)
        else:
            st.caption(
                "Queries whose right answers are known. Pairs bring one along; or upload your own "
                "judgments."
            )
        if project.newest("corpora") is not None:
            with st.expander("Upload judgments"):
                _upload(project)


def _leaks(project: Project, manifest: Manifest) -> None:
    """Whether the proof is clean: what stands in the training pairs, too."""
    pairs, corpus = project.newest("pairs"), project.newest("corpora")
    if pairs is None or corpus is None:
        return
    check = cache.leaks(project, manifest, pairs, corpus)
    if check.note is None:
        st.caption(
            ":material/check: Leak check: none of these queries, and none of their answers, stands in the "
            "training pairs, too; near-duplicates included."
        )
        return
    st.warning(check.note[0].upper() + check.note[1:] + ".", icon=":material/water_drop:")
    with st.expander("What is on both sides"):
        if check.query_examples:
            queries = [(test, trained) for _, test, trained in check.query_examples]
            widgets.dataframe(queries, ["test query", "training query"])
        if check.document_examples:
            widgets.dataframe(check.document_examples, ["document", "training pairs"])


def _upload(project: Project) -> None:
    left, right = st.columns(2)
    queries = left.file_uploader(
        "Queries with an id and a text (BEIR, TREC topics), or a table of query, document id and grade",
        type=_QUERIES,
        key=uploads.box(project, "queries"),
    )
    qrels = right.file_uploader(
        "Judgments (qrels): query id, document id, grade; not needed where the table holds them",
        type=_QRELS,
        key=uploads.box(project, "qrels"),
    )
    if queries is None:
        return
    arguments = ["queries", project.name, str(uploads.saved(project, queries))]
    if qrels is not None:
        arguments += ["--qrels", str(uploads.saved(project, qrels))]
    if st.button("Use these queries for the proof", type="primary", key="add-queries"):
        reading.start(project, arguments)
