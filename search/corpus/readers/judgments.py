"""Tables with a row for each judged document into queries and judgments."""

import re
from itertools import chain, islice
from pathlib import Path, PurePath
from typing import Any

from search.corpus.labels import Judgments, query_id
from search.corpus.readers.annotations import unfolded
from search.corpus.readers.cells import first_rows
from search.corpus.readers.compressed import inner_name
from search.corpus.readers.grade_columns import LOOKED_AT, grade_columns
from search.corpus.readers.grades import GradeRules
from search.corpus.readers.headers import folded_name, with_header
from search.corpus.readers.identities import clean_id, clean_ids
from search.corpus.readers.json_maps import mapping_rows
from search.corpus.readers.judged import JudgedColumns, JudgedRows, without
from search.corpus.readers.queries import own_column, used_twice
from search.corpus.readers.report import BadField, Report, Row
from search.corpus.readers.tables import open_report, read_rows
from search.corpus.readers.topics import looks_like_topics
from search.projects.errors import Refused
from search.projects.settings import LIMITS

_ID = ("query_id", "queryid", "qid", "topic_id", "question_id", "questionid", "q_id")
_QUERY = (
    "query", "query_text", "querytext", "question", "question_text", "search", "search_query", "search_term", "text",
)  # fmt: skip
_DOCUMENT = (
    "document_id", "doc_id", "docid", "docno", "corpus_id", "corpusid", "passage_id", "did", "pid", "product_id",
    "relevant_docs", "relevant_documents", "relevant_ids", "relevant_doc_ids", "document_ids", "doc_ids", "positive_ids",
    "answer_id", "item_id", "article_id", "document", "doc", "relevant_doc_id", "relevant_document_id", "positive_id",
    "pos", "positives", "positive",
)  # fmt: skip
_NEGATIVE = re.compile(
    r"(hard_)?(neg(s|atives?)?|irrelevant|not_relevant|non_?relevant)(_(docs?|documents?|passages?))?(_ids?)?"
)
_GRADE = ("grade", "relevance", "rating", "label", "judgment", "score")
_NAMES = frozenset(map(folded_name, (*_ID, *_QUERY, *_DOCUMENT, *_GRADE)))
_BY_POSITION = {
    2: ("column 1", "column 2", None),
    3: ("column 1", "column 2", "column 3"),
}


def read_judged_queries(
    path: Path,
    columns: JudgedColumns = JudgedColumns(),
    encoding: str | None = None,
    delimiter: str | None = None,
    most: int | None = None,
) -> tuple[dict[str, str], Judgments, Report]:
    """The queries and judgments of one table with a row for each judged document.

    The grade may be missing (then every row counts as relevant, which is noted), and so may the query's id (then it is
    made from the text). Exports of Label Studio, Argilla and Quepid are such tables, too.

    :param most: stop after this many rows, and say so in the report's notes.
    :returns: query id to text, the judgments, and what was understood.
    :raises UnclearGrades: when it cannot be told which values mean "not relevant".
    :raises Refused: when the file, or every row of it, cannot be used.
    """
    report = open_report(path, encoding=encoding, delimiter=delimiter)
    if looks_like_topics(path, report):
        raise Refused(
            f"{report.source} holds queries alone. Give the judgments too: --qrels QRELS."
        )
    is_json = PurePath(inner_name(path)).suffix.lower() == ".json"
    rows = (mapping_rows(path, report) if is_json else None) or read_rows(path, report)
    rows = unfolded(with_header(rows, report, _NAMES), report)
    ahead = list(islice(rows, LOOKED_AT))
    graded = _roles(report, ahead, columns)
    negatives = [] if graded else _negatives(report, columns)
    judged = JudgedRows(report)
    texts: dict[str, dict[str, list[str]]] = {}
    for row in first_rows(chain(ahead, rows), most, report):
        try:
            key, query = _query(report, row)
            documents = clean_ids(
                row.fields.get(report.roles["document"]), report.roles["document"]
            )
            rejected = [d for name in negatives for d in clean_ids(row.fields.get(name), name) if d]
            if not query or not any([*documents, *rejected]):
                raise BadField("the query or the document id is empty")
            said = [row.fields.get(name) for name in graded] or ["1"]
            for document in filter(None, documents):
                judged.add(row.where, key, document, said)
            for document in rejected:
                judged.add(row.where, key, document, ["0"])
        except BadField as error:
            report.refuse(row.where, str(error))
            continue
        texts.setdefault(key, {}).setdefault(query, []).append(row.where)
    judged.rows = _refuse_used_twice(report, texts, judged.rows)
    if negatives:
        graded = (report.roles["document"], *negatives)
    judgments = judged.judgments(
        graded, GradeRules(numbers=True) if negatives else columns.grades, bool(negatives)
    )
    report.require_some("judged queries")
    queries = {key: next(iter(said)) for key, said in texts.items() if key in judgments}
    return queries, without(judgments, judgments.keys() - queries.keys()), report


def _roles(report: Report, ahead: list[Row], columns: JudgedColumns) -> tuple[str, ...]:
    """Note which column holds what; returns those of grades."""
    if report.columns[:1] == ("column 1",) and len(report.columns) in _BY_POSITION:
        query, document, grade = _BY_POSITION[len(report.columns)]
        columns = JudgedColumns(
            columns.query or query, columns.document or document,
            columns.grade if columns.grade is not None else grade, columns.id, columns.grades,
        )  # fmt: skip
    if (own := own_column(report, columns.id)) is not None:
        report.assign("id", (), own)
    elif columns.id:
        report.assign("id", (), columns.id if isinstance(columns.id, str) else columns.id[0])
    report.assign("query", _QUERY, columns.query)
    report.assign("document", _DOCUMENT, columns.document)
    if columns.id is None:
        report.assign("id", _ID)
    report.require_roles(
        {"query": "query", "document": "document id"},
        "Say which to use (--query-column, --document-column), or give the judgments in a file of "
        "their own (--qrels QRELS).",
    )
    graded = grade_columns(report, ahead, columns.grade, "--grade-column") if report.columns else ()
    if graded:
        report.roles["grade"] = ", ".join(graded)
    return graded


def _negatives(report: Report, columns: JudgedColumns) -> list[str]:
    """The columns of ids of documents that are not relevant, beside the one of those that are."""
    if columns.grade == "":
        return []
    taken = report.roles.values()
    named = [c for c in report.columns if c not in taken and _NEGATIVE.fullmatch(folded_name(c))]
    if named:
        report.roles["negative"] = ", ".join(named)
        relevant = report.roles["document"]
        report.notes.append(
            f"what {', '.join(map(repr, named))} name is not relevant, what {relevant!r} names is"
        )
    return named


def _query(report: Report, row: Row) -> tuple[str, str]:
    """The id and the text of a row's query."""
    query = report.text_of(row, "query", LIMITS.query_characters)
    column: Any = report.roles.get("id")
    identity = clean_id(row.fields.get(column), column) if column else ""
    return identity or (query_id(query) if query else ""), query


def _refuse_used_twice(
    report: Report,
    texts: dict[str, dict[str, list[str]]],
    rows: list[tuple[str, str, str, tuple[str, ...]]],
) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """The rows but for those of an id that stands for several queries, which are refused."""
    twice = {key: used_twice(key, list(said)) for key, said in texts.items() if len(said) > 1}
    for where, key, _, _ in rows:
        if key in twice:
            report.refuse(where, twice[key])
    return [row for row in rows if row[1] not in twice]
