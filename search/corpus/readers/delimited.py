"""CSV and TSV: rows of text between delimiters, in bounded memory.

A CSV has quoting (RFC 4180). A TSV has none (IANA's text/tab-separated-values): a quotation mark is a letter of
the text, unless the file is clearly a CSV whose delimiter is a tab, which the first rows say.
"""

import csv
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, count
from typing import Any, BinaryIO

from search.corpus.readers.cells import check_header
from search.corpus.readers.encodings import decoded_lines
from search.corpus.readers.report import Report, Row
from search.corpus.readers.surroundings import (
    header_of_text_at,
    is_filled,
    note_above,
    without_remarks,
)
from search.projects.errors import Refused
from search.projects.settings import LIMITS

# In the order in which they win a tie.
_DELIMITERS = (",", "\t", ";", "|", "^", "~", ":")
# These also stand in headers that mean something else, so every line must agree on them.
_DOUBTFUL = frozenset("^~:")
_SNIFFED_LINES = 200
_SNIFFED_CHARACTERS = 256 * 1024
_QUOTED_LINES = 20_000
_QUOTED_CHARACTERS = 4 * 1024 * 1024
# How databases write what is not there, and what else they escape (PostgreSQL's manual, COPY, file formats).
_NOTHING = r"\N"
_ESCAPED: dict[str, Any] = {"escapechar": "\\", "doublequote": False}
_BACKSLASHED = re.compile(r"\\([tnr\\])")
_MEANT = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}
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
    ahead = list(_some([first], lines, _SNIFFED_LINES, _SNIFFED_CHARACTERS))
    if report.delimiter is None:
        report.delimiter = _sniffed(ahead)
    report.format = "TSV" if report.delimiter == "\t" else "CSV"
    if len(report.delimiter) != 1 or report.delimiter in '"\r\n':
        raise Refused(
            f"{report.source} cannot be read with the delimiter {report.delimiter!r}: give one character."
        )
    number, above = _above_header(ahead, report.delimiter, report)
    ahead, skipped = ahead[above:], skipped + above
    if report.delimiter == "\t":
        ahead = list(_some(ahead, lines, _QUOTED_LINES, _QUOTED_CHARACTERS))
        if not _has_quoting(ahead):
            return _unquoted_rows(chain(ahead, lines), report, _is_copied(ahead), number)
    options: dict[str, Any] = {"delimiter": report.delimiter, "strict": True}
    if _is_escaped(ahead, options):
        options |= _ESCAPED
        report.notes.append('quotation marks are written \\" (as PostgreSQL may): read so')
    whole: Iterator[str] = chain(ahead, lines)
    if (
        "escapechar" in options
    ):  # The reader would take the backslash of \\N as one that escapes an N.
        sign = re.escape(report.delimiter)
        alone = re.compile(rf"(?:(?<=^)|(?<={sign}))\\N(?={sign}|[\r\n]|$)")
        whole = (alone.sub(lambda _: r"\\N", line) for line in whole)
    reader = csv.reader(whole, **options)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise Refused(f"{report.source}, line {skipped + 1}: {error}.") from None
    check_header(header, report)
    report.columns = tuple(header)
    return _checked(_quoted_rows(reader, skipped, report, number), header, report, number)


def _above_header(lines: list[str], delimiter: str, report: Report) -> tuple[int, int]:
    """The number of the row that is the header, and how many lines stand above it: a title, notes, empty ones."""
    rows, ends = [], [0]
    reader = csv.reader(lines, delimiter=delimiter)
    with suppress(csv.Error):
        for row in reader:
            rows.append(row)
            ends.append(reader.line_num)
    filled = [(n, row) for n, row in enumerate(rows, start=1) if any(map(is_filled, row))]
    start = header_of_text_at(filled)
    if not start:
        return 1, 0
    note_above(filled[:start], report)
    number = filled[start][0]
    return number, ends[number - 1]


def _unquoted_rows(
    lines: Iterator[str], report: Report, copied: bool, number: int
) -> Iterator[Row]:
    """The rows of a TSV in which a quotation mark is a letter and each line is a row.

    :param copied: whether a database wrote it with COPY, which writes tabs and line ends with a backslash.
    :param number: of the row that is the header.
    """
    rows = (line.rstrip("\r\n").split("\t") for line in lines)
    if copied:
        rows = ([_BACKSLASHED.sub(_meant, value) for value in row] for row in rows)
    header = [name.strip() for name in next(rows, [])]
    check_header(header, report)
    report.columns = tuple(header)
    return _checked(rows, header, report, number)


def _checked(
    rows: Iterator[list[str]], header: list[str], report: Report, first: int
) -> Iterator[Row]:
    """Each row with as many fields as the header has; blank ones are passed over, others refused.

    :param first: the number of the row that is the header.
    """
    numbered = enumerate(rows, start=first + 1)
    filled = ((n, values) for n, values in numbered if any(map(str.strip, values)))
    for number, values in without_remarks(filled, len(header), report):
        where = f"row {number}"
        if len(values) != len(header):
            report.refuse(where, f"has {len(values)} fields, the header has {len(header)}")
            continue
        cells = (None if value == _NOTHING else value for value in values)
        yield Row(where, dict(zip(header, cells, strict=True)))


def _is_copied(lines: list[str]) -> bool:
    """Whether a TSV is what COPY of PostgreSQL writes: it has a sign of its own for nothing."""
    return any(_NOTHING in line.rstrip("\r\n").split("\t") for line in lines)


def _meant(escaped: re.Match[str]) -> str:
    return _MEANT.get(escaped[1], escaped[0])


def _is_escaped(lines: list[str], options: dict[str, Any]) -> bool:
    """Whether a CSV puts a backslash before quotation marks, rather than a second one: then more rows are whole."""
    if not any('\\"' in line for line in lines):
        return False
    plain: list[list[str]] = []
    escaped: list[list[str]] = []
    with suppress(csv.Error):
        plain.extend(csv.reader(lines, **options))
    with suppress(csv.Error):
        escaped.extend(csv.reader(lines, **options, **_ESCAPED))
    return _agreement(escaped) > _agreement(plain)


def _has_quoting(lines: list[str]) -> bool:
    """Whether the first lines of a TSV are a CSV's with tabs for commas.

    They are when quoting makes more rows as wide as the header (a quoted field holds a tab or a line break), or
    when every field that begins with a quotation mark ends with one and something shows that a program put them
    there: the header is quoted, a whole column is, or a quotation mark inside is written twice.
    """
    if not any('"' in line for line in lines):
        return False
    plain = [line.rstrip("\r\n").split("\t") for line in lines if line.strip()]
    quoted: list[list[str]] = []
    with suppress(csv.Error):
        quoted.extend(csv.reader(lines, delimiter="\t", strict=True))
    if _agreement(quoted) != _agreement(plain):
        return _agreement(quoted) > _agreement(plain)
    begun = [value for row in plain for value in row if value.startswith('"')]
    if not begun or not all(_is_quoted(value) for value in begun):
        return False
    header, *body = plain
    columns = list(zip(*(row for row in body if len(row) == len(header)), strict=True))
    return (
        any(map(_is_quoted, header))
        or any('""' in value[1:-1] for value in begun)
        or any(all(map(_is_quoted, column)) for column in columns if len(column) > 1)
    )


def _agreement(rows: list[list[str]]) -> tuple[int, int]:
    """How many rows have as many fields as the first, and the number of the others below zero."""
    wide = sum(len(row) == len(rows[0]) for row in rows) if rows else 0
    return wide, wide - len(rows)


def _is_quoted(value: str) -> bool:
    """Whether a field is written as a CSV writes a quoted one."""
    return bool(re.fullmatch(r'"(?:[^"]|"")*"', value))


def _quoted_rows(reader: Any, skipped: int, report: Report, first: int) -> Iterator[list[str]]:
    """The rows below the header, as they are.

    :raises Refused: where quotes are broken.
    """
    for number in count(first + 1):
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Refused(
                f"{report.source}, row {number} (line {skipped + reader.line_num}): {error}. "
                "Is a quotation mark missing?"
            ) from None


def _some(first: list[str], lines: Iterator[str], most: int, most_characters: int) -> Iterator[str]:
    """So many lines and characters, the first among them: enough to tell the delimiter or the quoting from."""
    characters = 0
    for number, line in enumerate(chain(first, lines), start=1):
        yield line
        characters += len(line)
        if number >= len(first) and (number >= most or characters > most_characters):
            return


def _sniffed(lines: list[str]) -> str:
    """The delimiter that cuts the header, and as many of the lines after it as possible into as many fields.

    A tie goes to the one that leaves fewer fields beginning with a space (", " is prose), then to the one
    that cuts finer.
    """
    best, delimiter = (0.0, 0, 0), ","
    for candidate in _DELIMITERS:
        rows = [
            (n, row) for n, row in enumerate(_cut(lines, candidate)) if any(map(is_filled, row))
        ]
        header, *body = [row for _, row in rows[header_of_text_at(rows) :]] or [[]]
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
