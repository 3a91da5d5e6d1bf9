"""Files into queries with ids: tables with a header or none, TREC topics, a JSON object of ids and texts."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePath
from typing import Any

from search.corpus.readers.cells import first_rows
from search.corpus.readers.compressed import inner_name
from search.corpus.readers.headers import folded_name, with_header
from search.corpus.readers.identities import clean_id
from search.corpus.readers.json_maps import mapping_rows
from search.corpus.readers.report import BadField, Report, Row, clean_text
from search.corpus.readers.tables import TABLE_SUFFIXES, open_report, read_rows, text_lines
from search.corpus.readers.topics import looks_like_topics, read_topics
from search.projects.errors import Refused
from search.projects.settings import LIMITS

QUERY_IDS = (
    "_id", "id", "query_id", "queryid", "qid", "q_id", "topic_id", "topicid", "question_id", "questionid", "topic_number",
    "query_number", "qnum", "num", "number", "identifier", "topic",
)  # fmt: skip
QUERY_TEXTS = (
    "query_text", "question_text", "querytext", "text", "query", "question", "search_query", "search_term", "search",
    "title", "topic_title", "keywords", "utterance", "anchor",
)  # fmt: skip
_NAMES = frozenset(map(folded_name, (*QUERY_IDS, *QUERY_TEXTS)))
_SPACED = re.compile(r"(?=[^\d\s]*+\d)(\S++)\s++(\S.*)")


@dataclass(frozen=True)
class QueryColumns:
    """Which columns of a table hold ids and texts; None leaves it to a guess by name.

    Of several columns of ids, which may be those of several files, the first counts that the table has.
    """

    id: str | Sequence[str] | None = None
    text: str | None = None


def read_queries(
    path: Path,
    columns: QueryColumns = QueryColumns(),
    encoding: str | None = None,
    delimiter: str | None = None,
    most: int | None = None,
) -> tuple[dict[str, str], Report]:
    """The queries of a table (JSONL, JSON, CSV, ...) or of TREC topics: id to text.

    An id that is used for two different queries is left out with both: nobody can tell which was judged.

    :param most: stop after this many rows of a table, and say so in the report's notes.
    :raises Refused: when the file, or every row of it, cannot be used.
    """
    report = open_report(path, encoding=encoding, delimiter=delimiter)
    said: dict[str, list[tuple[str, str]]] = {}
    for where, identity, text in _rows(path, report, columns, most):
        try:
            key = clean_id(identity, report.roles.get("id", "the number"))
            query = clean_text(text, report.roles.get("query", "the text"), LIMITS.query_characters)
        except BadField as error:
            report.refuse(where, str(error))
            continue
        if not key or not query:
            report.refuse(where, "the id or the text is empty")
        elif any(query == known for _, known in said.get(key, ())):
            report.refuse(where, f"the id {key!r} and its query stand in an earlier row")
        else:
            said.setdefault(key, []).append((where, query))
    queries = {key: rows[0][1] for key, rows in said.items() if len(rows) == 1}
    for key, rows in said.items():
        if len(rows) > 1:
            reason = used_twice(key, [query for _, query in rows])
            for where, _ in rows:
                report.refuse(where, reason)
    report.sort_refused()
    report.accepted = len(queries)
    report.require_some("queries")
    return queries, report


def own_column(report: Report, names: str | Sequence[str] | None) -> str | None:
    """The first column that a table has of those that the person named, which may be those of another file."""
    known = set(map(folded_name, report.columns))
    wanted = [names] if isinstance(names, str) else names or ()
    return next((name for name in wanted if folded_name(name) in known), None)


def require_ids(reports: Sequence[Report], names: str | Sequence[str] | None) -> None:
    """See that one of several tables has a column of ids that the person named.

    :raises Refused: otherwise, naming the columns that there are.
    """
    if names and all(own_column(report, names) is None for report in reports):
        listed = ", ".join(dict.fromkeys(name for report in reports for name in report.columns))
        wanted = " or ".join(map(repr, [names] if isinstance(names, str) else names))
        raise Refused(f"No file has a column {wanted}. Their columns are: {listed}.")


def used_twice(identity: str, texts: Sequence[str]) -> str:
    """In words that an id stands for several queries, so that none of them can be used."""
    shown = " and ".join(repr(text[:80]) for text in texts[:2])
    return f"the id {identity!r} is used for different queries, {shown}: none of them is used; give each an id of its own"


def _rows(
    path: Path, report: Report, columns: QueryColumns, most: int | None
) -> Iterator[tuple[str, Any, Any]]:
    """Where each row of a file of queries stands, its id and its text, as the file holds them."""
    if looks_like_topics(path, report):
        yield from read_topics(path, report, columns.text)
        return
    rows = with_header(_table(path, report), report, _NAMES)
    if len(report.columns) >= 2 and report.columns[0] == "column 1" and columns == QueryColumns():
        columns = QueryColumns("column 1", "column 2")
    if (own := own_column(report, columns.id)) is not None:
        report.assign("id", (), own)
    report.assign("query", QUERY_TEXTS, columns.text)
    report.assign("id", (*QUERY_IDS, "query"))
    if report.columns and len(report.roles) < 2:
        raise Refused(
            f"{report.source} needs a column of ids (_id) and one of texts (text): its columns are "
            f"{', '.join(report.columns)}. Say which to use: --id-column, --query-column."
        )
    for row in first_rows(rows, most, report):
        identity, text = (row.fields.get(report.roles.get(role, "")) for role in ("id", "query"))
        yield row.where, identity, text


def _table(path: Path, report: Report) -> Iterator[Row]:
    """The rows of a table, whatever its ending says."""
    suffix = PurePath(inner_name(path)).suffix.lower()
    if suffix == ".json" and (rows := mapping_rows(path, report)) is not None:
        return rows
    if suffix in (*TABLE_SUFFIXES, ".xls"):
        return read_rows(path, report)
    return _lines(path, report)


def _lines(path: Path, report: Report) -> Iterator[Row]:
    """The rows of a text file: an id, a tab (or a sign that all lines have, or a space) and a text in each line."""
    report.format = "CSV"
    lines = [(n, line.strip("\r\n")) for n, line in enumerate(text_lines(path, report), start=1)]
    lines = [(n, line) for n, line in lines if line.strip()]
    signs = [report.delimiter] if report.delimiter else ["\t", "|", ";", ",", ":"]
    sign = next((s for s in signs if lines and all(s in line for _, line in lines)), None)
    if sign is not None:
        report.delimiter = sign
        cut = [(n, [part.strip() for part in line.split(sign, 1)]) for n, line in lines]
    elif lines and all(_SPACED.fullmatch(line.strip()) for _, line in lines):
        matches = ((n, _SPACED.fullmatch(line.strip())) for n, line in lines)
        cut = [(n, [m[1].removesuffix(":"), m[2]]) for n, m in matches if m]
    else:
        raise Refused(
            f"{report.source} is not of a format that can be read as a table of queries: give an id, a tab and a text in "
            f"each line, TREC topics, or {', '.join(TABLE_SUFFIXES)}."
        )
    first, *rest = cut
    report.columns = (first[1][0], first[1][1])
    return chain(Row(f"row {n}", dict(zip(report.columns, v, strict=True))) for n, v in rest)
