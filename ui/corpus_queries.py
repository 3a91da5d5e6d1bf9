"""The query set, as the pages Corpus and Questions show it: how its files were understood, and what its grades mean."""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import streamlit as st

from search.corpus.isolated.door import read_judged_queries, read_judgments, read_queries
from search.corpus.readers.judged import JudgedColumns
from search.corpus.readers.queries import QueryColumns
from search.corpus.readers.report import Report
from search.evaluation.query_sets.add_query_set import JudgedFiles
from search.evaluation.query_sets.questions import question_of
from search.projects.artifacts import Manifest
from search.projects.project import Project
from search.projects.settings import LIMITS
from ui import cache, deleting, reading, uploads, widgets
from ui.question_choice import question_options
from ui.rendering import literal

_ROWS = 50
_QUERIES = [
    "jsonl", "ndjson", "json", "csv", "tsv", "xlsx", "parquet", "txt", "xml", "topics", "gz",
]  # fmt: skip
_QRELS = ["tsv", "txt", "qrels", "csv", "jsonl", "json", "xlsx", "parquet", "gz"]
_TABLE_ROLES = {"query": False, "document": False, "grade": True, "id": True}
_QUERY_ROLES = {"id": False, "query": False}
_QRELS_ROLES = {"id": False, "document": False, "grade": True}


def step(project: Project) -> None:
    """The query set, by which models are compared."""
    manifest = project.newest("queries")
    with st.container(border=True):
        st.header("Query set: the proof", anchor=False)
        if manifest is not None:
            query_set = cache.query_set(project, manifest)
            rows = [
                {"query": text, "relevant documents": ", ".join(query_set.relevant(query))}
                for query, text in list(query_set.queries.items())[:_ROWS]
            ]
            widgets.dataframe(rows, height=220)
            with deleting.beside(project, manifest, "this query set"):
                st.caption(
                    f"The first {len(rows)} of {len(query_set.queries):,} test queries, from "
                    f"{literal(manifest.details.get('source', 'an upload'))}. No model is trained on them."
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
    question = question_of(manifest.details)
    note = check.note(question)
    if note is None:
        answers = ", and none of their answers," if check.is_clean() else ""
        st.caption(
            f":material/check: Leak check: none of these queries{answers} stands in the "
            "training pairs, too; near-duplicates included."
        )
        if crossing := check.crossing(question, manifest.details["queries"]):
            st.caption(literal(crossing[0].upper() + crossing[1:]) + ".")
        return
    st.warning(literal(note[0].upper() + note[1:]) + ".", icon=":material/water_drop:")
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
    path = uploads.saved(project, queries)
    judged = uploads.saved(project, qrels) if qrels is not None else None
    reading.forget_choices(path, _TABLE_ROLES, "one table" if judged is None else "two files")
    files = _table(path) if judged is None else _two_files(path, judged)
    if files is None:
        return
    _judged_rows(files)
    asked = question_options(path)
    if st.button("Use these queries for the proof", type="primary", key="add-queries"):
        options = [*_options(path, judged, files), *asked]
        reading.start(project, ["queries", project.name, str(path), *options])


def _table(path: Path) -> JudgedFiles | None:
    """What a table of query, document and grade holds; None after an error was shown, with what can be chosen."""
    columns = _columns(path, path)
    read = reading.preview(
        path,
        _TABLE_ROLES,
        lambda encoding, sign: read_judged_queries(
            path, columns, encoding, sign, LIMITS.preview_rows
        ),
    )
    if read is None:
        return None
    queries, judgments, report = read
    _understood(path, report, "judgment", _TABLE_ROLES)
    return JudgedFiles(queries, judgments, [report])


def _two_files(path: Path, judged: Path) -> JudgedFiles | None:
    """What a file of queries and one of judgments hold; None after an error was shown."""
    columns = _columns(path, judged)
    asked = QueryColumns(columns.id, columns.query)
    texts = reading.preview(
        path,
        _QUERY_ROLES,
        lambda encoding, sign: read_queries(path, asked, encoding, sign, LIMITS.preview_rows),
    )
    if texts is not None:
        _understood(path, texts[1], "query", _QUERY_ROLES)
    qrels = reading.preview(
        judged,
        _QRELS_ROLES,
        lambda encoding, sign: read_judgments(judged, columns, encoding, sign, LIMITS.preview_rows),
    )
    if qrels is not None:
        _understood(judged, qrels[1], "judgment", _QRELS_ROLES)
    if texts is None or qrels is None:
        return None
    return JudgedFiles(texts[0], qrels[0], [texts[1], qrels[1]])


def _columns(path: Path, judged: Path) -> JudgedColumns:
    """The columns that the person chose for the files."""
    ids = dict.fromkeys(reading.chosen_column(one, "id") for one in (path, judged))
    named = [name for name in ids if name is not None]
    return JudgedColumns(
        query=reading.chosen_column(path, "query"),
        document=reading.chosen_column(judged, "document"),
        grade=reading.chosen_column(judged, "grade"),
        id=named or None,
        grades=reading.rules(judged),
    )


def _understood(path: Path, report: Report, what: str, roles: Mapping[str, bool]) -> None:
    """How a file was understood, and what can be chosen instead."""
    plural = "queries" if what == "query" else None
    reading.understood(path, report, what, plural)
    reading.choose_columns(path, report.columns, report.roles, roles)
    if what == "judgment":
        reading.choose_meanings(path, list(report.meanings), report.meanings)
    reading.how_to_read(path, report)
    total = report.accepted + report.refused_count
    reading.refused(report.refused, report.refused_count, total, f"queries-{path}")


def _judged_rows(files: JudgedFiles) -> None:
    """The first judgments, the queries as texts."""
    rows = (
        (files.queries.get(query, f"({query}: no such query)"), document, grade)
        for query, judged in files.judgments.items()
        for document, grade in judged.items()
    )
    widgets.dataframe(list(islice(rows, _ROWS)), ["query", "document", "grade"], height=220)
    known = (judged for query, judged in files.judgments.items() if query in files.queries)
    relevant = sum(any(grade > 0 for grade in judged.values()) for judged in known)
    total = sum(map(len, files.judgments.values()))
    zero = sum(g == 0 for judged in files.judgments.values() for g in judged.values())
    st.caption(
        f"{widgets.counted(total, 'judgment')}, of which {zero:,} say not relevant; "
        f"{widgets.counted(relevant, 'query', 'queries')} with a relevant document."
    )


def _options(path: Path, judged: Path | None, files: JudgedFiles) -> list[str]:
    """The files, the columns and the meanings of grades as options of the command."""
    made = ["--qrels", str(judged)] if judged is not None else []
    if judged is None:
        made += reading.column_options(path, files.reports[0], list(_TABLE_ROLES))
    else:
        queries, qrels = files.reports
        made += reading.column_options(path, queries, ["query"]) if queries.columns else []
        made += reading.column_options(judged, qrels, ["document", "grade"])
        for one in (path, judged):
            chosen = reading.chosen_column(one, "id")
            made += ["--id-column", chosen] if chosen else []
    said = reading.chosen_meanings(judged or path)
    made += ["--grades", said] if said else []
    return made + reading.options(path) + (reading.options(judged, "qrels-") if judged else [])
