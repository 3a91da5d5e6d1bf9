"""Files into query sets: queries with ids, judgments (qrels), and tables that hold both."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.corpus.labels import Judgments, query_id
from search.corpus.readers.report import BadField, Report, clean_text
from search.corpus.readers.tables import open_report, read_rows, text_lines
from search.corpus.readers.topics import looks_like_topics, read_topics
from search.projects.errors import Refused
from search.projects.settings import LIMITS

_ID = ("_id", "id", "query_id", "query-id", "qid", "topic_id")
_TEXT = ("text", "query", "question", "title")
_JUDGED_ID = ("query_id", "qid", "topic_id", "question_id")
_JUDGED_QUERY = (
    "query", "query_text", "question", "question_text", "search", "search_query", "search_term", "text",
)  # fmt: skip
_DOCUMENT = (
    "document_id", "doc_id", "docid", "docno", "corpus_id", "passage_id", "did", "pid", "product_id",
    "document", "doc",
)  # fmt: skip
_GRADE = (
    "grade", "relevance", "relevancy", "rel", "score", "judgment", "judgement", "rating", "label",
)  # fmt: skip
_HIGHEST_GRADE = 1_000_000


@dataclass(frozen=True)
class JudgedColumns:
    """Which columns of a table hold queries, ids of documents and grades.

    None leaves it to a guess by name; a grade of "" says that there is none, so that each row counts 1.
    """

    query: str | None = None
    document: str | None = None
    grade: str | None = None


def read_queries(path: Path) -> tuple[dict[str, str], Report]:
    """The queries of a table (JSONL, JSON, CSV, ...) or of TREC topics: id to text.

    :raises Refused: when the file, or every row of it, cannot be used.
    """
    report = open_report(path)
    topics = looks_like_topics(path, report)
    queries: dict[str, str] = {}
    for where, identity, text in read_topics(path, report) if topics else _rows(path, report):
        try:
            key = clean_text(identity, report.roles.get("id", "the number"), LIMITS.id_characters)
            query = clean_text(text, report.roles.get("text", "the text"), LIMITS.query_characters)
        except BadField as error:
            report.refuse(where, str(error))
            continue
        if not key or not query:
            report.refuse(where, "the id or the text is empty")
        elif key in queries:
            report.refuse(where, f"the id {key!r} was used by an earlier row")
        else:
            queries[key] = query
            report.accepted += 1
    report.require_some("queries")
    return queries, report


def read_judgments(path: Path) -> tuple[Judgments, Report]:
    """The judgments of a qrels file: three columns with a header (BEIR) or four without (TREC).

    :raises Refused: when the file, or every row of it, cannot be used.
    """
    report = open_report(path)
    report.format = "qrels"
    judgments: Judgments = {}
    for number, line in enumerate(text_lines(path, report), start=1):
        fields = line.rstrip("\r\n").split("\t") if "\t" in line else line.split()
        if not line.strip() or (number == 1 and len(fields) in (3, 4) and _is_header(fields)):
            continue
        where = f"line {number}"
        if len(fields) not in (3, 4):
            report.refuse(where, f"has {len(fields)} fields instead of 3 (BEIR) or 4 (TREC)")
            continue
        try:
            query = clean_text(fields[0], "the query id", LIMITS.id_characters)
            document = clean_text(fields[-2], "the document id", LIMITS.id_characters)
            if not query or not document:
                raise BadField("the query id or the document id is empty")
            _judge(judgments, query, document, _grade(fields[-1]))
        except BadField as error:
            report.refuse(where, str(error))
            continue
        report.accepted += 1
    report.require_some("judgments")
    return judgments, report


def read_judged_queries(
    path: Path, columns: JudgedColumns = JudgedColumns()
) -> tuple[dict[str, str], Judgments, Report]:
    """The queries and judgments of one table with a row for each judged document.

    The grade may be missing (then it is 1), and so may the query's id (then it is made from the text).

    :returns: query id to text, the judgments, and what was understood.
    :raises Refused: when the file, or every row of it, cannot be used.
    """
    report = open_report(path)
    if looks_like_topics(path, report):
        raise Refused(
            f"{report.source} holds queries alone. Give the judgments too: --qrels QRELS."
        )
    rows = read_rows(path, report)
    report.assign("query", _JUDGED_QUERY, columns.query)
    report.assign("document", _DOCUMENT, columns.document)
    report.assign("grade", _GRADE, columns.grade)
    report.assign("id", _JUDGED_ID)
    report.require_roles(
        {"query": "query", "document": "document id"},
        "Say which to use (--query-column, --document-column), or give the judgments in a file of "
        "their own (--qrels QRELS).",
    )
    queries: dict[str, str] = {}
    judgments: Judgments = {}
    for row in rows:
        try:
            query = report.text_of(row, "query", LIMITS.query_characters)
            document = report.text_of(row, "document", LIMITS.id_characters)
            if not query or not document:
                raise BadField("the query or the document id is empty")
            key = report.text_of(row, "id", LIMITS.id_characters) or query_id(query)
            if queries.get(key, query) != query:
                raise BadField(f"an earlier row has another query with the id {key!r}")
            graded = report.roles.get("grade")
            grade = _grade(row.fields.get(graded)) if graded else 1
            _judge(judgments, key, document, grade)
        except BadField as error:
            report.refuse(row.where, str(error))
            continue
        queries[key] = query
        report.accepted += 1
    report.require_some("judged queries")
    return queries, judgments, report


def _rows(path: Path, report: Report) -> Iterator[tuple[str, Any, Any]]:
    """Where each row of a table of queries stands, its id and its text, as the file holds them."""
    rows = read_rows(path, report)
    report.assign("id", _ID)
    report.assign("text", _TEXT)
    if report.columns and len(report.roles) < 2:
        raise Refused(
            f"{report.source} needs a column of ids (_id) and one of texts (text): "
            f"its columns are {', '.join(report.columns)}."
        )
    for row in rows:
        identity, text = (row.fields.get(report.roles.get(role, "")) for role in ("id", "text"))
        yield row.where, identity, text


def _grade(value: Any) -> int:
    """A grade as a whole number, 0 for negative ones."""
    said = clean_text(value, "the grade", 100)
    try:
        grade = float(said)
        whole = int(grade)
    except (ValueError, OverflowError):
        raise BadField(f"the grade {said!r} is not a number") from None
    if whole != grade:
        raise BadField(f"the grade {said!r} is not a whole number")
    if whole > _HIGHEST_GRADE:
        raise BadField(f"the grade {said!r} is over the limit of {_HIGHEST_GRADE:,}")
    return max(whole, 0)


def _judge(judgments: Judgments, query: str, document: str, grade: int) -> None:
    """Note a judgment.

    :raises BadField: when the document was judged for this query before.
    """
    known = judgments.setdefault(query, {})
    if document in known:
        same = known[document] == grade
        raise BadField(
            "the same judgment stands in an earlier row"
            if same
            else f"an earlier row gives {document!r} the grade {known[document]}"
        )
    known[document] = grade


def _is_header(fields: list[str]) -> bool:
    try:
        float(fields[-1])
    except ValueError:
        return True
    return False
