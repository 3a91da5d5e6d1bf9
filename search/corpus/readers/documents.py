"""Files into documents: tables and lists of records row by row, prose one document a file."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from search.corpus.document import Document
from search.corpus.readers.blocks import Prose, document_of
from search.corpus.readers.cells import with_columns
from search.corpus.readers.compressed import inflated
from search.corpus.readers.fhir import fhir_xml_rows
from search.corpus.readers.hl7 import hl7_rows, is_hl7
from search.corpus.readers.mail import read_mailbox
from search.corpus.readers.objects import OBJECTS, known_objects
from search.corpus.readers.plain_text import read_plain_text
from search.corpus.readers.references import reference_rows, required_reference_rows
from search.corpus.readers.release_files import rrf_rows, text_table
from search.corpus.readers.report import RefusedRow, Report, Row, stem_of
from search.corpus.readers.row_documents import DocumentColumns, documents_of_rows
from search.corpus.readers.sources import (
    HL7,
    MAILBOXES,
    PLAIN_TEXT,
    PROSE,
    REFERENCES,
    RELEASES,
    TABLES,
    XML,
    SourceFile,
    SourceFiles,
    combined_report,
    opened_sources,
    suffix_of,
    unreadable,
)
from search.corpus.readers.tables import open_report, read_rows
from search.corpus.readers.xml.known import FHIR, namespace_of, xml_rows
from search.corpus.readers.xml.whole import read_xml
from search.projects.errors import Refused
from search.projects.settings import LIMITS

Begin = Callable[
    [SourceFile, DocumentColumns, tuple[str | None, str | None], int, int],
    tuple[list[Document], Report],
]
"""Reads the first documents of one file; see `beginning`."""
_PARTLY = "only the first {} were looked at; all are read when the file is added"


__all__ = ["DocumentColumns", "beginning", "preview_documents", "read_documents"]


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
        rows = read_rows(path, report)
        if suffix in OBJECTS:
            rows = known_objects(rows, report)
        return documents_of_rows(rows, report, columns)
    if suffix in RELEASES:
        return documents_of_rows(rrf_rows(path, report), report, columns)
    if suffix in PLAIN_TEXT:
        table = _list_in_text(path, report) if columns.document_per is None else None
        if table is not None:
            return documents_of_rows(table, report, columns)
        return read_plain_text(path, report, stem_of(report.source), columns.document_per)
    if suffix in REFERENCES:
        return documents_of_rows(required_reference_rows(path, report), report, columns)
    if suffix in HL7:
        return documents_of_rows(hl7_rows(path, report), report, columns)
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
    opened: Callable[[Sequence[Path]], AbstractContextManager[SourceFiles]] = opened_sources,
    begin: "Begin | None" = None,
) -> tuple[list[Document], Report]:
    """Read a file, an archive or a folder, or the beginning of a large one, without saving anything.

    :param rows: how many documents to return.
    :param encoding: what text files were saved in; None finds out.
    :param delimiter: what parts the columns of CSV files; None finds out.
    :param opened: what takes archives apart, and `begin` what reads the beginning of a file.
    :returns: the first documents, and one report of all rows that were looked at; for an archive or folder
        it lists the members that cannot be read, and names the member of each refused row.
    :raises Refused: as `read_documents` and `opened_sources`, and when no row is usable.
    """
    begin = begin or beginning
    first: list[Document] = []
    reports: list[Report] = []
    with opened([path]) as sources:
        left = LIMITS.preview_rows
        for number, source in enumerate(sources.files):
            if left <= 0 or number == LIMITS.preview_files:
                sources.notes.append(_PARTLY.format(f"{number:,} files"))
                break
            try:
                found, report = begin(source, columns, (encoding, delimiter), left, rows)
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


def beginning(
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
        rows = _xml_rows(plain, report) if read is read_xml else None
        if rows is not None:
            yield from documents_of_rows(rows, report, columns)
            return
        document = document_of(read(plain, report), report)
    report.accepted += 1
    yield document


def _list_in_text(path: Path, report: Report) -> Iterator[Row] | None:
    """The rows of a text file that is a list of references, of HL7 messages, or a table; else None."""
    if report.delimiter is None:
        if is_hl7(path, report):
            return hl7_rows(path, report)
        if (references := reference_rows(path, report)) is not None:
            return references
    return text_table(path, report)


def _xml_rows(path: Path, report: Report) -> Iterator[Row] | None:
    """The rows of XML that is FHIR, of another well-known format or a list of records; else None."""
    if namespace_of(path, report) == FHIR:
        return with_columns(fhir_xml_rows(path, report), report)
    return xml_rows(path, report)
