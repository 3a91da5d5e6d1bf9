"""JSON objects of ids: {"q1": "text"} for queries, {"q1": {"d1": 2}} or {"q1": ["d1"]} for judgments, or both in one.

Also lists of texts without names: ["query", "answer", "negative"] in each line.
"""

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path, PurePath
from typing import Any, TypeGuard

from search.corpus.readers.compressed import inner_name, opened
from search.corpus.readers.encodings import decoded
from search.corpus.readers.report import Report, Row
from search.corpus.readers.tables import text_lines
from search.projects.errors import Refused
from search.projects.settings import LIMITS

QUERY, TEXT, DOCUMENT, GRADE = "query_id", "query_text", "document_id", "grade"


def mapping_rows(path: Path, report: Report) -> Iterator[Row] | None:
    """The rows of a JSON object whose names are ids; None for any other file.

    One object may hold both, as "queries" and "relevant_docs" (LlamaIndex, sentence-transformers) or "qrels".

    :param report: its format and columns are set.
    """
    stream = opened(path)
    if stream.seek(0, 2) > LIMITS.json_bytes:
        stream.close()
        return None
    try:
        value = json.loads(decoded(stream, report))
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not value:
        return None
    texts = value.get("queries")
    judged = value.get("relevant_docs", value.get("qrels"))
    if _is_texts(texts) and isinstance(judged, dict) and all(map(_is_judged, judged.values())):
        both = ((q, {**row, TEXT: texts.get(q)}) for q, row in _judged(judged))
        return _rows(both, report, (QUERY, TEXT, DOCUMENT, GRADE))
    if _is_texts(value):
        return _rows(
            ((q, {QUERY: q, TEXT: said}) for q, said in value.items()), report, (QUERY, TEXT)
        )
    if all(_is_judged(said) for said in value.values()):
        return _rows(_judged(value), report, (QUERY, DOCUMENT, GRADE))
    return None


def list_rows(path: Path, report: Report) -> Iterator[Row] | None:
    """The rows of JSON that holds lists of two or three texts, one a line or in a list; None for any other file.

    :param report: its format and columns are set: "column 1", "column 2" ...
    """
    is_lines = PurePath(inner_name(path)).suffix.lower() != ".json"
    try:
        if is_lines:
            lines = ((n, line) for n, line in enumerate(text_lines(path, report), start=1))
            items = ((f"line {n}", json.loads(line)) for n, line in lines if line.strip())
        else:
            stream = opened(path)
            if stream.seek(0, 2) > LIMITS.json_bytes:
                stream.close()
                return None
            whole = json.loads(decoded(stream, report))
            items = ((f"item {n}", item) for n, item in enumerate(whole, start=1))
        first = next(items, None)
    except (ValueError, RecursionError, TypeError, Refused):
        return None
    if first is None or not _is_list(first[1]):
        return None
    report.format, width = "JSONL" if is_lines else "JSON", len(first[1])
    report.columns = tuple(f"column {n}" for n in range(1, width + 1))
    return _listed(chain([first], items), report)


def _listed(items: Iterator[tuple[str, Any]], report: Report) -> Iterator[Row]:
    try:
        for where, item in items:
            if _is_list(item) and len(item) == len(report.columns):
                yield Row(where, dict(zip(report.columns, item, strict=True)))
            else:
                report.refuse(where, f"is not a list of {len(report.columns)} texts, as the first")
    except (ValueError, RecursionError):
        raise Refused(f"{report.source} is not JSON in every line.") from None


def _is_list(item: Any) -> bool:
    """Whether an item is a list of two or three texts; the last may be a number, a label."""
    return (
        isinstance(item, list)
        and len(item) in (2, 3)
        and all(isinstance(text, str) for text in item[:2])
        and isinstance(item[-1], str | int | float)
    )


def _rows(
    fields: Iterator[tuple[str, dict[str, Any]]], report: Report, columns: tuple[str, ...]
) -> Iterator[Row]:
    report.format, report.columns = "JSON", columns
    return (Row(f"item {name!r}", row) for name, row in fields)


def _judged(value: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for query, said in value.items():
        grades = said if isinstance(said, dict) else dict.fromkeys(map(str, said), 1)
        for document, grade in grades.items():
            yield query, {QUERY: query, DOCUMENT: document, GRADE: grade}


def _is_texts(said: Any) -> TypeGuard[dict[str, str]]:
    return isinstance(said, dict) and all(isinstance(text, str) for text in said.values())


def _is_judged(said: Any) -> bool:
    if isinstance(said, dict):
        return bool(said) and all(isinstance(grade, int | float) for grade in said.values())
    return isinstance(said, list) and bool(said) and all(isinstance(d, str | int) for d in said)
