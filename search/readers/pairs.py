"""Files into query/response pairs: the JSON list of {"query", "response"}, JSONL, CSV, TSV."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from search.errors import Refused
from search.readers.report import BadField, Report, clean_text, guess_column
from search.readers.tables import open_report, read_rows
from search.settings import LIMITS

_QUERY = ("query", "question", "anchor", "search", "sentence1", "query_text")
_RESPONSE = ("response", "answer", "positive", "context", "passage", "document", "sentence2")


@dataclass(frozen=True)
class Pair:
    """A query and a text that answers it; `document` is the id of that text in the corpus, if any."""

    query: str
    response: str
    document: str | None = None


@dataclass(frozen=True)
class PairColumns:
    """Which columns hold the query and the response; None leaves it to a guess by name."""

    query: str | None = None
    response: str | None = None


def read_pairs(path: Path, report: Report, columns: PairColumns = PairColumns()) -> Iterator[Pair]:
    """The pairs of one file; empty and repeated ones are refused in the report.

    :param path: a .json, .jsonl, .csv or .tsv file.
    :param report: from `open_report`; filled as the file is read.
    :param columns: the columns to use.
    :raises Refused: when the file as a whole cannot be used.
    """
    rows = read_rows(path, report)
    query = guess_column(report.columns, _QUERY, columns.query, report.source)
    others = [name for name in report.columns if name != query]
    response = guess_column(others, _RESPONSE, columns.response, report.source)
    if report.columns and (query is None or response is None):
        missing = " and no ".join(
            role for role, column in (("query", query), ("response", response)) if column is None
        )
        raise Refused(
            f"{report.source} has no {missing} column: its columns are "
            f"{', '.join(report.columns)}. Say which to use (--query-column, --response-column)."
        )
    if query is not None and response is not None:
        report.roles = {"query": query, "response": response}
    seen: set[tuple[str, str]] = set()

    def pairs() -> Iterator[Pair]:
        for row in rows:
            try:
                pair = Pair(
                    clean_text(row.fields.get(query or ""), str(query), LIMITS.query_characters),
                    clean_text(row.fields.get(response or ""), str(response)),
                )
            except BadField as error:
                report.refuse(row.where, str(error))
                continue
            problem = _problem(pair, seen)
            if problem:
                report.refuse(row.where, problem)
                continue
            seen.add((pair.query, pair.response))
            report.accepted += 1
            yield pair

    return pairs()


def preview_pairs(
    path: Path, columns: PairColumns = PairColumns(), rows: int = 5
) -> tuple[list[Pair], Report]:
    """Read a whole file without saving anything.

    :returns: its first pairs, and the full report.
    :raises Refused: as `read_pairs`, and when no row is usable.
    """
    report = open_report(path)
    pairs = read_pairs(path, report, columns)
    first = list(islice(pairs, rows))
    for _ in pairs:
        pass
    report.require_some("pairs")
    return first, report


def _problem(pair: Pair, seen: set[tuple[str, str]]) -> str | None:
    if not pair.query:
        return "the query is empty"
    if not pair.response:
        return "the response is empty"
    if (pair.query, pair.response) in seen:
        return "the same pair stands in an earlier row"
    return None
