"""Files into rows: CSV, TSV, JSONL, JSON, Excel, Parquet and Arrow, each also as .gz, in bounded memory."""

import weakref
from collections.abc import Callable, Iterator
from io import SEEK_END
from pathlib import Path, PurePath
from typing import BinaryIO

from search.corpus.readers.arrow import arrow_rows
from search.corpus.readers.columnar import parquet_rows
from search.corpus.readers.compressed import inner_name, opened
from search.corpus.readers.delimited import delimited_rows
from search.corpus.readers.encodings import decoded_lines
from search.corpus.readers.json_rows import json_line_rows, json_list_rows
from search.corpus.readers.report import Report, Row, require_file, source_of
from search.corpus.readers.signatures import kind_of, markup_of, refuse_other_kind, wanted_by
from search.corpus.readers.spreadsheets import spreadsheet_rows
from search.projects.errors import Refused
from search.projects.settings import LIMITS

_Reader = Callable[[BinaryIO, Report], Iterator[Row]]
_TEXT: dict[str, _Reader] = {
    ".csv": delimited_rows,
    ".tsv": delimited_rows,
    ".jsonl": json_line_rows,
    ".ndjson": json_line_rows,
    ".json": json_list_rows,
}
_BINARY: dict[str, _Reader] = {
    ".xlsx": spreadsheet_rows,
    ".xlsm": spreadsheet_rows,
    ".parquet": parquet_rows,
    ".arrow": arrow_rows,
}
TABLE_SUFFIXES = (*_TEXT, *_BINARY)
"""The endings that `read_rows` knows, in small letters; each may be followed by .gz."""


def open_report(
    path: Path, source: str = "", encoding: str | None = None, delimiter: str | None = None
) -> Report:
    """A report for a file that exists, is not empty and is not too large.

    :param source: what messages call it; its own name by default.
    :param encoding: the encoding that the person chose, if any.
    :param delimiter: the delimiter that the person chose, if any.
    :raises Refused: when it is missing, a folder, unreadable, empty or over the limit.
    """
    source = source or source_of(path)
    require_file(path)
    size = path.stat().st_size
    if size == 0:
        raise Refused(f"{source} is empty (0 bytes).")
    if size > LIMITS.upload_bytes:
        raise Refused(
            f"{source} has {size:,} bytes; the limit is {LIMITS.upload_bytes:,}. Split the file."
        )
    return Report(source, encoding=encoding, delimiter=delimiter)


def read_rows(path: Path, report: Report, suffix: str = "") -> Iterator[Row]:
    """The rows of a table; sets `report.format` and `report.columns` first, and what it found.

    :param path: the file; its ending decides the format, a .gz is read as what is in it.
    :param suffix: the ending that decides instead, of a file that is called otherwise.
    :param report: from `open_report`; an encoding or a delimiter that is set is used as it is. Rows that
        cannot be read are refused in it.
    :raises Refused: when the file as a whole cannot be read, here or while the rows are read.
    """
    name = inner_name(path)
    suffix = suffix or PurePath(name).suffix.lower()
    reader = _TEXT.get(suffix) or _BINARY.get(suffix)
    if reader is None and suffix != ".xls":
        raise Refused(
            f"{report.source} is not of a format that can be read as a table: give "
            f"{', '.join(TABLE_SUFFIXES[:-1])} or {TABLE_SUFFIXES[-1]}."
        )
    if suffix == ".tsv" and report.delimiter is None:
        report.delimiter = "\t"
    stream = opened(path)
    report.share_read = _share_of(stream)
    try:
        if reader is None or suffix in _TEXT:
            kind = kind_of(stream) or markup_of(stream)
            refuse_other_kind(kind, report.source, wanted_by(name))
        if reader is None:
            raise Refused(f"{report.source} is not an Excel workbook. Save it as .xlsx.")
        rows = (row for row in reader(stream, report))
    except BaseException:
        stream.close()
        raise
    weakref.finalize(rows, stream.close)  # A generator that nobody begins closes nothing by itself.
    return rows


def text_lines(path: Path, report: Report) -> Iterator[str]:
    """The lines of a text file of any encoding, without a byte order mark, each bounded in length.

    :param path: the file; a .gz is read as what is in it.
    :param report: its encoding is used if it is set, else found and set at the first line.
    :raises Refused: naming the line, when a line is too long or binary; when the file is no text.
    """
    stream = opened(path)
    report.share_read = _share_of(stream)
    with stream:
        refuse_other_kind(kind_of(stream), report.source, wanted_by(inner_name(path)))
        yield from decoded_lines(stream, report)


def _share_of(stream: BinaryIO) -> Callable[[], float]:
    """How much of a stream was read so far (0 to 1)."""
    size = max(stream.seek(0, SEEK_END), 1)
    stream.seek(0)

    def share() -> float:
        return 1.0 if stream.closed else min(stream.tell() / size, 1.0)

    return share
