"""PDF: the text layer, page by page, as headings and paragraphs."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Lock
from typing import Any

from search.corpus.readers.blocks import Prose
from search.corpus.readers.layout import Page, pages_to_blocks, without_repeated_lines
from search.corpus.readers.pdf_forms import with_values
from search.corpus.readers.pdf_text import page_lines
from search.corpus.readers.report import Report
from search.corpus.readers.rows import arranged, without_margin_numbers
from search.corpus.readers.typography import legacy_note
from search.projects.errors import Refused
from search.projects.settings import LIMITS

# PDFium may be used by one thread at a time, even for different files.
_PDFIUM = Lock()
_PASSWORD = 4  # FPDF_ERR_PASSWORD
_HEAD = 1024
_PROGRAM = re.compile(r"^microsoft \w+ -\s*", re.I)
_NO_TITLE = re.compile(r"(untitled|no title|document\d*|slide 1|\S+\.(dvi|tex|indd|qxd))", re.I)


def read_pdf(path: Path, report: Report) -> Prose:
    """A PDF as prose: lines joined to paragraphs, bookmarks or larger type as headings, pages numbered.

    Lines that repeat at the top or bottom of many pages are left out, and noted.

    :raises Refused: when it is locked, damaged, too long, or has no text layer.
    """
    from pypdfium2 import PdfiumError

    report.format = "PDF"
    with path.open("rb") as stream:
        if b"%PDF-" not in stream.read(_HEAD):
            raise Refused(f"{report.source} is not a PDF file, although its name says so.")
    try:
        with _PDFIUM, closing(_opened(path, report)) as document:
            fields = document.get_metadata_dict()
            outline = _outline(document)
            pages = list(_pages(document, report))
    except PdfiumError as error:
        raise Refused(
            f"{report.source} is a damaged PDF file ({error}). Open it and save it anew, or copy it again."
        ) from None
    _note_pages_without_text(pages, report)
    kept, dropped = without_repeated_lines(pages)
    if dropped:
        report.notes.append(
            "lines that repeat at the top or bottom of pages were left out: "
            + "; ".join(f'"{line[:80]}"' for line in dropped[:5])
        )
    title = _PROGRAM.sub("", fields.get("Title", "").strip())
    title = "" if _NO_TITLE.fullmatch(title) else title
    return Prose(title, pages_to_blocks(kept, outline), {"author": fields.get("Author", "")})


def _opened(path: Path, report: Report) -> Any:
    from pypdfium2 import PdfDocument, PdfiumError
    from pypdfium2.raw import FORMTYPE_XFA_FULL

    try:
        document = PdfDocument(path)
    except PdfiumError as error:
        if error.err_code == _PASSWORD:
            raise Refused(
                f"{report.source} is locked with a password. Save it without the password and try again."
            ) from None
        raise
    if document.get_formtype() == FORMTYPE_XFA_FULL:
        document.close()
        raise Refused(
            f"{report.source} is a form (XFA) whose text only Adobe's programs show. "
            "Open it there, print it as PDF, and give that file."
        )
    document.init_forms()
    if len(document) > LIMITS.pages:
        count = len(document)
        document.close()
        raise Refused(
            f"{report.source} has {count:,} pages; the limit is {LIMITS.pages:,}. Split it."
        )
    return document


def _outline(document: Any) -> dict[int, list[tuple[int, str]]]:
    """The bookmarks by the number of their page: level from 1, and title."""
    found: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for number, mark in enumerate(document.get_toc()):
        if number == LIMITS.pages:
            break
        target = mark.get_dest()
        place = target.get_index() if target is not None else None
        if place is not None and mark.get_title():
            found[place + 1].append((min(mark.level + 1, 6), mark.get_title()))
    return dict(found)


def _pages(document: Any, report: Report) -> Iterator[Page]:
    from pypdfium2 import PdfiumError

    characters = 0
    broken = []
    left_out: Counter[str] = Counter()
    legacy: set[str] = set()
    for number in range(1, len(document) + 1):
        try:
            with closing(document[number - 1]) as page, closing(page.get_textpage()) as layer:
                characters += layer.count_chars()
                if characters > LIMITS.prose_characters:
                    raise Refused(
                        f"{report.source} has more than {LIMITS.prose_characters:,} characters. Split it."
                    )
                lines = page_lines(layer, page.get_bbox(), legacy)
                lines, numbers = without_margin_numbers(lines)
                left_out["numbers of lines in the margin"] += numbers
                lines = arranged(with_values(lines, page, document.formenv, left_out))
        except PdfiumError:
            broken.append(number)
            continue
        yield Page(number, tuple(lines))
    if legacy:
        report.notes.append(legacy_note(legacy))
    if said := ", ".join(f"{count:,} {what}" for what, count in left_out.items() if count):
        report.notes.append(f"left out: {said}")
    if broken:
        report.notes.append(f"{_named(broken)} could not be read: damaged")


def _note_pages_without_text(pages: list[Page], report: Report) -> None:
    empty = [page.number for page in pages if not page.lines]
    if len(empty) == len(pages):
        many = f"{len(pages):,} scanned pages" if len(pages) != 1 else "1 scanned page"
        raise Refused(
            f"{report.source} holds {many} and no text: run OCR (text recognition) over it first."
        )
    if empty:
        report.notes.append(f"{_named(empty)} without text (scanned, or empty): nothing read there")


def _named(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:20])) + (", …" if len(numbers) > 20 else "")
    return f"{len(numbers):,} page{'s' if len(numbers) > 1 else ''} ({shown})"
