"""Word (.docx): paragraphs, tables and notes in the order of the document, headings by their styles."""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.corpus.readers.archives import opened_zip
from search.corpus.readers.blocks import Block, Prose
from search.corpus.readers.report import Report
from search.corpus.readers.signatures import kind_of, refuse_other_kind
from search.projects.errors import Refused, first_line
from search.projects.settings import LIMITS

_CHUNK = 1024 * 1024
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_HEADING = re.compile(r"heading ([1-9])", re.I)
_NO_TITLE = ("", "word document")
# What is not, or no longer, text of the document.
_SKIPPED = frozenset((f"{_W}del", f"{_W}moveFrom", f"{_W}pPr", f"{_W}rPr", _FALLBACK))
_BREAKS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
_NOTES = ("footnotes", "endnotes")
_STYLE_DEPTH = 20


@dataclass(frozen=True)
class _Styles:
    """What the styles of a document say: the levels of headings, and which styles are of titles."""

    levels: dict[str, int]
    titles: frozenset[str]


def read_word(path: Path, report: Report) -> Prose:
    """A Word document as prose: tracked insertions count as text, deletions do not.

    :raises Refused: when it is locked, an old .doc, damaged, or far larger inside than outside.
    """
    import docx

    report.format = "Word"
    package = _package(path, report)
    try:
        document = docx.Document(package)
        styles = _styles(document.styles.element)
        blocks = list(_blocks(document.element.body, styles))
        for notes in _notes(document):
            blocks += _blocks(notes, styles)
        core = document.core_properties
        title = core.title or ""
        if title.strip().casefold() in _NO_TITLE:
            title = _styled_title(document.element.body, styles)
        created = core.created
        fields = {"author": core.author or "", "created": f"{created:%Y-%m-%d}" if created else ""}
    except Exception as error:  # python-docx lets every error of its libraries through
        raise Refused(
            f"{report.source} is a damaged Word file ({first_line(error, 120)}). "
            "Open it in Word and save it anew."
        ) from None
    return Prose(title, blocks, fields)


def _package(path: Path, report: Report) -> io.BytesIO:
    """The text of the file without its pictures, every byte counted, as python-docx can open it."""
    with path.open("rb") as stream:
        kind = kind_of(stream)
    if kind == "an old Word document (.doc)":
        raise Refused(f"{report.source} is {kind}. Open it, save it as .docx, and give that file.")
    if kind not in ("a Word document (.docx)", "a ZIP file"):
        refuse_other_kind(kind, report.source, "Word (.docx)")
    package = io.BytesIO()
    left = LIMITS.prose_bytes
    with (
        opened_zip(path, report.source, "a Word file") as archive,
        zipfile.ZipFile(package, "w") as copy,
    ):
        for name in dict.fromkeys(archive.namelist()):
            content = io.BytesIO()
            if name.endswith((".xml", ".rels")):
                if archive.getinfo(name).flag_bits & 0x1:
                    raise Refused(f"{report.source} is locked with a password.")
                with archive.open(name) as member:
                    while chunk := member.read(_CHUNK):
                        left -= len(chunk)
                        if left < 0:
                            raise Refused(
                                f"{report.source} unpacks to more than {LIMITS.prose_bytes:,} bytes "
                                "of text: not read further. Split it."
                            )
                        content.write(chunk)
            copy.writestr(name, content.getvalue())
    return package


def _styles(element: Any) -> _Styles:
    """Levels by the names of the built-in styles, which are English in every language, or by outline."""
    own: dict[str, int] = {}
    base: dict[str, str] = {}
    titles = set()
    for style in element.iterchildren(f"{_W}style"):
        identity = style.get(f"{_W}styleId", "")
        name = _value(style.find(f"{_W}name"))
        found = _HEADING.fullmatch(name)
        outline = _outline_level(style)
        if found or outline:
            own[identity] = min(int(found[1]), 6) if found else outline
        base[identity] = _value(style.find(f"{_W}basedOn"))
        if name.casefold() == "title":
            titles.add(identity)
    levels: dict[str, int] = {}
    for identity in base:
        parent = identity
        for _ in range(_STYLE_DEPTH):
            if parent in own or parent not in base:
                break
            parent = base[parent]
        if own.get(parent):
            levels[identity] = own[parent]
    return _Styles(levels, frozenset(titles))


def _blocks(element: Any, styles: _Styles) -> Iterator[Block]:
    """Paragraphs and table rows, also those inside content controls and footnotes."""
    for child in element.iterchildren():
        if child.tag == f"{_W}p":
            text = _text(child)
            if text.strip():
                level = _outline_level(child) or styles.levels.get(_style_of(child), 0)
                yield Block(text, level)
        elif child.tag == f"{_W}tr":
            cells = list(child.iter(f"{_W}tc"))
            if len(cells) == 1:
                yield from _blocks(cells[0], styles)
            else:
                texts = [" ".join(_text(cell).split()) for cell in child.iterchildren(f"{_W}tc")]
                if any(texts):
                    yield Block(" | ".join(texts))
        elif child.tag not in _SKIPPED:
            yield from _blocks(child, styles)


def _text(element: Any) -> str:
    """The text of a paragraph or a cell; paragraphs inside it (text boxes) are on lines of their own."""
    parts: list[str] = []

    def walk(node: Any) -> None:
        for child in node.iterchildren():
            if child.tag == f"{_W}t":
                parts.append(child.text or "")
            elif child.tag in _BREAKS:
                parts.append(_BREAKS[child.tag])
            elif child.tag not in _SKIPPED:
                if child.tag == f"{_W}p" and parts:
                    parts.append("\n")
                walk(child)

    walk(element)
    return "".join(parts)


def _notes(document: Any) -> Iterator[Any]:
    """The footnotes and endnotes, which python-docx knows only as bytes."""
    from docx.oxml.parser import parse_xml

    for relation in document.part.rels.values():
        if not relation.is_external and relation.reltype.rsplit("/", 1)[-1] in _NOTES:
            yield parse_xml(relation.target_part.blob)


def _styled_title(body: Any, styles: _Styles) -> str:
    paragraphs = body.iterchildren(f"{_W}p")
    return next((_text(p) for p in paragraphs if _style_of(p) in styles.titles), "")


def _style_of(paragraph: Any) -> str:
    return _value(paragraph.find(f"{_W}pPr/{_W}pStyle"))


def _outline_level(element: Any) -> int:
    """The level that a paragraph or a style names itself; 0 for none, and for "body text" (9)."""
    value = _value(element.find(f"{_W}pPr/{_W}outlineLvl"))
    return min(int(value) + 1, 6) if value.isdecimal() and int(value) < 9 else 0


def _value(element: Any) -> str:
    return "" if element is None else str(element.get(f"{_W}val", ""))
