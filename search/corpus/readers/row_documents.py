"""Rows into documents: which column holds the id, the title and the text, and what is metadata."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from search.corpus.document import Document, Heading
from search.corpus.json_numbers import json_text
from search.corpus.readers.blocks import Block, BlockText, assembled
from search.corpus.readers.html import content_of
from search.corpus.readers.paths import joined, nested_columns, paths_of, value_at
from search.corpus.readers.plain_text import DocumentPer
from search.corpus.readers.report import BadField, Report, Row, clean_text, guess_column, stem_of
from search.corpus.readers.text_columns import (
    by_name,
    holds_html,
    is_markup,
    is_title,
    is_usable,
    last_name,
    longest,
    prose_lengths,
)
from search.projects.errors import Refused
from search.projects.settings import LIMITS

_TEXT = (
    "text", "body", "content", "contents", "passage", "full_text", "fulltext", "abstract",
    "abstracttext", "document", "description", "answer", "response", "definition", "section_desc",
    "short_answer", "shortanswer", "summary", "plain_text", "context", "long_description", "def",
    "definition_text", "preferred_term", "term", "str",
)  # fmt: skip
_TITLE = (
    "title", "heading", "headline", "name", "subject", "section_title", "articletitle", "article_title",
    "case_name", "casename", "brieftitle", "brief_title",
)  # fmt: skip
_ID = (
    "id", "_id", "doc_id", "docid", "docno", "document_id", "corpus_id", "corpus-id", "uid", "pmid",
    "aui", "rxaui", "paper_id", "paperid", "nct_id", "nctid",
)  # fmt: skip
_INSIDE_TITLE = ("title", "headline", "heading", "brieftitle", "case_name", "casename")
_GUESS_ROWS = 100
_FACTS_INSIDE = 50
_JATS = re.compile(r"(</?)jats:([a-z-]+)")
_JATS_TAGS = {
    "title": "h4",
    "sec": "section",
    "italic": "i",
    "bold": "b",
    "list": "ul",
    "list-item": "li",
}


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

    A column may be a path into nested values (`casebody.data.opinions[].text`). A list of texts is one text,
    a blank line between them; a column of HTML is read as pages.

    :param report: its columns are set; its roles and the paths of nested values are filled in.
    :raises Refused: when a chosen column does not exist, or no column holds texts.
    """
    ahead = list(islice(rows, _GUESS_ROWS))
    raw = dict.fromkeys(
        str(name) for row in ahead for name in row.raw if name not in report.columns
    )
    report.nested = (*raw, *nested_columns(row.raw or row.fields for row in ahead))
    roles = report.roles
    if columns.text is None:
        text = _guessed_text(ahead, report, columns)
        if text is not None:
            roles["text"] = text
    else:
        report.assign("text", (), columns.text)
    report.assign("title", _TITLE, columns.title)
    if "title" not in roles and columns.title is None:
        title = next((p for n in _INSIDE_TITLE for p in report.nested if is_title(p, n)), None)
        roles.update({"title": title} if title else {})
    report.assign("id", _ID, columns.id)
    report.roles = {role: roles[role] for role in ("id", "title", "text") if role in roles}
    chosen = None
    if columns.metadata is not None:
        chosen = {report.column(name) for name in columns.metadata}
    html: set[str] = {
        role for role in ("text", "title") if role in roles and holds_html(ahead, roles[role])
    }
    if "text" in html:
        report.notes.append(
            f"the column {roles['text']!r} holds HTML: it was read as pages are, without tags and scripts"
        )
    return _documents(chain(ahead, rows), report, chosen, html)


def _guessed_text(ahead: Sequence[Row], report: Report, columns: DocumentColumns) -> str | None:
    """The column of the text: one that is named so and holds prose, else the one with most prose.

    :raises Refused: when no column holds texts.
    """
    names = report.columns
    given = {report.column(name) for name in (columns.title, columns.id) if name}
    others = [name for name in names if name]
    named = [
        name for known in _TEXT for name in others if last_name(name) == known and "." not in name
    ]
    if not ahead or (named and is_usable(ahead, named[0])):
        return named[0] if named else None
    if len(names) == 1 and not report.nested:
        return names[0]
    titles = {path for path in report.nested for name in _INSIDE_TITLE if is_title(path, name)}
    inside = [path for path in report.nested if path not in given | titles]
    lengths = prose_lengths(ahead, [*others, *inside])
    best = next((name for name in named if lengths[name]), None)
    if best is not None:
        return best
    taken = given | {guess_column(names, of, None, report.source) for of in (_TITLE, _ID)}
    lengths = {name: length for name, length in lengths.items() if name not in taken}
    best = by_name(lengths, _TEXT, inside)
    if best is not None and lengths[best] >= max(
        lengths[name] for name in others if name in lengths
    ):
        report.notes.append(f"the text was taken from {best!r}; choose another if that is wrong")
        return best
    best = longest(lengths)
    if best is None and named:
        return named[0]
    if best is None:
        raise Refused(
            f"{report.source} has no text column: its columns are {', '.join(names)}. "
            "Say which one holds the text (--text-column)."
        )
    report.notes.append(
        f"no column is named like a text: {best!r} was taken, its texts are the longest; "
        "choose another if that is wrong"
    )
    return best


def _documents(
    rows: Iterator[Row], report: Report, chosen: set[str] | None, html: set[str]
) -> Iterator[Document]:
    seen: set[str] = set()
    stem = stem_of(report.source)
    for number, row in enumerate(rows, start=1):
        try:
            document = _document(row, report, chosen, html, f"{stem}-{number}")
        except BadField as error:
            report.refuse(row.where, str(error))
            continue
        if document.id in seen:
            report.refuse(row.where, f"the id {document.id!r} was used by an earlier row")
            continue
        seen.add(document.id)
        report.accepted += 1
        yield document


def _document(
    row: Row, report: Report, chosen: set[str] | None, html: set[str], fallback: str
) -> Document:
    identity = fallback
    if "id" in report.roles:
        identity, _ = _content(row, report, "id", False)
    if not identity:
        raise BadField("the id is empty")
    if "\n" in identity or "\t" in identity:
        raise BadField("the id holds a line break or a tab")
    text, marks = _content(row, report, "text", "text" in html)
    title, _ = _content(row, report, "title", "title" in html)
    if not text and not title:
        raise BadField("the text is empty")
    used = set(report.roles.values())
    metadata = {
        name: _metadata(content, name)
        for name, content in _facts(row, used, chosen or set())
        if name and content not in (None, "", [], {}) and (chosen is None or name in chosen)
    }
    return Document(identity, title, text, metadata, marks, row.where)


def _content(row: Row, report: Report, role: str, html: bool) -> tuple[str, tuple[Heading, ...]]:
    """What plays a role in a row, as clean text, and where its headings begin.

    :raises BadField: when it is no text, or too long.
    """
    column = report.roles.get(role)
    if column is None:
        return "", ()
    value = value_at(row.values, column)
    if role == "id":
        limit = LIMITS.id_characters
        single = isinstance(value, list) and len(value) == 1 and column not in row.fields
        return clean_text(value[0] if single else value, column, limit), ()
    value = joined(value, "; " if role == "title" else "\n\n")
    if html and is_markup(value):
        value = BlockText(tuple(_page(value, report)))
    if isinstance(value, BlockText):
        text, marks = assembled(value.blocks)
        return (" ".join(text.split()), ()) if role == "title" else (text, marks)
    return clean_text(value, column), ()


def _page(markup: str, report: Report) -> list[Block]:
    """The blocks of a field in HTML, or in the JATS that publishers' metadata have."""
    if "<jats:" in markup:
        markup = _JATS.sub(lambda tag: tag[1] + _JATS_TAGS.get(tag[2], tag[2]), markup)
    try:
        return content_of(markup, Report(report.source))[1]
    except Refused as error:
        raise BadField(str(error)) from None


def _facts(row: Row, used: set[str], chosen: set[str]) -> Iterator[tuple[str, Any]]:
    """The columns without a role; a column "metadata" that holds an object, as BEIR has it, is taken apart.

    Of a column inside of which a role was found, what else is in it comes under its path.
    """
    for name, content in row.fields.items():
        if name in used:
            continue
        if any(path.startswith((f"{name}.", f"{name}[")) for path in used):
            yield from _inside({name: content}, used)
        elif name == "metadata" and isinstance(content, dict):
            yield from ((str(k), v) for k, v in content.items() if k not in row.fields)
        else:
            yield name, content
    for path in chosen - row.fields.keys():
        yield path, joined(value_at(row.values, path), "; ")


def _inside(fields: dict[str, Any], used: set[str]) -> Iterator[tuple[str, Any]]:
    paths = dict.fromkeys(path for path, _ in paths_of(fields) if path not in used)
    for path in islice(paths, _FACTS_INSIDE):
        yield path, joined(value_at(fields, path), "; ")


def _metadata(content: Any, name: str) -> str:
    if isinstance(content, list | dict | bool):
        return clean_text(json_text(content), name)
    if isinstance(content, BlockText):
        return clean_text(str(content), name)
    return clean_text(content, name)
