"""CSV and TSV: rows of text between delimiters, in bounded memory."""

import csv
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from typing import Any, BinaryIO

from search.corpus.readers.cells import check_header
from search.corpus.readers.encodings import decoded_lines
from search.corpus.readers.report import Report, Row
from search.projects.errors import Refused
from search.projects.settings import LIMITS

# In the order in which they win a tie.
_DELIMITERS = (",", "\t", ";", "|", "^", "~", ":")
# These also stand in headers that mean something else, so every line must agree on them.
_DOUBTFUL = frozenset("^~:")
_SNIFFED_LINES = 200
_SNIFFED_CHARACTERS = 256 * 1024
# The first line by which Excel is told, and tells, the delimiter.
_EXCEL_HINT = re.compile(r"\"?sep=([,;\t|^~:])\"?\r?\n?", re.IGNORECASE)


def delimited_rows(stream: BinaryIO, report: Report) -> Iterator[Row]:
    """The rows of a CSV or TSV; sets the format, the delimiter and the columns first.

    :param stream: the file; closed at the end.
    :param report: a delimiter that is set is used as it is, else one is found.
    :raises Refused: when the header or the quotes are broken.
    """
    lines = decoded_lines(stream, report)
    first, skipped = next(lines, ""), 0
    if report.delimiter is None and (hint := _EXCEL_HINT.fullmatch(first)):
        report.delimiter = hint[1]
        first, skipped = next(lines, ""), 1
    while first and not first.strip():
        first, skipped = next(lines, ""), skipped + 1
    csv.field_size_limit(LIMITS.line_bytes)
    ahead = list(_some([first], lines))
    if report.delimiter is None:
        report.delimiter = _sniffed(ahead)
    report.format = "TSV" if report.delimiter == "\t" else "CSV"
    if len(report.delimiter) != 1 or report.delimiter in '"\r\n':
        raise Refused(
            f"{report.source} cannot be read with the delimiter {report.delimiter!r}: give one character."
        )
    reader = csv.reader(chain(ahead, lines), delimiter=report.delimiter, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise Refused(f"{report.source}, line {skipped + 1}: {error}.") from None
    check_header(header, report)
    report.columns = tuple(header)
    return _rows(reader, header, skipped, report)


def _rows(reader: Any, header: list[str], skipped: int, report: Report) -> Iterator[Row]:
    number, width = 1, len(header)
    while True:
        number += 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Refused(
                f"{report.source}, row {number} (line {skipped + reader.line_num}): {error}. "
                "Is a quotation mark missing?"
            ) from None
        if not any(map(str.strip, values)):
            continue
        where = f"row {number}"
        if len(values) != width:
            report.refuse(where, f"has {len(values)} fields, the header has {width}")
            continue
        yield Row(where, dict(zip(header, values, strict=True)))


def _some(first: list[str], lines: Iterator[str]) -> Iterator[str]:
    """Enough lines to tell the delimiter from."""
    characters = 0
    for count, line in enumerate(chain(first, lines), start=1):
        yield line
        characters += len(line)
        if count == _SNIFFED_LINES or characters > _SNIFFED_CHARACTERS:
            return


def _sniffed(lines: list[str]) -> str:
    """The delimiter that cuts the header, and as many of the lines after it as possible into as many fields.

    A tie goes to the one that leaves fewer fields beginning with a space (", " is prose), then to the one
    that cuts finer.
    """
    best, delimiter = (0.0, 0, 0), ","
    for candidate in _DELIMITERS:
        header, *body = [row for row in _cut(lines, candidate) if row] or [[]]
        if len(header) < 2:
            continue
        agreeing = sum(len(row) == len(header) for row in body) / len(body) if body else 1.0
        if candidate in _DOUBTFUL and (agreeing < 1 or not body):
            continue
        spaced = sum(name[:1] == " " for name in header)
        score = (round(agreeing, 2), -spaced, len(header))
        if score > best:
            best, delimiter = score, candidate
    return delimiter


def _cut(lines: list[str], delimiter: str) -> list[list[str]]:
    """The rows of a few lines; without the last one where it may go on behind them."""
    rows: list[list[str]] = []
    with suppress(csv.Error):
        rows.extend(csv.reader(lines, delimiter=delimiter))
    whole = len(lines) < _SNIFFED_LINES and sum(map(len, lines)) <= _SNIFFED_CHARACTERS
    return rows if whole else rows[:-1]
