"""JSONL line by line, and JSON lists of objects."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO

from search.corpus.json_numbers import AsWritten
from search.corpus.readers.cells import with_columns
from search.corpus.readers.encodings import decoded, decoded_lines
from search.corpus.readers.envelopes import records_of
from search.corpus.readers.report import Report, Row, Unusable
from search.projects.errors import Refused, first_line
from search.projects.settings import LIMITS

_PEEKED = 64 * 1024


def json_line_rows(stream: BinaryIO, report: Report) -> Iterator[Row]:
    """The objects of a JSONL file, one a line; sets the format and the columns first.

    Lines that are no objects are refused in the report.

    :param stream: the file; closed at the end.
    :raises Refused: when the file is not text.
    """
    report.format = "JSONL"
    return with_columns(_lines(stream, report), report)


def json_list_rows(stream: BinaryIO, report: Report) -> Iterator[Row]:
    """The objects of a JSON list, or of the list that an object is wrapped around; one object; else JSONL.

    Sets the format and the columns first. Items that are no objects are refused in the report.

    :param stream: the file; closed.
    :raises Refused: when the file is not JSON, too large to be read whole, or holds several lists.
    """
    if _is_lines(stream):
        report.notes.append("one object a line: read as JSONL")
        return json_line_rows(stream, report)
    report.format = "JSON"
    size = stream.seek(0, 2)
    if size > LIMITS.json_bytes:
        stream.close()
        raise Refused(
            f"{report.source} has {size:,} bytes; a JSON list may have {LIMITS.json_bytes:,}. "
            "Save it as JSONL (one object a line)."
        )
    try:
        value = _parsed(decoded(stream, report))
    except (ValueError, RecursionError) as error:
        raise Refused(f"{report.source} is not JSON: {_short(error)}.") from None
    return with_columns(_items(records_of(value, report), report), report)


def _lines(stream: BinaryIO, report: Report) -> Iterator[Row]:
    for number, line in enumerate(decoded_lines(stream, report), start=1):
        if not line.strip():
            continue
        where = f"line {number}"
        try:
            value = _parsed(line)
        except (ValueError, RecursionError) as error:
            report.refuse(where, f"not JSON ({_short(error)})")
            continue
        if problem := _problem_with(value):
            report.refuse(where, problem)
            continue
        yield Row(where, value)


def _items(items: list[Any], report: Report) -> Iterator[Row]:
    for number, item in enumerate(items, start=1):
        if problem := _problem_with(item):
            report.refuse(f"item {number}", problem)
        else:
            yield Row(f"item {number}", item)


def _is_lines(stream: BinaryIO) -> bool:
    """Whether a .json file begins with one object a line, as many exports do."""
    stream.seek(0)
    head = stream.read(_PEEKED).removeprefix(b"\xef\xbb\xbf").splitlines()
    starts = [line for line in head if line.strip()][:2]
    try:
        first = json.loads(starts[0].decode("utf-8", "replace")) if len(starts) == 2 else None
    except (ValueError, RecursionError):
        return False
    return isinstance(first, dict) and starts[1].lstrip().startswith(b"{")


def _parsed(text: str) -> Any:
    return json.loads(
        text, parse_float=AsWritten, parse_constant=_constant, object_pairs_hook=_object
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a field that is there twice is neither of the two."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        fields |= {n: Unusable("is there twice in one object") for n in counts if counts[n] > 1}
    return fields


def _constant(name: str) -> str | None:
    """NaN is how programs write a missing number; the infinities are no numbers but stay as words."""
    return None if name == "NaN" else name


def _problem_with(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "not a JSON object"
    names = "".join(value)
    if names.isascii():
        return None
    try:
        names.encode("utf-8")
    except UnicodeEncodeError:
        return "the name of a field holds a broken character (an unpaired surrogate)"
    return None


def _short(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "lists or objects inside one another, too deep to read"
    return first_line(error, 120)
