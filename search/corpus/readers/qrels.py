"""Files of judgments of ids (qrels): BEIR's three columns, TREC's four, tabs or commas between them, a header or none."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path, PurePath
from typing import Any

from search.corpus.labels import Judgments
from search.corpus.readers.cells import first_rows
from search.corpus.readers.compressed import inner_name
from search.corpus.readers.grade_columns import grade_columns
from search.corpus.readers.headers import folded_name, is_row
from search.corpus.readers.identities import clean_id
from search.corpus.readers.json_maps import mapping_rows
from search.corpus.readers.judged import JudgedColumns, JudgedRows
from search.corpus.readers.queries import QUERY_IDS, own_column
from search.corpus.readers.report import BadField, Report, Row, guess_column
from search.corpus.readers.tables import open_report, read_rows, text_lines
from search.projects.errors import Refused

_DOCUMENTS = (
    "document_id", "doc_id", "docid", "docno", "corpus_id", "corpusid", "passage_id", "did", "pid", "p_id",
    "product_id", "document", "doc", "passage", "document_no", "answer_id", "item_id", "article_id",
)  # fmt: skip
_QUERIES = (*(name for name in QUERY_IDS if name not in ("id", "_id")), "query", "question")
_GRADES = (
    "grade",
    "relevance",
    "relevancy",
    "rel",
    "score",
    "label",
    "rating",
    "judgment",
    "judgement",
    "gold_label",
)
_ITERATION = ("iteration", "iter", "unused")
_NAMES = frozenset(map(folded_name, (*_DOCUMENTS, *QUERY_IDS, *_QUERIES, *_GRADES, *_ITERATION)))
_TABLES = (".json", ".jsonl", ".ndjson", ".parquet", ".xlsx", ".xlsm", ".xls")
_SIGNS = ("\t", ",", ";", "|")
_LOOKED_AT = 200
_RUN = 6  # fields of a line of a TREC run: query, Q0, document, rank, score, tag
_WIDTHS = "3 (BEIR) or 4 (TREC)"


def read_judgments(
    path: Path,
    columns: JudgedColumns = JudgedColumns(),
    encoding: str | None = None,
    delimiter: str | None = None,
    most: int | None = None,
) -> tuple[Judgments, Report]:
    """The judgments of a qrels file: query id to document id to grade.

    :param columns: those to use, where the file has a header.
    :param most: stop after this many rows, and say so in the report's notes.
    :raises Refused: when the file, or every row of it, cannot be used.
    """
    report = open_report(path, encoding=encoding, delimiter=delimiter)
    suffix = PurePath(inner_name(path)).suffix.lower()
    rows = _table(path, report) if suffix in _TABLES else _lines(path, report)
    ahead = list(islice(rows, _LOOKED_AT))
    graded = _roles(report, ahead, columns)
    judged = JudgedRows(report)
    for row in first_rows(chain(ahead, rows), most, report):
        try:
            query = clean_id(row.fields.get(report.roles["id"]), "the query id")
            document = clean_id(row.fields.get(report.roles["document"]), "the document id")
            if not query or not document:
                raise BadField("the query id or the document id is empty")
            judged.add(row.where, query, document, [row.fields.get(name) for name in graded])
        except BadField as error:
            report.refuse(row.where, str(error))
    judgments = judged.judgments(graded, columns.grades, is_qrels=True)
    report.format = report.format if suffix in _TABLES else "qrels"
    report.require_some("judgments")
    return judgments, report


def _roles(report: Report, ahead: Sequence[Row], columns: JudgedColumns) -> Sequence[str]:
    """Note which column holds what; returns those of grades."""
    if not report.columns:
        report.roles |= {"id": "", "document": ""}
        return ("",)
    if (own := own_column(report, columns.id)) is not None:
        report.assign("id", (), own)
    report.assign("document", _DOCUMENTS, columns.document)
    report.assign("id", (*_QUERIES, "_id", "id"))
    report.require_roles(
        {"id": "query id", "document": "document id"},
        "Say which to use: --id-column for the queries' ids, --document-column.",
    )
    exact = guess_column(report.columns, _GRADES, None, report.source, report.roles.values())
    chosen = exact if columns.grade is None and exact is not None else columns.grade
    graded = grade_columns(report, ahead, chosen, "--grade-column")
    if graded:
        report.roles["grade"] = ", ".join(graded)
    return graded


def _table(path: Path, report: Report) -> Iterator[Row]:
    return mapping_rows(path, report) or read_rows(path, report)


def _lines(path: Path, report: Report) -> Iterator[Row]:
    """The rows of a text file; sets the columns first, by the header or, where there is none, by their number."""
    lines = ((n, line.strip("\r\n")) for n, line in enumerate(text_lines(path, report), start=1))
    lines = ((n, line) for n, line in lines if line.strip() and not line.startswith("sep="))
    ahead = list(islice(lines, _LOOKED_AT))
    sign = report.delimiter or _sign([line for _, line in ahead])
    report.delimiter = sign
    cut = [(n, _fields(line, sign)) for n, line in ahead]
    more = ((n, _fields(line, sign)) for n, line in lines)
    if not cut:
        return iter(())
    first = cut[0][1]
    if not _is_header(first, [fields for _, fields in cut[1:]]):
        width = Counter(len(fields) for _, fields in cut).most_common(1)[0][0]
        if width == _RUN:
            _refuse_run(report, cut[0][1])
        report.columns = {
            2: ("query id", "document id"),
            4: ("query id", "iteration", "document id", "grade"),
        }.get(width, ("query id", "document id", "grade"))
        usual = {3, 4} if width != 2 else {2}
        return _numbered(chain(cut, more), report, usual)
    report.columns = tuple(first)
    return _under_header(chain(cut[1:], more), report)


def _numbered(
    lines: Iterator[tuple[int, list[str]]], report: Report, usual: set[int]
) -> Iterator[Row]:
    """Rows without a header: the query first, the grade last, the document before it."""
    for number, fields in lines:
        where = f"line {number}"
        if len(fields) not in usual:
            report.refuse(
                where, f"has {len(fields)} fields instead of {_WIDTHS if 3 in usual else '2'}"
            )
            continue
        row: dict[str, Any] = {
            "query id": fields[0],
            "document id": fields[-1 if len(fields) == 2 else -2],
        }
        yield Row(where, row | ({"grade": fields[-1]} if len(fields) > 2 else {}))


def _under_header(lines: Iterator[tuple[int, list[str]]], report: Report) -> Iterator[Row]:
    width = len(report.columns)
    for number, fields in lines:
        if len(fields) == width:
            yield Row(f"line {number}", dict(zip(report.columns, fields, strict=True)))
        else:
            usual = _WIDTHS if width in (3, 4) else f"{width}, as the header has"
            report.refuse(f"line {number}", f"has {len(fields)} fields instead of {usual}")


def _sign(lines: Sequence[str]) -> str | None:
    """What parts the fields: the sign that cuts most lines into as many fields as the first; None for spaces."""
    best, sign = 0, None
    for candidate in _SIGNS:
        widths = [len(_fields(line, candidate)) for line in lines]
        usual, count = Counter(widths).most_common(1)[0] if widths else (1, 0)
        if usual > 1 and count > best and 2 * count >= len(lines):
            best, sign = count, candidate
    return sign


def _fields(line: str, sign: str | None) -> list[str]:
    if sign is None or sign == "\t":
        fields = line.split("\t") if "\t" in line else line.split()
    else:
        try:
            fields = next(csv.reader([line], delimiter=sign), [])
        except csv.Error:  # A lone carriage return.
            fields = line.split(sign)
    if (
        len(fields) > 4 and not fields[-1].strip()
    ):  # A sign at the end of the line, after the grade.
        fields = fields[:-1]
    return [
        field.strip().strip('"') if field.strip()[:1] == '"' else field.strip() for field in fields
    ]


def _is_header(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Whether the first line names columns: by a name that they have, or by a word where all others have a number."""
    if any(folded_name(field) in _NAMES for field in first):
        return True
    if len(first) not in (3, 4) or is_row(first, rest, ()):
        return False
    same = [row[-1] for row in rest if len(row) == len(first)]
    return not _is_number(first[-1]) and (
        not same or any(map(_is_number, same)) or first[-1] not in same
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _refuse_run(report: Report, fields: Sequence[str]) -> None:
    if _is_number(fields[3]) and _is_number(fields[4]):
        raise Refused(
            f"{report.source} is a run (what a system found, with ranks and scores), not judgments. Give the qrels of these "
            "queries: query id, document id, grade."
        )
