"""Corpus: what did you understand of my data?"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from search import runs
from search.documents import Document
from search.errors import BespokeError
from search.readers.documents import DocumentColumns, preview_documents
from search.readers.pairs import PairColumns, preview_pairs
from search.readers.report import Report
from search.readers.tables import open_report, read_rows
from search.workspace import Project
from ui import loaders, navigation, run_view, uploads, widgets

_ROWS = 50
_VERBS = ("add", "pairs", "queries", "import", "sample")


def page() -> None:
    """Draw the page."""
    project = widgets.heading("What is in your corpus?")
    if project is None:
        return
    run = run_view.latest(project, _VERBS)
    if run is not None and run.status.state not in runs.OVER:
        st.session_state["corpus-run"] = run.id
        run_view.watch(run)
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
    _documents(project)
    _pairs(project)
    _queries(project)
    if corpus is not None:
        if pairs is not None or project.manifests("models"):
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


def _documents(project: Project) -> None:
    manifest = project.newest("corpora")
    with st.container(border=True):
        st.subheader("1 · Documents", anchor=False)
        if manifest is not None:
            corpus = loaders.corpus(project, manifest)
            shown = corpus.sample(_ROWS)
            st.dataframe(
                pd.DataFrame([_row(document) for document in shown]),
                hide_index=True,
                height=220,
            )
            total = manifest.details["documents"]
            st.caption(f"The first {len(shown)} of {total:,} documents.")
            _refusals_of(manifest.details.get("files", []))
        with st.expander("Add documents", expanded=manifest is None):
            upload = st.file_uploader(
                "CSV, TSV, JSONL, JSON or TXT; or a BEIR zip with queries and judgments",
                type=["csv", "tsv", "jsonl", "ndjson", "json", "txt", "zip"],
                key=f"documents-{project.name}",
            )
            if upload is not None:
                path = uploads.saved(project, upload)
                if path.suffix == ".zip":
                    _import(project, path)
                else:
                    _preview_documents(project, path)
            st.caption("A TXT file holds one document a line, or a paragraph between blank lines.")


def _import(project: Project, path: Path) -> None:
    st.write("A BEIR data set brings documents, pairs (from train) and a query set (from test).")
    if st.button("Import it", type="primary", key="import"):
        _start(project, ["import", project.name, str(path)])


def _preview_documents(project: Project, path: Path) -> None:
    chosen = DocumentColumns(
        text=st.session_state.get(f"text-{path}"),
        title=st.session_state.get(f"title-{path}"),
        id=st.session_state.get(f"id-{path}"),
    )
    try:
        with st.spinner("Reading the whole file…"):
            first, report = preview_documents(path, chosen)
    except BespokeError as error:
        st.error(str(error), icon=":material/error:")
        _choose_columns(path, _columns_of(path), {}, ("text", "title", "id"))
        return
    _choose_columns(path, report.columns, report.roles, ("text", "title", "id"))
    st.markdown(f"**{widgets.counted(report.accepted, 'document')}** found ({report.format}).")
    st.dataframe(pd.DataFrame([_row(document) for document in first]), hide_index=True)
    _refused(report)
    if st.button(
        f"Add {widgets.counted(report.accepted, 'document')}", type="primary", key="add-documents"
    ):
        roles = {
            role: report.roles[role] for role in ("text", "title", "id") if role in report.roles
        }
        options = [part for role, name in roles.items() for part in (f"--{role}-column", name)]
        _start(project, ["add", project.name, str(path), *options])


def _pairs(project: Project) -> None:
    manifest = project.newest("pairs")
    with st.container(border=True):
        st.subheader("2 · Pairs of a query and its answer", anchor=False)
        if manifest is not None:
            pairs = loaders.pair_set(project, manifest).pairs
            rows = [{"query": p.query, "response": p.response} for p in pairs[:_ROWS]]
            st.dataframe(pd.DataFrame(rows), hide_index=True, height=220)
            st.caption(
                f"The first {len(rows)} of {len(pairs):,} pairs to train on. "
                f"{manifest.details['dev_queries']:,} more queries are held out to steer training."
            )
            _refusals_of([manifest.details.get("file") or {}])
        else:
            st.caption(
                "What people ask, and the text that answers it. A model learns from these; a fifth is "
                "held out, so that the proof is on questions it never saw."
            )
        with st.expander("Add pairs", expanded=manifest is None and _has_corpus(project)):
            upload = st.file_uploader(
                'A JSON list [{"query": "...", "response": "..."}], JSONL, CSV or TSV',
                type=["json", "jsonl", "ndjson", "csv", "tsv"],
                key=f"pairs-{project.name}",
            )
            if upload is not None:
                _preview_pairs(project, uploads.saved(project, upload))


def _preview_pairs(project: Project, path: Path) -> None:
    chosen = PairColumns(
        query=st.session_state.get(f"query-{path}"),
        response=st.session_state.get(f"response-{path}"),
    )
    try:
        with st.spinner("Reading the whole file…"):
            first, report = preview_pairs(path, chosen)
    except BespokeError as error:
        st.error(str(error), icon=":material/error:")
        _choose_columns(path, _columns_of(path), {}, ("query", "response"))
        return
    _choose_columns(path, report.columns, report.roles, ("query", "response"))
    st.markdown(f"**{widgets.counted(report.accepted, 'pair')}** found ({report.format}).")
    st.dataframe(
        pd.DataFrame([{"query": p.query, "response": p.response} for p in first]), hide_index=True
    )
    _refused(report)
    extend = False
    if _has_corpus(project):
        extend = st.checkbox(
            "Add responses that are not in the corpus as new documents", key=f"extend-{path}"
        )
    if st.button(
        f"Add {widgets.counted(report.accepted, 'pair')}", type="primary", key="add-pairs"
    ):
        options = ["--query-column", report.roles["query"]]
        options += ["--response-column", report.roles["response"]]
        options += ["--add-responses"] if extend else []
        _start(project, ["pairs", project.name, str(path), *options])


def _queries(project: Project) -> None:
    manifest = project.newest("queries")
    with st.container(border=True):
        st.subheader("3 · Query set: the proof", anchor=False)
        if manifest is not None:
            query_set = loaders.query_set(project, manifest)
            rows = [
                {"query": text, "relevant documents": ", ".join(query_set.relevant(query))}
                for query, text in list(query_set.queries.items())[:_ROWS]
            ]
            st.dataframe(pd.DataFrame(rows), hide_index=True, height=220)
            st.caption(
                f"The first {len(rows)} of {len(query_set.queries):,} test queries, from "
                f"{manifest.details.get('source', 'an upload')}. No model is trained on them."
            )
        else:
            st.caption(
                "Queries whose right answers are known. Pairs bring one along; or upload your own "
                "judgments."
            )
        if not _has_corpus(project):
            return
        with st.expander("Upload judgments"):
            left, right = st.columns(2)
            queries = left.file_uploader(
                "Queries: JSONL, JSON, CSV or TSV with an id and a text",
                type=["jsonl", "ndjson", "json", "csv", "tsv"],
                key=f"queries-{project.name}",
            )
            qrels = right.file_uploader(
                "Judgments (qrels): query id, document id, grade",
                type=["tsv", "txt", "qrels"],
                key=f"qrels-{project.name}",
            )
            if queries is not None and qrels is not None:
                paths = uploads.saved(project, queries), uploads.saved(project, qrels)
                if st.button("Use these queries for the proof", type="primary", key="add-queries"):
                    arguments = ["queries", project.name, str(paths[0]), "--qrels", str(paths[1])]
                    _start(project, arguments)


def _choose_columns(
    path: Path, columns: Sequence[str], understood: Mapping[str, str], roles: Sequence[str]
) -> None:
    """Let the person say which column plays which role; what was understood is chosen already."""
    if not columns:
        return
    for box, role in zip(st.columns(len(roles)), roles, strict=True):
        current = understood.get(role)
        box.selectbox(
            f"Column of the {role}",
            columns,
            index=columns.index(current) if current in columns else None,
            placeholder="none",
            key=f"{role}-{path}",
        )


def _columns_of(path: Path) -> Sequence[str]:
    """The columns of a file that could not be used as it is: maybe others can be chosen."""
    try:
        report = open_report(path)
        read_rows(path, report)
    except BespokeError:
        return ()
    return report.columns


def _row(document: Document) -> dict[str, str]:
    """A document as a row; a further column that is also called "text" does not hide the text."""
    own = {"id": document.id, "title": document.title, "text": document.text}
    return own | {f"{k} *" if k in own else k: v for k, v in document.metadata.items()}


def _start(project: Project, arguments: Sequence[str]) -> None:
    run = runs.start(project, arguments)
    st.session_state["corpus-run"] = run.id
    st.rerun()


def _has_corpus(project: Project) -> bool:
    return project.newest("corpora") is not None


def _refused(report: Report) -> None:
    """The rows that will be left out, and why."""
    if not report.refused_count:
        return
    st.warning(
        f"{widgets.counted(report.refused_count, 'row')} will be left out.",
        icon=":material/playlist_remove:",
    )
    frame = pd.DataFrame([{"where": row.where, "why": row.reason} for row in report.refused])
    st.dataframe(frame, hide_index=True, height=min(220, 38 + 35 * len(frame)))


def _refusals_of(files: Sequence[dict[str, object]]) -> None:
    """What was left out when the files of a version came in."""
    for file in files:
        refusals = file.get("refusals")
        if isinstance(refusals, list) and refusals:
            with st.expander(f"{file['refused']} rows of {file['source']} were left out: see why"):
                st.dataframe(pd.DataFrame(refusals, columns=["where", "why"]), hide_index=True)
