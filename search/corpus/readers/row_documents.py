"""Rows into documents: which column holds the id, the title and the text, and what is metadata."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from search.corpus.document import Document, Heading
from search.corpus.readers.blocks import BlockText, assembled
from search.corpus.readers.plain_text import DocumentPer
from search.corpus.readers.report import BadField, Report, Row, clean_text, guess_column, stem_of
from search.projects.errors import Refused
from search.projects.settings import LIMITS

_TEXT = (
    "text", "body", "content", "contents", "passage", "full_text", "fulltext", "abstract",
    "abstracttext", "document", "description", "answer", "response", "definition", "section_desc",
    "short_answer", "shortanswer", "summary", "long_description", "def", "definition_text", "preferred_term",
    "term", "str",
)  # fmt: skip
_TITLE = (
    "title", "heading", "headline", "name", "subject", "section_title", "articletitle", "article_title",
)  # fmt: skip
_ID = (
    "id", "_id", "doc_id", "docid", "docno", "document_id", "corpus_id", "corpus-id", "uid", "pmid",
    "aui", "rxaui",
)  # fmt: skip
_GUESS_ROWS = 100
_GUESS_CHARACTERS = 20


@dataclass(frozen=True)
class DocumentColumns:
    """Which columns hold the id, the title, the text and metadata; None leaves it to a guess.

    An id or a title of "" says that there is none. Where `metadata` is None, every column without another
    role is metadata. Prose (PDF, Word, ...) has no columns and is read as it is. `document_per` says what of
    a text file is one document ("file", "paragraph", "line").
    """

    text: str | None = None
    title: str | None = None
    id: str | None = None
    metadata: tuple[str, ...] | None = None
    document_per: DocumentPer | None = None


def documents_of_rows(
    rows: Iterator[Row], report: Report, columns: DocumentColumns
) -> Iterator[Document]:
    """Find out which column plays which role, then make a document of each row; rows without text are refused.

    :param report: its columns are set; its roles are filled in.
    :raises Refused: when a chosen column does not exist, or no column holds texts.
    """
    names, roles = report.columns, report.roles
    report.assign("text", _TEXT, columns.text)
    if "text" not in roles and len(names) == 1:
        roles["text"] = names[0]
    report.assign("title", _TITLE, columns.title)
    report.assign("id", _ID, columns.id)
    if "text" not in roles and names:
        ahead = list(islice(rows, _GUESS_ROWS))
        rows = chain(ahead, rows)
        others = [name for name in names if name not in roles.values()]
        if ahead:
            roles["text"] = _longest_column(others, ahead, report)
    report.roles = {role: roles[role] for role in ("id", "title", "text") if role in roles}
    chosen = None
    if columns.metadata is not None:
        chosen = {guess_column(names, (), name, report.source) for name in columns.metadata}
    return _documents(rows, report, chosen)


def _longest_column(names: Sequence[str], rows: Sequence[Row], report: Report) -> str:
    """The column with the longest texts, where no name says which it is.

    :raises Refused: when no column holds texts.
    """
    lengths = {
        name: sum(len(v) for row in rows if isinstance(v := row.fields.get(name), str)) / len(rows)
        for name in names
    }
    best = max(names, key=lambda name: lengths[name], default=None)
    if best is None or lengths[best] <= _GUESS_CHARACTERS:
        raise Refused(
            f"{report.source} has no text column: its columns are {', '.join(report.columns)}. "
            "Say which one holds the text (--text-column)."
        )
    report.notes.append(
        f"no column is named like a text: {best!r} was taken, its texts are the longest; "
        "choose another if that is wrong"
    )
    return best


def _documents(
    rows: Iterator[Row], report: Report, chosen: set[str | None] | None
) -> Iterator[Document]:
    seen: set[str] = set()
    stem = stem_of(report.source)
    for number, row in enumerate(rows, start=1):
        try:
            document = _document(row, report, chosen, f"{stem}-{number}")
        except BadField as error:
            report.refuse(row.where, str(error))
            continue
        if document.id in seen:
            report.refuse(row.where, f"the id {document.id!r} was used by an earlier row")
            continue
        seen.add(document.id)
        report.accepted += 1
        yield document


def _document(row: Row, report: Report, chosen: set[str | None] | None, fallback: str) -> Document:
    known = "id" in report.roles
    identity = report.text_of(row, "id", LIMITS.id_characters) if known else fallback
    if not identity:
        raise BadField("the id is empty")
    if "\n" in identity or "\t" in identity:
        raise BadField("the id holds a line break or a tab")
    marks: tuple[Heading, ...] = ()
    content = row.fields.get(report.roles.get("text", ""))
    if isinstance(content, BlockText):
        text, marks = assembled(content.blocks)
    else:
        text = report.text_of(row, "text")
    title = report.text_of(row, "title")
    if not text and not title:
        raise BadField("the text is empty")
    used = set(report.roles.values())
    metadata = {
        name: _metadata(content, name)
        for name, content in _facts(row, used)
        if name and content not in (None, "", [], {}) and (chosen is None or name in chosen)
    }
    return Document(identity, title, text, metadata, marks, row.where)


def _facts(row: Row, used: set[str]) -> Iterator[tuple[str, Any]]:
    """The columns without a role; a column "metadata" that holds an object, as BEIR has it, is taken apart."""
    for name, content in row.fields.items():
        if name in used:
            continue
        if name == "metadata" and isinstance(content, dict):
            yield from ((str(k), v) for k, v in content.items() if k not in row.fields)
        else:
            yield name, content


def _metadata(content: Any, name: str) -> str:
    if isinstance(content, list | dict | bool):
        return clean_text(json.dumps(content, ensure_ascii=False, default=str), name)
    if isinstance(content, BlockText):
        return clean_text(str(content), name)
    return clean_text(content, name)
