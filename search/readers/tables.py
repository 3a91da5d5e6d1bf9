"""CSV, TSV, JSON lists, JSONL and plain text, row by row and in bounded memory."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from search.errors import Refused
from search.readers.report import Report, Row, source_of
from search.settings import LIMITS

_DELIMITERS = (",", "\t", ";", "|")
_JSON_BYTES = 256 * 1024 * 1024


def open_report(path: Path) -> Report:
    """A report for a file that exists, is not empty and is not too large.

    :raises Refused: when it is missing, a folder, empty or over the limit.
    """
    source = source_of(path)
    if not path.exists():
        raise Refused(f"There is no file {path}.")
    if not path.is_file():
        raise Refused(f"{path} is not a file.")
    size = path.stat().st_size
    if size == 0:
        raise Refused(f"{source} is empty (0 bytes).")
    if size > LIMITS.upload_bytes:
        raise Refused(
            f"{source} has {size:,} bytes; the limit is {LIMITS.upload_bytes:,}. Split the file."
        )
    return Report(source=source)


def read_rows(path: Path, report: Report) -> Iterator[Row]:
    """The rows of a CSV, TSV, JSONL or JSON file; sets `report.format` and `report.columns` first.

    :param path: the file; its ending decides the format.
    :param report: from `open_report`; rows that cannot be read are refused in it.
    :raises Refused: when the file as a whole cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix in {".csv", ".tsv"}:
        return _delimited(path, report)
    if suffix in {".jsonl", ".ndjson"}:
        return _json_lines(path, report)
    if suffix == ".json":
        return _json_list(path, report)
    raise Refused(
        f"{report.source} is not of a format that can be read as a table: "
        "give .csv, .tsv, .jsonl or .json."
    )


def text_lines(path: Path, report: Report) -> Iterator[str]:
    """The lines of a UTF-8 file, without a byte order mark, each bounded in length.

    :raises Refused: naming the line, when a line is too long, not UTF-8 or binary.
    """
    with path.open("rb") as stream:
        number = 0
        while line := stream.readline(LIMITS.line_bytes + 1):
            number += 1
            if len(line) > LIMITS.line_bytes:
                raise Refused(
                    f"{report.source}, line {number}: longer than {LIMITS.line_bytes:,} bytes. "
                    "Is this a text file?"
                )
            if number == 1:
                if line.startswith((b"\xff\xfe", b"\xfe\xff")):
                    raise Refused(f"{report.source} is UTF-16, not UTF-8. Save it as UTF-8.")
                line = line.removeprefix(b"\xef\xbb\xbf")
            if b"\x00" in line:
                raise Refused(
                    f"{report.source}, line {number}: holds NUL bytes, so it is not a text file."
                )
            try:
                yield line.decode("utf-8")
            except UnicodeDecodeError as error:
                raise Refused(
                    f"{report.source}, line {number}: not UTF-8 "
                    f"(byte 0x{line[error.start]:02x} at column {error.start + 1}). "
                    "Save the file as UTF-8 and try again."
                ) from None


def _delimited(path: Path, report: Report) -> Iterator[Row]:
    lines = text_lines(path, report)
    first = next(lines, "")
    while first and not first.strip():
        first = next(lines, "")
    delimiter = "\t" if path.suffix.lower() == ".tsv" else _most_frequent_delimiter(first)
    report.format = "TSV" if delimiter == "\t" else "CSV"
    report.delimiter = delimiter
    csv.field_size_limit(LIMITS.line_bytes)
    reader = csv.reader(_prepend(first, lines), delimiter=delimiter, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise Refused(f"{report.source}, line 1: {error}.") from None
    _check_header(header, report)
    report.columns = tuple(header)
    return _delimited_rows(reader, header, report)


def _delimited_rows(reader: Any, header: list[str], report: Report) -> Iterator[Row]:
    number = 1
    while True:
        number += 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Refused(
                f"{report.source}, row {number} (line {reader.line_num}): {error}. "
                "Is a quotation mark missing?"
            ) from None
        if not any(value.strip() for value in values):
            continue
        where = f"row {number}"
        if len(values) != len(header):
            report.refuse(where, f"has {len(values)} fields, the header has {len(header)}")
            continue
        yield Row(where, dict(zip(header, values, strict=True)))


def _check_header(header: list[str], report: Report) -> None:
    if len(header) > LIMITS.columns:
        raise Refused(
            f"{report.source} has {len(header):,} columns; the limit is {LIMITS.columns:,}."
        )
    named = [name for name in header if name]
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise Refused(f"{report.source} has two columns named {twice[0]!r}. Rename one.")


def _json_lines(path: Path, report: Report) -> Iterator[Row]:
    report.format = "JSONL"
    rows = _json_line_rows(path, report)
    return _with_columns(rows, report)


def _json_line_rows(path: Path, report: Report) -> Iterator[Row]:
    for number, line in enumerate(text_lines(path, report), start=1):
        if not line.strip():
            continue
        where = f"line {number}"
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            report.refuse(where, f"not JSON ({_short(error)})")
            continue
        if problem := _problem_with(value):
            report.refuse(where, problem)
            continue
        yield Row(where, value)


def _json_list(path: Path, report: Report) -> Iterator[Row]:
    report.format = "JSON"
    if path.stat().st_size > _JSON_BYTES:
        raise Refused(
            f"{report.source} has {path.stat().st_size:,} bytes; a JSON list may have "
            f"{_JSON_BYTES:,}. Save it as JSONL (one object a line)."
        )
    raw = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    try:
        value = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Refused(
            f"{report.source} is not UTF-8 (byte 0x{raw[error.start]:02x} at offset "
            f"{error.start:,}). Save the file as UTF-8 and try again."
        ) from None
    except (ValueError, RecursionError) as error:
        raise Refused(f"{report.source} is not JSON: {_short(error)}.") from None
    if not isinstance(value, list):
        what = "it starts as an object" if isinstance(value, dict) else "it is a single value"
        raise Refused(f"{report.source} is not a JSON list of objects: {what}.")
    return _with_columns(_json_items(value, report), report)


def _json_items(items: list[Any], report: Report) -> Iterator[Row]:
    for number, item in enumerate(items, start=1):
        if problem := _problem_with(item):
            report.refuse(f"item {number}", problem)
        else:
            yield Row(f"item {number}", item)


def _problem_with(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "not a JSON object"
    try:
        "".join(value).encode("utf-8")
    except UnicodeEncodeError:
        return "the name of a field holds a broken character (an unpaired surrogate)"
    return None


def _with_columns(rows: Iterator[Row], report: Report) -> Iterator[Row]:
    """Look ahead far enough to know the columns, then give every row."""
    ahead: list[Row] = []
    for row in rows:
        ahead.append(row)
        if len(ahead) == 100:
            break
    report.columns = tuple(dict.fromkeys(str(name) for row in ahead for name in row.fields))

    def everything() -> Iterator[Row]:
        yield from ahead
        yield from rows

    return everything()


def _most_frequent_delimiter(line: str) -> str:
    counts = {delimiter: _count_unquoted(line, delimiter) for delimiter in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda delimiter: counts[delimiter])
    return best if counts[best] else ","


def _count_unquoted(line: str, delimiter: str) -> int:
    return sum(part.count(delimiter) for part in line.split('"')[::2])


def _prepend(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _short(error: Exception) -> str:
    return str(error).split("\n")[0][:120] or type(error).__name__
