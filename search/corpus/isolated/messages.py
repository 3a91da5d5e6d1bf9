"""What a parent and its child say to each other: one JSON text a line, with the data classes that readers return.

Never pickle: what comes out of a child that read a hostile file is data. Only the classes listed here are made of it.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, BinaryIO

from search.corpus.document import Document, Heading
from search.corpus.json_numbers import AsWritten
from search.corpus.labels import Pair
from search.corpus.readers.beir import Beir
from search.corpus.readers.grades import GradeRules
from search.corpus.readers.judged import JudgedColumns
from search.corpus.readers.pairs import PairColumns
from search.corpus.readers.queries import QueryColumns
from search.corpus.readers.report import RefusedRow, Report, Row, Unusable
from search.corpus.readers.row_documents import DocumentColumns
from search.corpus.readers.sources import SourceFile, SourceFiles

LONGEST = 256_000_000
"""Bytes of the longest message. A document of prose may have 20 million characters."""

_CLASSES: dict[str, Any] = {
    made.__name__: made
    for made in (
        Heading, Pair, Beir, GradeRules, JudgedColumns, PairColumns, QueryColumns, RefusedRow, Report, Row, Unusable,
        DocumentColumns, SourceFile, SourceFiles,
    )
}  # fmt: skip
_FIELDS = {
    name: tuple(one.name for one in fields(made) if one.name != "share_read")
    for name, made in _CLASSES.items()
}


plain_text_of = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), check_circular=False
).encode
"""What JSON knows as JSON text."""


STATE = ("format", "encoding", "delimiter", "columns", "nested", "roles", "meanings", "notes")
"""What of a report is sent as it is; its counts and refusals are sent as they grow."""


class Garbled(Exception):
    """A message is none: too long, cut off, or of nothing that is known."""


def write(stream: BinaryIO, message: str) -> None:
    """Send one message, of JSON text; waits until the other side takes it."""
    # Half of a character is a text as well: a row that holds one is refused by whoever looks at it.
    stream.write(message.encode("utf-8", "surrogatepass") + b"\n")
    stream.flush()


def read(stream: BinaryIO) -> Any:
    """The next message; None at the end.

    :raises Garbled: when it is none.
    """
    line = stream.readline(LONGEST)
    if not line:
        return None
    if not line.endswith(b"\n"):
        raise Garbled("was cut off or is too long")
    try:
        return json.loads(line.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise Garbled("is not JSON") from error


def text_of(value: Any) -> str:
    """A value as JSON text."""
    return plain_text_of(packed(value))


def packed(value: Any) -> Any:
    """A value as what JSON knows; see `unpacked`."""
    if isinstance(value, AsWritten):
        return {"written": str(value)}
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Document):
        marks = [(mark.start, mark.heading, mark.page) for mark in value.marks]
        facts = (value.id, value.title, value.text, dict(value.metadata), marks, value.where)
        return {"document": facts}
    if isinstance(value, list):
        return [packed(one) for one in value]
    if isinstance(value, tuple):
        return {"tuple": [packed(one) for one in value]}
    if isinstance(value, Mapping):
        return {"map": {name: packed(one) for name, one in value.items()}}
    if isinstance(value, Path):
        return {"path": str(value)}
    name = type(value).__name__
    return {name: [packed(getattr(value, one)) for one in _FIELDS[name]]}


def unpacked(value: Any) -> Any:
    """The value that `packed` made this of.

    :raises Garbled: for anything else.
    """
    try:
        return _unpacked(value)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise Garbled("holds what nobody knows") from error


def _unpacked(value: Any) -> Any:
    if isinstance(value, list):
        return [_unpacked(one) for one in value]
    if not isinstance(value, dict):
        return value
    ((name, held),) = value.items()
    if name == "document":
        return _document(*held)
    if name == "map":
        return {str(key): _unpacked(one) for key, one in held.items()}
    if name == "path":
        return Path(held)
    if name == "written":
        return AsWritten(held)
    parts = [_unpacked(one) for one in held]
    if name == "tuple":
        return tuple(parts)
    return _CLASSES[name](**dict(zip(_FIELDS[name], parts, strict=True)))


def _document(
    name: str, title: str, text: str, metadata: dict[str, str], marks: list[Any], where: str
) -> Document:
    strings = (name, title, text, where, *metadata, *metadata.values())
    if not all(type(one) is str for one in strings):
        raise TypeError("a document is made of texts")
    return Document(name, title, text, metadata, tuple(Heading(*mark) for mark in marks), where)
