"""Files into documents: CSV, TSV, JSONL, JSON and plain text."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from search.documents import Document
from search.errors import Refused
from search.readers.report import BadField, Report, Row, clean_text, guess_column
from search.readers.tables import open_report, read_rows, text_lines

_TEXT = (
    "text",
    "body",
    "content",
    "contents",
    "passage",
    "abstract",
    "document",
    "description",
    "answer",
    "response",
    "definition",
    "section_desc",
)
_TITLE = ("title", "heading", "headline", "name", "subject", "section_title")
_ID = ("id", "_id", "doc_id", "docid", "document_id", "corpus_id", "corpus-id", "uid")
_ID_CHARACTERS = 512


@dataclass(frozen=True)
class DocumentColumns:
    """Which columns hold the id, the title, the text and metadata; None leaves it to a guess.

    Where `metadata` is None, every column without another role is metadata.
    """

    text: str | None = None
    title: str | None = None
    id: str | None = None
    metadata: tuple[str, ...] | None = None


def read_documents(
    path: Path, report: Report, columns: DocumentColumns = DocumentColumns()
) -> Iterator[Document]:
    """The documents of one file, each valid and with an id unique in the file.

    :param path: a .csv, .tsv, .jsonl, .json or .txt file.
    :param report: from `open_report`; filled as the file is read.
    :param columns: the columns to use.
    :raises Refused: when the file as a whole cannot be used (naming what to do).
    """
    if path.suffix.lower() in {".txt", ".text"}:
        return _plain_text(path, report)
    rows = read_rows(path, report)
    names = report.columns
    text = guess_column(names, _TEXT, columns.text, report.source)
    if text is None and len(names) == 1:
        text = names[0]
    if text is None and names:
        raise Refused(
            f"{report.source} has no text column: its columns are {', '.join(names)}. "
            "Say which one holds the text (--text-column)."
        )
    others = [name for name in names if name != text]
    title = guess_column(others, _TITLE, columns.title, report.source)
    identity = guess_column(others, _ID, columns.id, report.source)
    roles = {"id": identity, "title": title, "text": text}
    report.roles = {role: column for role, column in roles.items() if column is not None}
    return _documents(rows, report, Path(report.source).stem)


def preview_documents(
    path: Path, columns: DocumentColumns = DocumentColumns(), rows: int = 5
) -> tuple[list[Document], Report]:
    """Read a whole file without saving anything.

    :returns: its first documents, and the full report.
    :raises Refused: as `read_documents`, and when no row is usable.
    """
    report = open_report(path)
    documents = read_documents(path, report, columns)
    first = list(islice(documents, rows))
    for _ in documents:
        pass
    report.require_some("documents")
    return first, report


def _documents(rows: Iterator[Row], report: Report, stem: str) -> Iterator[Document]:
    seen: set[str] = set()
    used = set(report.roles.values())
    for number, row in enumerate(rows, start=1):
        try:
            document = _document(row, report.roles, used, f"{stem}-{number}")
        except BadField as error:
            report.refuse(row.where, str(error))
            continue
        if document.id in seen:
            report.refuse(row.where, f"the id {document.id!r} was used by an earlier row")
            continue
        seen.add(document.id)
        report.accepted += 1
        yield document


def _document(row: Row, roles: Mapping[str, str], used: set[str], fallback: str) -> Document:
    def value(role: str, limit: int | None = None) -> str:
        column = roles.get(role)
        if column is None:
            return ""
        content = row.fields.get(column)
        return clean_text(content, column, limit) if limit else clean_text(content, column)

    identity = value("id", _ID_CHARACTERS) if "id" in roles else fallback
    if not identity:
        raise BadField("the id is empty")
    if "\n" in identity or "\t" in identity:
        raise BadField("the id holds a line break or a tab")
    text, title = value("text"), value("title")
    if not text and not title:
        raise BadField("the text is empty")
    metadata = {
        str(name): _metadata(content, str(name))
        for name, content in row.fields.items()
        if name and name not in used and content not in (None, "")
    }
    return Document(identity, title, text, metadata)


def _metadata(content: Any, name: str) -> str:
    if isinstance(content, list | dict | bool):
        return clean_text(json.dumps(content, ensure_ascii=True), name)
    return clean_text(content, name)


def _plain_text(path: Path, report: Report) -> Iterator[Document]:
    report.format = "plain text"
    blocks = _paragraphs(path) if _has_blank_lines(path) else _lines(path)
    stem = Path(report.source).stem
    for number, (line, block) in enumerate(blocks, start=1):
        try:
            text = clean_text(block, "the text")
        except BadField as error:
            report.refuse(f"line {line}", str(error))
            continue
        if text:
            report.accepted += 1
            yield Document(f"{stem}-{number}", "", text)


def _has_blank_lines(path: Path) -> bool:
    """Whether blank lines part the text into paragraphs (else each line is a document)."""
    report = open_report(path)
    seen_text = blank_after_text = False
    for line in text_lines(path, report):
        if line.strip():
            if blank_after_text:
                return True
            seen_text = True
        elif seen_text:
            blank_after_text = True
    return False


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text_lines(path, open_report(path)), start=1):
        if line.strip():
            yield number, line


def _paragraphs(path: Path) -> Iterator[tuple[int, str]]:
    block: list[str] = []
    start = 1
    for number, line in enumerate(text_lines(path, open_report(path)), start=1):
        if line.strip():
            if not block:
                start = number
            block.append(line)
        elif block:
            yield start, "".join(block)
            block = []
    if block:
        yield start, "".join(block)
