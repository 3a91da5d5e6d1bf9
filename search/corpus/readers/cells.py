"""What tables of every format share: a header that can be used, and typed cells as plain values."""

import math
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain, islice
from typing import Any

from search.corpus.readers.report import Report, Row, Unusable
from search.projects.errors import Refused
from search.projects.settings import LIMITS

_LOOKED_AHEAD = 100


def check_header(header: list[str], report: Report) -> None:
    """Refuse a header with two columns of one name, broken names or too many; note those without a name.

    :raises Refused: naming the column.
    """
    if len(header) > LIMITS.columns:
        raise Refused(
            f"{report.source} has {len(header):,} columns; the limit is {LIMITS.columns:,}."
        )
    for place, name in enumerate(header, start=1):
        if any("\ud800" <= letter <= "\udfff" for letter in name):
            raise Refused(
                f"{report.source}: the name of column {place} holds a byte that is not "
                f"{report.encoding or 'UTF-8'}. Choose another encoding, or rename the column."
            )
    named = [name for name in header if name]
    if len(set(named)) < len(named):
        twice = min(name for name in named if named.count(name) > 1)
        raise Refused(f"{report.source} has two columns named {twice!r}. Rename one.")
    if unnamed := [str(place) for place, name in enumerate(header, start=1) if not name]:
        report.notes.append(f"columns without a name, which are not read: {', '.join(unnamed)}")


def with_columns(rows: Iterator[Row], report: Report) -> Iterator[Row]:
    """Look ahead far enough to know the columns of rows that have no header, then give every row.

    :raises Refused: when there are too many.
    """
    ahead = list(islice(rows, _LOOKED_AHEAD))
    report.columns = tuple(dict.fromkeys(str(name) for row in ahead for name in row.fields))
    if len(report.columns) > LIMITS.columns:
        raise Refused(
            f"{report.source} has {len(report.columns):,} kinds of fields; the limit is "
            f"{LIMITS.columns:,}."
        )
    return chain(ahead, rows)


def first_rows(table: Iterator[Row], count: int | None, report: Report) -> Iterator[Row]:
    """The first rows of a table, for a preview; the report notes where there are more. None for all of them."""
    for number, row in enumerate(table):
        if number == count:
            report.notes.append(
                f"only the first {count:,} rows were looked at; all are read when the file is added"
            )
            return
        yield row


def plain(value: Any) -> Any:
    """A typed cell as what JSON knows: text, a number, a truth value, nothing, or lists and objects of these.

    Dates and times become ISO 8601, a date for midnight; whole numbers lose their ".0"; NaN is nothing.
    Binary data is text where it is UTF-8, else `Unusable`.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, datetime):
        midnight = value.time() == time() and value.tzinfo is None
        return value.date().isoformat() if midnight else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return Unusable(f"is binary data ({len(value):,} bytes)")
    if isinstance(value, Decimal | timedelta):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): _inner(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_inner(item) for item in value]
    return str(value)


def _inner(value: Any) -> Any:
    """A value inside a list or an object, which must stay JSON: what is unusable is named there."""
    found = plain(value)
    return str(found) if isinstance(found, Unusable) else found


def _number(value: float) -> int | float | None:
    if math.isnan(value):
        return None
    if value.is_integer() and abs(value) < 1e15:
        return int(value)
    # What a spreadsheet shows of 0.1 + 0.2: fifteen digits, not seventeen.
    return float(f"{value:.15g}")
