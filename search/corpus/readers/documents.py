"""Files into documents: tables and lists of records row by row, prose one document a file."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path, PurePath
from typing import Any

from search.corpus.document import Document
from search.corpus.readers.blocks import Prose, document_of
from search.corpus.readers.compressed import inflated
from search.corpus.readers.mail import read_mailbox
from search.corpus.readers.plain_text import DocumentPer, read_plain_text
from search.corpus.readers.release_files import rrf_rows, text_table
from search.corpus.readers.report import BadField, RefusedRow, Report, Row, clean_text, guess_column
from search.corpus.readers.sources import (
    MAILBOXES,
    PLAIN_TEXT,
    PROSE,
    RELEASES,
    TABLES,
    XML,
    SourceFile,
    combined_report,
    opened_sources,
    suffix_of,
    unreadable,
)
from search.corpus.readers.tables import open_report, read_rows
from search.corpus.readers.xml import read_xml, xml_records
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
_PARTLY = "only the first {} were looked at; all are read when the file is added"


@dataclass(frozen=True)
class DocumentColumns:
    """Which columns hold the id, the title, the text and metadata; None leaves it to a guess.

    An id or a title of "" says that there is none. Where `metadata` is None, every column without another
    role is metadata. Prose (PDF, Word, ...) has no columns and is read as it is. `document_per` says what of
    a text file is one document.
    """

    text: str | None = None
    title: str | None = None
    id: str | None = None
    metadata: tuple[str, ...] | None = None
    document_per: DocumentPer | None = None


def read_documents(
    path: Path, report: Report, columns: DocumentColumns = DocumentColumns()
) -> Iterator[Document]:
    """The documents of one file, each valid and with an id unique in the file.

    :param path: a file that `formats.READABLE` lists; its ending decides how it is read.
    :param report: from `open_report`; filled as the file is read. Its source is the name that ids and
        messages show; an encoding or a delimiter that is set is used as it is.
    :param columns: the columns to use.
    :raises Refused: when the file as a whole cannot be used (naming what to do).
    """
    suffix = suffix_of(path.name)
    if suffix in TABLES:
        return _from_rows(read_rows(path, report), report, columns)
    if suffix in RELEASES:
        return _from_rows(rrf_rows(path, report), report, columns)
    if suffix in PLAIN_TEXT:
        rows = text_table(path, report) if columns.document_per is None else None
        if rows is not None:
            return _from_rows(rows, report, columns)
        return read_plain_text(path, report, _stem(report.source), columns.document_per)
    if suffix in MAILBOXES:
        return read_mailbox(path, report)
    if suffix in PROSE or suffix in XML:
        return _from_file(path, report, columns, PROSE.get(suffix, read_xml))
    raise Refused(f"{report.source} cannot be read: {unreadable(path.name)}")


def preview_documents(
    path: Path,
    columns: DocumentColumns = DocumentColumns(),
    rows: int = 5,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> tuple[list[Document], Report]:
    """Read a file, an archive or a folder, or the beginning of a large one, without saving anything.

    :param rows: how many documents to return.
    :param encoding: what text files were saved in; None finds out.
    :param delimiter: what parts the columns of CSV files; None finds out.
    :returns: the first documents, and one report of all rows that were looked at; for an archive or folder
        it lists the members that cannot be read, and names the member of each refused row.
    :raises Refused: as `read_documents` and `opened_sources`, and when no row is usable.
    """
    first: list[Document] = []
    reports: list[Report] = []
    with opened_sources([path]) as sources:
        left = LIMITS.preview_rows
        for number, source in enumerate(sources.files):
            if left <= 0 or number == LIMITS.preview_files:
                sources.notes.append(_PARTLY.format(f"{number:,} files"))
                break
            try:
                found, report = _beginning(source, columns, (encoding, delimiter), left, rows)
            except Refused as error:
                if not source.member:
                    raise
                sources.refused.append(RefusedRow(source.name, str(error)))
                continue
            first += found[: rows - len(first)]
            reports.append(report)
            left -= report.accepted + report.refused_count
        alone = not sources.files[0].member
        report = reports[0] if alone else combined_report(path, sources, reports)
    report.require_some("documents")
    return first, report


def _beginning(
    source: SourceFile,
    columns: DocumentColumns,
    form: tuple[str | None, str | None],
    limit: int,
    rows: int,
) -> tuple[list[Document], Report]:
    """The first documents of one file, and its report over as many rows as the limit allows.

    :raises Refused: as `read_documents`, and when no row of it is usable.
    """
    report = open_report(source.path, source.name, *form)
    found: list[Document] = []
    for document in read_documents(source.path, report, columns):
        if len(found) < rows:
            found.append(document)
        if report.accepted + report.refused_count >= limit:
            report.notes.append(_PARTLY.format(f"{limit:,} rows"))
            break
    report.require_some("documents")
    return found, report


def _from_file(
    path: Path, report: Report, columns: DocumentColumns, read: Callable[[Path, Report], Prose]
) -> Iterator[Document]:
    """The one document of a file of prose; of XML that is a list of records, one for each."""
    with inflated(path) as plain:
        rows = xml_records(plain, report) if read is read_xml else None
        if rows is not None:
            yield from _from_rows(rows, report, columns)
            return
        document = document_of(read(plain, report), report)
    report.accepted += 1
    yield document


def _from_rows(rows: Iterator[Row], report: Report, columns: DocumentColumns) -> Iterator[Document]:
    """Find out which column plays which role, then make a document of each row."""
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
    stem = _stem(report.source)
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
    text, title = report.text_of(row, "text"), report.text_of(row, "title")
    if not text and not title:
        raise BadField("the text is empty")
    used = set(report.roles.values())
    metadata = {
        name: _metadata(content, name)
        for name, content in _facts(row, used)
        if name and content not in (None, "", [], {}) and (chosen is None or name in chosen)
    }
    return Document(identity, title, text, metadata, where=row.where)


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
    return clean_text(content, name)


def _stem(source: str) -> str:
    """The name of a file without its ending, for the ids of its rows: "2021/a" of 2021/a.csv.gz."""
    name = source[: -len(".gz")] if source.lower().endswith(".gz") else source
    return name.removesuffix(PurePath(name).suffix)
