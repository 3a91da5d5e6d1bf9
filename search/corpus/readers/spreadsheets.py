"""Excel workbooks (.xlsx, .xlsm): the first sheet with data, row by row."""

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from itertools import count, islice, repeat, zip_longest
from typing import Any, BinaryIO

from search.corpus.readers.cells import check_header, plain
from search.corpus.readers.compressed import unpacked_limit
from search.corpus.readers.report import Report, Row, Unusable
from search.corpus.readers.signatures import kind_of, refuse_other_kind
from search.projects.errors import Refused
from search.projects.settings import LIMITS

_WORKBOOK = "an Excel workbook (.xlsx)"
_LAST_ROW = 1_048_576
_UNSAVED = Unusable(
    "is a formula without a saved result: open the workbook in Excel, save it, and give that file"
)
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
# How the format writes characters that XML cannot hold, as in "_x000D_".
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_CHUNK = 1024 * 1024
_SHEETS = "/worksheets/"

_Line = tuple[int, tuple[Any, ...]]
"""The number of a row in its sheet, and its cells as openpyxl has them."""


def spreadsheet_rows(stream: BinaryIO, report: Report) -> Iterator[Row]:
    """The rows under the header of the first sheet with data; sets the format and the columns first.

    The header is the first row that is not empty. Rows are named by their numbers in the sheet. Formulas
    give their saved results; errors (#REF!) and formulas without a result are `Unusable`.

    :param stream: the file, seekable; closed at the end.
    :raises Refused: when the file is something else, protected, damaged, or unpacks to too much.
    """
    report.format = "Excel"
    kind = kind_of(stream)
    if kind != _WORKBOOK:
        refuse_other_kind(kind, report.source, "an Excel workbook")
        raise Refused(f"{report.source} is not an Excel workbook, although its name says so.")
    with_formulas = _checked_entries(stream, report)
    # openpyxl warns of charts, validations and styles that it does not know: nothing that is read here.
    warnings.filterwarnings("ignore", module=r"openpyxl(\.|$)")
    book = _opened(stream, report, data_only=True)
    sheets = sorted(book.worksheets, key=lambda sheet: sheet.sheet_state != "visible")
    for sheet in sheets:
        lines = _lines(sheet, report)
        if header := next((line for line in lines if any(_is(c.value) for c in line[1])), None):
            break
    else:
        return _rows(stream, iter(()), [], report)
    names = _names(header[1], report)
    if others := [repr(other.title) for other in sheets if other is not sheet]:
        report.notes.append(f"the sheet {sheet.title!r} was read, not {', '.join(others)}")
    formulas: Iterator[_Line] = repeat((0, ()))
    if with_formulas:
        formulas = _lines(_opened(stream, report, data_only=False)[sheet.title], report)
        formulas = islice(formulas, header[0], None)
    return _rows(stream, zip(lines, formulas, strict=False), names, report)


def _rows(
    stream: BinaryIO, lines: Iterator[tuple[_Line, _Line]], names: list[str], report: Report
) -> Iterator[Row]:
    width = len(names)
    with stream:
        for (number, cells), (_, formulas) in lines:
            values = [_value(*pair) for pair in zip_longest(cells, formulas[: len(cells)])]
            where = f"row {number}"
            if beyond := [n for n, value in enumerate(values[width:], width + 1) if _is(value)]:
                report.refuse(where, f"has a value in column {beyond[0]}, the header has {width}")
                continue
            if any(map(_is, values)):
                values += [None] * (width - len(values))
                yield Row(where, dict(zip(names, values, strict=False)))


def _value(cell: Any, formula: Any) -> Any:
    """What a cell holds, given the same cell of the workbook that was opened for its formulas."""
    value = cell.value
    if cell.data_type == "e":
        return Unusable(f"is an error of the sheet ({value})")
    # A saved result that is an empty text has a type of its own; one that was never saved has none.
    if value is None and formula and formula.data_type == "f" and cell.data_type != "str":
        return _UNSAVED
    if isinstance(value, str):
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value) if "_x" in value else value
    return plain(value)


def _is(value: Any) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value is not None


def _names(cells: tuple[Any, ...], report: Report) -> list[str]:
    names = [str(value).strip() if _is(value := _value(cell, None)) else "" for cell in cells]
    while not names[-1]:
        names.pop()
    check_header(names, report)
    report.columns = tuple(names)
    return names


def _lines(sheet: Any, report: Report) -> Iterator[_Line]:
    """All rows of a sheet, the empty ones included, whatever the sheet says of its own size."""
    sheet.reset_dimensions()
    rows = iter(sheet.iter_rows())
    for number in count(1):
        try:
            cells = next(rows, None)
        except Exception as error:
            raise _unreadable(error, report) from None
        if cells is None:
            return
        if number > _LAST_ROW:
            raise Refused(f"{report.source} has a row beyond {_LAST_ROW:,}, the last of a sheet.")
        yield number, cells


def _opened(stream: BinaryIO, report: Report, data_only: bool) -> Any:
    from openpyxl import load_workbook

    # What a damaged workbook makes of openpyxl can be any error: KeyError, TypeError, of XML, of zip.
    try:
        return load_workbook(stream, read_only=True, data_only=data_only, keep_links=False)
    except Exception as error:
        raise _unreadable(error, report) from None


def _checked_entries(stream: BinaryIO, report: Report) -> bool:
    """Refuse a workbook that unpacks to too much; whether any sheet holds formulas.

    zipfile gives no entry more bytes than it declares, so what is declared can be trusted.
    """
    limit = unpacked_limit(stream.seek(0, 2))
    try:
        with zipfile.ZipFile(stream) as archive:
            entries = archive.infolist()
            if len(entries) > LIMITS.zip_entries:
                raise Refused(
                    f"{report.source} has {len(entries):,} entries; the limit is "
                    f"{LIMITS.zip_entries:,}."
                )
            if sum(entry.file_size for entry in entries) > limit:
                raise Refused(
                    f"{report.source} unpacks to far more than its size: not read further."
                )
            # The sheets are streamed; the texts that cells share, the styles and the rest are not.
            rest = sum(entry.file_size for entry in entries if _SHEETS not in entry.filename)
            if rest > LIMITS.spreadsheet_rest_bytes:
                raise Refused(
                    f"{report.source} holds {rest:,} bytes besides its sheets; the limit is "
                    f"{LIMITS.spreadsheet_rest_bytes:,}. Save the sheet as CSV."
                )
            sheets = [entry for entry in entries if _SHEETS in entry.filename]
            return any(_holds_formulas(archive, entry) for entry in sheets)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError) as error:
        raise _unreadable(error, report) from None


def _holds_formulas(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    with archive.open(entry) as stream:
        rest = b""
        while chunk := stream.read(_CHUNK):
            if _FORMULA.search(rest + chunk):
                return True
            rest = chunk[-64:]
    return False


def _unreadable(error: Exception, report: Report) -> Refused:
    # openpyxl wraps errors in one that names the path, which may be of a temporary file.
    reason = str(error.__cause__ or error).split("\n")[0][:200].rstrip(".") or type(error).__name__
    return Refused(f"{report.source} is not an Excel workbook that can be read: {reason}.")
