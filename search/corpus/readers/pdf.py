"""PDF: the text layer, page by page, as headings and paragraphs."""

import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Lock
from typing import Any

from search.corpus.readers.blocks import Prose
from search.corpus.readers.layout import HYPHEN, Line, Page, pages_to_blocks, without_repeated_lines
from search.corpus.readers.report import Report
from search.projects.errors import Refused
from search.projects.settings import LIMITS

# PDFium may be used by one thread at a time, even for different files.
_PDFIUM = Lock()
_PASSWORD = 4  # FPDF_ERR_PASSWORD
_HEAD = 1024
# PDFium drops the end of a line at a hyphen and marks the place.
_LINE = re.compile(f"[^\\n{HYPHEN}]+{HYPHEN}?")
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

    try:
        document = PdfDocument(path)
    except PdfiumError as error:
        if error.err_code == _PASSWORD:
            raise Refused(
                f"{report.source} is locked with a password. Save it without the password and try again."
            ) from None
        raise
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
    for number in range(1, len(document) + 1):
        try:
            with closing(document[number - 1]) as page, closing(page.get_textpage()) as layer:
                text = layer.get_text_bounded()
                characters += len(text)
                if characters > LIMITS.prose_characters:
                    raise Refused(
                        f"{report.source} has more than {LIMITS.prose_characters:,} characters. Split it."
                    )
                lines = tuple(_lines(text, layer))
        except PdfiumError:
            broken.append(number)
            continue
        yield Page(number, lines)
    if broken:
        report.notes.append(f"{_named(broken)} could not be read: damaged")


def _lines(text: str, layer: Any) -> Iterator[Line]:
    """The lines of a page; where each stands is asked of its first character.

    Text outside of the visible page is not in `text`, so positions may be a little off then: they only help
    to find paragraphs.
    """
    import ctypes

    from pypdfium2.raw import FPDFText_GetCharOrigin, FPDFText_GetFontSize

    x, y = ctypes.c_double(), ctypes.c_double()
    for found in _LINE.finditer(text.replace("\ufffe", HYPHEN)):
        content = found[0].strip()
        if content:
            place = found.start() + found[0].index(content[0])
            known = FPDFText_GetCharOrigin(layer, place, x, y)
            size = FPDFText_GetFontSize(layer, place)
            yield Line(content, y.value if known else None, size)


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
