"""Excel workbooks (.xlsx, .xlsm): the first sheet with data, row by row."""

import re
import warnings
import zipfile
import zlib
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, count, islice, zip_longest
from typing import Any, BinaryIO

from search.corpus.readers.cells import check_header, plain
from search.corpus.readers.compressed import unpacked_limit
from search.corpus.readers.number_formats import EAST_ASIAN_DATES, shown
from search.corpus.readers.report import Report, Row, Unusable
from search.corpus.readers.sheet_text import rows_of, text_of, two_rows_of_names
from search.corpus.readers.signatures import kind_of, refuse_other_kind
from search.corpus.readers.surroundings import header_at, is_filled, note_above, without_remarks
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
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell\s+ref="([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(\d{1,7})"')
_AHEAD = 20
_CHUNK = 1024 * 1024
_SHEETS = "/worksheets/"

_Line = tuple[int, tuple[Any, ...]]
"""The number of a row in its sheet, and its cells as openpyxl has them."""


def spreadsheet_rows(stream: BinaryIO, report: Report) -> Iterator[Row]:
    """The rows under the header of the first sheet with data; sets the format and the columns first.

    The header is the first row that is not empty, or the one under a title of the sheet. Rows are named by
    their numbers in the sheet. Numbers are as the sheet shows them, dates in ISO's way. A merged cell holds its
    value in each of its rows. Formulas give their saved results; errors (#REF!) and formulas without a result
    are `Unusable`.

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
        hidden: set[int] = set()
        lines = _lines(sheet, report, hidden)
        ahead = list(islice((line for line in lines if any(map(_is_cell, line[1]))), _AHEAD))
        if ahead:
            break
    else:
        return _rows(stream, iter(()), [], {}, set(), report)
    header, *first = _without_title(ahead, report)
    names, of_two_rows = _names(header[1], first[0] if first else None, header[0], report)
    if of_two_rows:
        header, *first = first
    merged = _merged(stream, sheet, report)
    if others := [repr(other.title) for other in sheets if other is not sheet]:
        report.notes.append(f"the sheet {sheet.title!r} was read, not {', '.join(others)}")
    formulas: Iterator[_Line] = iter(())
    if with_formulas:
        formulas = _lines(_opened(stream, report, data_only=False)[sheet.title], report, set())
        formulas = islice(formulas, header[0], None)
    beside = _beside(chain(first, lines), formulas, header[0])
    return _rows(stream, beside, names, merged, hidden, report)


def _beside(
    lines: Iterator[_Line], formulas: Iterator[_Line], header: int
) -> Iterator[tuple[_Line, _Line]]:
    """Lines with the same lines of the workbook that was opened for its formulas; empty ones are passed over."""
    last = header
    for line in lines:
        beside = next(islice(formulas, line[0] - last - 1, None), (0, ()))
        last = line[0]
        yield line, beside


def _without_title(lines: Sequence[_Line], report: Report) -> Sequence[_Line]:
    """The lines from the header on: above it may stand a title, in a row of far fewer cells."""
    texts = [(number, [text_of(cell) for cell in cells]) for number, cells in lines]
    start = header_at(texts)
    note_above(texts[:start], report)
    return lines[start:]


def _merged(stream: BinaryIO, sheet: Any, report: Report) -> dict[int, list[tuple[int, int]]]:
    """The cells that are merged over several rows: for each column the first and the last row."""
    from openpyxl.utils import column_index_from_string

    stream.seek(0)
    found: dict[int, list[tuple[int, int]]] = {}
    # A sheet that is opened to be read once does not say; they stand at its end.
    path = str(sheet._worksheet_path).lstrip("/")
    with zipfile.ZipFile(stream) as archive, archive.open(path) as part:
        rest = b""
        while chunk := part.read(_CHUNK):
            text = rest + chunk
            end = 0
            for match in _MERGE.finditer(text):
                end = match.end()
                first, last = int(match[2]), int(match[3])
                if last > first:
                    column = column_index_from_string(match[1].decode())
                    found.setdefault(column - 1, []).append((first, last))
            rest = text[max(end, len(text) - 64) :]
    if count := sum(map(len, found.values())):
        report.notes.append(f"{count:,} merged cells: their value stands in each of their rows")
    return {column: sorted(ranges) for column, ranges in found.items()}


def _is_merged(row: int, ranges: Sequence[tuple[int, int]]) -> bool:
    """Whether a row is one of those that a merged cell covers, but its first."""
    i = bisect_left(ranges, (row, 0)) - 1
    return i >= 0 and row <= ranges[i][1]


def _rows(
    stream: BinaryIO,
    lines: Iterator[tuple[_Line, _Line]],
    names: list[str],
    merged: Mapping[int, Sequence[tuple[int, int]]],
    hidden: Collection[int],
    report: Report,
) -> Iterator[Row]:
    width = len(names)
    above: dict[int, Any] = {}
    unseen = 0
    read = (
        (number, [_value(*pair) for pair in zip_longest(cells, formulas[: len(cells)])])
        for (number, cells), (_, formulas) in lines
    )
    kept = (row for row in read if merged or any(map(is_filled, row[1])))
    with stream:
        for number, cells in without_remarks(kept, 0 if merged else width, report):
            values = list(cells)
            filled = any(map(is_filled, values))
            for column, ranges in merged.items():
                if column < len(values) and is_filled(values[column]):
                    above[column] = values[column]
                elif filled and column in above and _is_merged(number, ranges):
                    values += [None] * (column + 1 - len(values))
                    values[column] = above[column]
            where = f"row {number}"
            if beyond := [
                n for n, value in enumerate(values[width:], width + 1) if is_filled(value)
            ]:
                report.refuse(where, f"has a value in column {beyond[0]}, the header has {width}")
                continue
            if any(map(is_filled, values)):
                values += [None] * (width - len(values))
                unseen += number in hidden
                yield Row(where, dict(zip(names, values, strict=False)))
    if unseen:
        report.notes.append(
            f"hidden in the sheet, or by a filter of it, and read, too: {unseen:,} rows"
        )


def _value(cell: Any, formula: Any) -> Any:
    """What a cell holds, given the same cell of the workbook that was opened for its formulas."""
    value = text_of(cell)
    if cell.data_type == "e":
        return Unusable(f"is an error of the sheet ({value})")
    # A saved result that is an empty text has a type of its own; one that was never saved has none.
    if value is None and formula and formula.data_type == "f" and cell.data_type != "str":
        return _UNSAVED
    if isinstance(value, str):
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value) if "_x" in value else value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _as_shown(cell, value)
    return plain(value)


def _as_shown(cell: Any, value: float) -> Any:
    if cell.style_array.numFmtId in EAST_ASIAN_DATES and value > 0:
        from openpyxl.utils.datetime import from_excel

        return plain(from_excel(value))
    text = shown(value, cell.number_format)
    return plain(value) if text is None else text


def _is_cell(cell: Any) -> bool:
    return is_filled(text_of(cell))


def _names(
    cells: tuple[Any, ...], below: _Line | None, number: int, report: Report
) -> tuple[list[str], bool]:
    """The names of the columns, and whether the row below the header is a part of it."""
    names = [str(value).strip() if is_filled(value := _value(cell, None)) else "" for cell in cells]
    while not names[-1]:
        names.pop()
    both = None
    if below is not None and below[0] == number + 1:
        both = two_rows_of_names(names, [_value(cell, None) for cell in below[1]])
    if both is not None:
        report.notes.append("the header has two rows: their names are joined")
    check_header(both or names, report)
    report.columns = tuple(both or names)
    return both or names, both is not None


def _lines(sheet: Any, report: Report, hidden: set[int]) -> Iterator[_Line]:
    """All rows of a sheet, the empty ones included, whatever the sheet says of its own size."""
    rows = rows_of(sheet, hidden)
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
        return load_workbook(
            stream, read_only=True, data_only=data_only, keep_links=False, rich_text=True
        )
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
