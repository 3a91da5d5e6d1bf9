"""Files into query/response pairs, with hard negatives and ids of documents where there are any."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.corpus.labels import Pair
from search.corpus.readers.report import BadField, Report, Row, clean_text, guess_column
from search.corpus.readers.tables import open_report, read_rows
from search.projects.settings import LIMITS
from search.text.words import folded_words

_QUERY = (
    "query", "question", "anchor", "search_query", "user_query", "search", "search_term", "query_text",
    "question_text", "sentence1", "sentence_1", "text1", "text_1",
)  # fmt: skip
_RESPONSE = (
    "response", "answer", "positive", "context", "passage", "document", "response_text", "answer_text",
    "positive_text", "positive_passage", "passage_text", "document_text", "reply", "sentence2", "sentence_2",
    "text2", "text_2",
)  # fmt: skip
_DOCUMENT = (
    "document_id", "doc_id", "docid", "docno", "corpus_id", "passage_id", "positive_id", "response_id",
)  # fmt: skip
_NEGATIVE = re.compile(
    r"(hard_)?neg(s|atives?)?(_(texts?|passages?|documents?|responses?))?(_?\d+)?"
)


@dataclass(frozen=True)
class PairColumns:
    """Which columns play which role; None leaves it to a guess by name, "" says that there is none.

    `negative` may be several columns. With `document`, a pair names the document of the corpus that answers
    it by id; it needs no response then.
    """

    query: str | None = None
    response: str | None = None
    negative: str | tuple[str, ...] | None = None
    document: str | None = None


Complete = Callable[[Pair], Pair]
"""Fills in what only the corpus knows of a pair, or raises BadField to refuse its row."""


def as_they_are(pair: Pair) -> Pair:
    """The `Complete` for reading without a corpus."""
    return pair


def read_pairs(
    path: Path,
    report: Report,
    columns: PairColumns = PairColumns(),
    complete: Complete = as_they_are,
    rows: int | None = None,
) -> Iterator[Pair]:
    """The pairs of one file; empty, repeated and contradictory ones are refused in the report.

    :param path: a file that `read_rows` can read as a table.
    :param report: from `open_report`; filled as the file is read.
    :param columns: the columns to use.
    :param complete: has the last word on each pair; without it a pair that names its document by id may
        come with an empty response.
    :param rows: stop after this many rows, and say so in the report's notes.
    :raises Refused: when the file as a whole cannot be used.
    """
    table = read_rows(path, report)
    negative_columns = _find_columns(report, columns)
    seen: set[Pair] = set()

    def pairs() -> Iterator[Pair]:
        for row in table if rows is None else _first(table, rows, report):
            try:
                pair = complete(_pair(row, report, negative_columns))
                _check(pair, seen)
            except BadField as error:
                report.refuse(row.where, str(error))
                continue
            seen.add(pair)
            report.accepted += 1
            yield pair

    return pairs()


def preview_pairs(
    path: Path,
    columns: PairColumns = PairColumns(),
    rows: int = 5,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> tuple[list[Pair], Report]:
    """Read a file, or the beginning of a large one, without saving anything.

    :param rows: how many pairs to return.
    :param encoding: what the file was saved in; None finds out.
    :param delimiter: what parts the columns of a CSV file; None finds out.
    :returns: its first pairs, and the report of all rows that were looked at.
    :raises Refused: as `read_pairs`, and when no row is usable.
    """
    report = open_report(path, encoding=encoding, delimiter=delimiter)
    first: list[Pair] = []
    for pair in read_pairs(path, report, columns, rows=LIMITS.preview_rows):
        if len(first) < rows:
            first.append(pair)
    report.require_some("pairs")
    return first, report


def load_pairs(path: Path) -> list[Pair]:
    """The pairs of a file that this program wrote: one pair a line, its fields as JSON."""
    with path.open(encoding="utf-8") as stream:
        rows = (json.loads(line) for line in stream)
        return [Pair(**{**row, "negatives": tuple(row.get("negatives", ()))}) for row in rows]


def _find_columns(report: Report, columns: PairColumns) -> tuple[str, ...]:
    """Find out which column plays which role; returns those of negatives, which may be several."""
    report.assign("query", _QUERY, columns.query or None)
    report.assign("response", _RESPONSE, columns.response)
    report.assign("document", _DOCUMENT, columns.document)
    negatives = _negative_columns(report, columns.negative)
    pointing = {} if "document" in report.roles else {"response": "response"}
    report.require_roles(
        {"query": "query", **pointing},
        "Say which to use (--query-column, --response-column, or --document-column for ids of documents).",
    )
    if negatives:
        report.roles["negative"] = ", ".join(negatives)
    return negatives


def _pair(row: Row, report: Report, negatives: Sequence[str]) -> Pair:
    """The pair of a row.

    :raises BadField: for a field that is not text, and where one that is needed is empty.
    """
    query = report.text_of(row, "query", LIMITS.query_characters)
    response = report.text_of(row, "response")
    document = report.text_of(row, "document", LIMITS.id_characters)
    wrong = [clean_text(t, name) for name in negatives for t in _listed(row.fields.get(name))]
    if not query:
        raise BadField("the query is empty")
    if not response and not document:
        named = {"response": "the response", "document": "the document id"}
        empty = [name for role, name in named.items() if role in report.roles]
        raise BadField(f"{' and '.join(empty)} {'are' if len(empty) > 1 else 'is'} empty")
    return Pair(query, response, document or None, tuple(dict.fromkeys(filter(None, wrong))))


def _negative_columns(report: Report, chosen: str | tuple[str, ...] | None) -> tuple[str, ...]:
    taken = report.roles.values()
    if chosen is None:
        return tuple(
            name
            for name in report.columns
            if name not in taken
            and _NEGATIVE.fullmatch(re.sub(r"[\s-]", "_", name.strip().casefold()))
        )
    wanted = (chosen,) if isinstance(chosen, str) else chosen
    found = (guess_column(report.columns, (), n, report.source, taken) for n in wanted if n)
    return tuple(dict.fromkeys(name for name in found if name is not None))


def _listed(value: Any) -> list[Any]:
    """The texts of a field: one, or the items of a list, which in a CSV file is written as JSON."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            items = json.loads(value)
        except (ValueError, RecursionError):
            return [value]
        return (
            items if isinstance(items, list) and all(isinstance(i, str) for i in items) else [value]
        )
    return list(value) if isinstance(value, list | tuple) else [value]


def _check(pair: Pair, seen: set[Pair]) -> None:
    said = folded_words(pair.response)
    if any(
        text == pair.response or (said and folded_words(text) == said) for text in pair.negatives
    ):
        raise BadField("a negative says the same as the response")
    if pair in seen:
        raise BadField("the same pair stands in an earlier row")


def _first(table: Iterator[Row], count: int, report: Report) -> Iterator[Row]:
    for number, row in enumerate(table):
        if number == count:
            report.notes.append(
                f"only the first {count:,} rows were looked at; all are read when the file is added"
            )
            return
        yield row
