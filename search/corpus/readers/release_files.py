"""Terminologies as their publishers release them: RRF files of the UMLS, the order file of ICD-10-CM.

Neither has a header; what their columns are is in the publishers' documentation (UMLS Reference Manual, chapter
3; the readme of the ICD-10-CM code descriptions).
"""

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from search.corpus.readers.cells import with_columns
from search.corpus.readers.headers import is_row
from search.corpus.readers.report import Report, Row
from search.corpus.readers.tables import read_rows, text_lines

_CONCEPTS = ("CUI", "LAT", "TS", "LUI", "STT", "SUI", "ISPREF", "AUI", "SAUI", "SCUI", "SDUI", "SAB", "TTY",
             "CODE", "STR", "SRL", "SUPPRESS", "CVF")  # fmt: skip
_COLUMNS = {
    "MRCONSO": _CONCEPTS,
    "RXNCONSO": tuple("RXCUI" if name == "CUI" else "RXAUI" if name == "AUI" else name for name in _CONCEPTS),
    "MRDEF": ("CUI", "AUI", "ATUI", "SATUI", "SAB", "DEF", "SUPPRESS", "CVF"),
    "MRSTY": ("CUI", "TUI", "STN", "STY", "ATUI", "CVF"),
}  # fmt: skip
_ORDER = re.compile(r"(\d{5}) ([A-Z]\d\w{1,5}) +([01]) (.{60}) (.+)")
_ORDER_COLUMNS = ("order", "code", "valid", "short description", "long description")
_AHEAD = 50
_SIGNS = (",", ";", "|")
_LEAST_ROWS = 4
_NAME = re.compile(r"[^\W\d][\w .()/#-]{0,39}")


def rrf_rows(path: Path, report: Report) -> Iterator[Row]:
    """The rows of a file in Rich Release Format; columns of files that are not known here are numbered.

    :raises Refused: when the file is not text.
    """
    stem = Path(report.source).name.upper().partition(".")[0]

    def rows() -> Iterator[Row]:
        for number, line in enumerate(text_lines(path, report), start=1):
            values = line.rstrip("\r\n").removesuffix("|").split("|")
            names = _COLUMNS.get(stem) or tuple(f"column {i}" for i in range(1, len(values) + 1))
            if len(values) != len(names):
                report.refuse(f"line {number}", f"has {len(values)} fields, not {len(names)}")
                continue
            yield Row(f"line {number}", dict(zip(names, values, strict=True)))

    report.format, report.delimiter = "RRF", "|"
    return with_columns(rows(), report)


def text_table(path: Path, report: Report) -> Iterator[Row] | None:
    """The rows of a text file that is a table: parted by tabs, a CSV, or in the columns of ICD-10-CM; else None.

    A delimiter that was chosen says that it is one.

    :raises Refused: when the file is not text.
    """
    if report.delimiter is not None:
        return read_rows(path, report, ".csv")
    lines = [line.rstrip("\r\n") for line in islice(text_lines(path, report), _AHEAD)]
    lines = [line for line in lines if line]
    if lines and all(map(_ORDER.fullmatch, lines)):
        report.format = "ICD-10-CM order file"
        return with_columns(_order_rows(path, report), report)
    tabs = {line.count("\t") for line in lines}
    if len(lines) > 1 and len(tabs) == 1 and tabs != {0}:
        return read_rows(path, report, ".tsv")
    for sign in _SIGNS:
        if _is_delimited(lines, sign):
            report.delimiter = sign
            return read_rows(path, report, ".csv")
    return None


def _is_delimited(lines: Sequence[str], sign: str) -> bool:
    """Whether lines are a CSV with a header: short names, and as many fields in every row, none with a space before.

    A comma of a sentence has a space behind it, and a list of codes with their meanings no header.
    """
    rows: list[list[str]] = []
    with suppress(csv.Error):
        rows.extend(csv.reader(lines, delimiter=sign, strict=True))
    if len(rows) < _LEAST_ROWS or len(rows[0]) < 2:
        return False
    header, *body = rows
    names = all(map(_NAME.fullmatch, header)) and len(set(header)) == len(header)
    even = all(len(row) == len(header) for row in body)
    loose = any(value[:1].isspace() for row in rows for value in row)
    return names and even and not loose and not is_row(header, body, ())


def _order_rows(path: Path, report: Report) -> Iterator[Row]:
    for number, line in enumerate(text_lines(path, report), start=1):
        found = _ORDER.fullmatch(line.rstrip("\r\n"))
        if found:
            values = (value.strip() for value in found.groups())
            yield Row(f"line {number}", dict(zip(_ORDER_COLUMNS, values, strict=True)))
        elif line.strip():
            report.refuse(f"line {number}", "is no line of an order file")
