"""Files into query sets: queries with ids, and judgments (qrels) of BEIR or TREC shape."""

from pathlib import Path

from search.errors import Refused
from search.readers.report import BadField, Report, clean_text, guess_column
from search.readers.tables import open_report, read_rows, text_lines
from search.settings import LIMITS

_ID = ("_id", "id", "query_id", "query-id", "qid")
_TEXT = ("text", "query", "question")

Judgments = dict[str, dict[str, int]]
"""Query id to document id to grade; a grade of 0 is "not relevant"."""


def read_queries(path: Path) -> tuple[dict[str, str], Report]:
    """The queries of a JSONL, JSON, CSV or TSV file: id to text.

    :raises Refused: when the file, or every row of it, cannot be used.
    """
    report = open_report(path)
    rows = read_rows(path, report)
    identity = guess_column(report.columns, _ID, None, report.source)
    text = guess_column(report.columns, _TEXT, None, report.source)
    if report.columns and (identity is None or text is None):
        raise Refused(
            f"{report.source} needs a column of ids (_id) and one of texts (text): "
            f"its columns are {', '.join(report.columns)}."
        )
    queries: dict[str, str] = {}
    for row in rows:
        try:
            key = clean_text(row.fields.get(identity or ""), str(identity), 512)
            query = clean_text(row.fields.get(text or ""), str(text), LIMITS.query_characters)
        except BadField as error:
            report.refuse(row.where, str(error))
            continue
        if not key or not query:
            report.refuse(row.where, "the id or the text is empty")
        elif key in queries:
            report.refuse(row.where, f"the id {key!r} was used by an earlier row")
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
        if not line.strip() or (number == 1 and _is_header(fields)):
            continue
        where = f"line {number}"
        if len(fields) not in (3, 4):
            report.refuse(where, f"has {len(fields)} fields instead of 3 (BEIR) or 4 (TREC)")
            continue
        grade = fields[-1].strip()
        try:
            query = clean_text(fields[0], "the query id", 512)
            document = clean_text(fields[-2], "the document id", 512)
        except BadField as error:
            report.refuse(where, str(error))
            continue
        try:
            value = int(float(grade))
        except (ValueError, OverflowError):
            report.refuse(where, f"the grade {grade!r} is not a number")
            continue
        if not query or not document:
            report.refuse(where, "the query id or the document id is empty")
            continue
        judgments.setdefault(query, {})[document] = max(value, 0)
        report.accepted += 1
    report.require_some("judgments")
    return judgments, report


def _is_header(fields: list[str]) -> bool:
    try:
        float(fields[-1])
    except ValueError:
        return True
    return False
