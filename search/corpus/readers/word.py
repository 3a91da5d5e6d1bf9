"""Word (.docx): paragraphs, tables and notes in the order of the document, headings by their styles."""

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.corpus.readers.archives import opened_zip
from search.corpus.readers.blocks import Block, Prose
from search.corpus.readers.equations import M, equation
from search.corpus.readers.report import Report
from search.corpus.readers.signatures import kind_of, refuse_other_kind
from search.corpus.readers.typography import (
    UNKNOWN_SIGN,
    is_legacy_font,
    is_sign_font,
    legacy_note,
    lowered,
    raised,
    signs,
)
from search.corpus.readers.word_numbering import Numbering
from search.corpus.readers.word_numbering import W as _W
from search.projects.errors import Refused, first_line
from search.projects.settings import LIMITS

_CHUNK = 1024 * 1024
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_HEADING = re.compile(r"heading ([1-9])", re.I)
_NO_TITLE = ("", "word document")
# What is not, or no longer, text of the document.
_SKIPPED = frozenset((f"{_W}del", f"{_W}moveFrom", f"{_W}pPr", f"{_W}rPr", f"{_W}tblPr", f"{_W}trPr",
                      f"{_W}tcPr", _FALLBACK))  # fmt: skip
_BREAKS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
_NOTES = ("footnotes", "endnotes")
_SIGNS = "signs of special fonts have no known meaning"
_STYLE_DEPTH = 20


@dataclass(frozen=True)
class _Styles:
    """What the styles of a document say: the levels of headings, which are of titles, which hide text."""

    levels: dict[str, int]
    titles: frozenset[str]
    hidden: frozenset[str]


def read_word(path: Path, report: Report) -> Prose:
    """A Word document as prose: what a reader of it would see with all changes accepted.

    Tracked insertions count as text, deletions do not; a paragraph whose end was deleted runs into the next.
    Numbers that Word counts stand before their paragraphs, signs of the font Symbol are read as signs,
    equations as a line. Hidden text, comments, headers and footers are left out, and noted.

    :raises Refused: when it is locked, an old .doc, damaged, or far larger inside than outside.
    """
    import docx

    report.format = "Word"
    package = _package(path, report)
    try:
        document = docx.Document(package)
        styles = _styles(document.styles.element)
        numbering = Numbering(next(_parts(document, "numbering"), None), document.styles.element)
        text = _Text(styles, numbering)
        blocks = list(text.blocks(document.element.body))
        for notes in _parts(document, *_NOTES):
            blocks += text.blocks(notes)
        report.notes += text.notes(document)
        core = document.core_properties
        title = core.title or ""
        if title.strip().casefold() in _NO_TITLE:
            title = _styled_title(document.element.body, styles, text)
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
    titles, hidden = set(), set()
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
        if _is_on(style.find(f"{_W}rPr/{_W}vanish")):
            hidden.add(identity)
    levels: dict[str, int] = {}
    for identity in base:
        parent = identity
        for _ in range(_STYLE_DEPTH):
            if parent in own or parent not in base:
                break
            parent = base[parent]
        if own.get(parent):
            levels[identity] = own[parent]
    return _Styles(levels, frozenset(titles), frozenset(hidden))


class _Text:
    """Takes the text out of the body and the notes, and counts what is left out on the way."""

    def __init__(self, styles: _Styles, numbering: Numbering) -> None:
        self._styles = styles
        self._numbering = numbering
        self._left_out: Counter[str] = Counter()
        self._legacy: list[str] = []
        self._ahead = ""

    def blocks(self, element: Any) -> Iterator[Block]:
        """Paragraphs and table rows, also those inside content controls and footnotes."""
        above: dict[int, str] = {}
        for child in element.iterchildren():
            if child.tag == f"{_W}p":
                yield from self._paragraph(child)
            elif child.tag == f"{_W}tr":
                cells = list(child.iter(f"{_W}tc"))
                if child.find(f"{_W}trPr/{_W}del") is not None:
                    continue
                if len(cells) == 1:
                    yield from self.blocks(cells[0])
                else:
                    texts = list(self._cells(child, above))
                    if any(texts):
                        yield Block(" | ".join(texts))
            elif child.tag not in _SKIPPED:
                yield from self.blocks(child)
        if self._ahead.strip():
            yield Block(self._ahead)
        self._ahead = ""

    def notes(self, document: Any) -> list[str]:
        """What a person should know of what was left out or could not be read."""
        found = [
            f"{count:,} {what}" for what, count in sorted(self._left_out.items()) if what != _SIGNS
        ]
        parts = ("header", "footer", "comments")
        found += [
            kind if kind == "comments" else f"{kind}s"
            for kind in parts
            if any(_has_text(part) for part in _parts(document, kind))
        ]
        said = [f"left out: {', '.join(found)}"] if found else []
        if count := self._left_out[_SIGNS]:
            said.append(f"{count:,} {_SIGNS} and are shown as {UNKNOWN_SIGN}")
        return said + ([legacy_note(self._legacy)] if self._legacy else [])

    def _paragraph(self, paragraph: Any) -> Iterator[Block]:
        """A paragraph as one block, with what a deleted end of the paragraph before left over."""
        ahead, self._ahead = self._ahead, ""
        text = ahead + self.text(paragraph)
        if paragraph.find(f"{_W}pPr/{_W}rPr/{_W}del") is not None:
            self._ahead = text
            return
        if not text.strip():
            return
        if number := self._numbering.number(paragraph):
            text = f"{number} {text}"
        level = _outline_level(paragraph) or self._styles.levels.get(_style_of(paragraph), 0)
        yield Block(text, level)

    def _cells(self, row: Any, above: dict[int, str]) -> Iterator[str]:
        """The texts of a row; a cell that is merged with the one above says the same again."""
        column = 0
        for cell in row.iterchildren(f"{_W}tc"):
            text = " ".join(" ".join(block.text for block in self.blocks(cell)).split())
            merged = cell.find(f"{_W}tcPr/{_W}vMerge")
            if merged is not None and _value(merged) != "restart":
                text = text or above.get(column, "")
            above[column] = text
            yield text
            column += int(_value(cell.find(f"{_W}tcPr/{_W}gridSpan")) or 1)

    def text(self, element: Any) -> str:
        """The text of a paragraph; paragraphs inside it (text boxes) are on lines of their own."""
        parts: list[str] = []

        def walk(node: Any) -> None:
            for child in node.iterchildren():
                if child.tag == f"{_W}r":
                    self._run(child, parts, walk)
                elif child.tag == f"{_W}t":
                    parts.append(signs(child.text or "", ""))
                elif child.tag in _BREAKS:
                    parts.append(_BREAKS[child.tag])
                elif isinstance(child.tag, str) and child.tag.startswith(M):
                    parts.append(equation(child))
                elif child.tag not in _SKIPPED:
                    if child.tag == f"{_W}p" and parts:
                        parts.append("\n")
                    walk(child)

        walk(element)
        return "".join(parts)

    def _run(self, run: Any, parts: list[str], walk: Any) -> None:
        """The text of one run, as its properties show it."""
        properties = run.find(f"{_W}rPr")
        if self._is_hidden(properties):
            self._left_out["pieces of hidden text"] += any(t.text for t in run.iter(f"{_W}t"))
            return
        fonts = None if properties is None else properties.find(f"{_W}rFonts")
        font = (
            "" if fonts is None else str(fonts.get(f"{_W}ascii") or fonts.get(f"{_W}hAnsi") or "")
        )
        begun = len(parts)
        for child in run.iterchildren():
            if child.tag == f"{_W}t":
                parts.append(signs(child.text or "", font if is_sign_font(font) else ""))
                if is_legacy_font(font):
                    self._legacy.append(font)
            elif child.tag == f"{_W}sym":
                code = int(child.get(f"{_W}char") or "0", 16)
                parts.append(signs(chr(code | 0xF000), str(child.get(f"{_W}font", ""))))
            elif child.tag in _BREAKS:
                parts.append(_BREAKS[child.tag])
            elif child.tag not in _SKIPPED:
                walk(child)
        content = "".join(parts[begun:])
        del parts[begun:]
        self._left_out[_SIGNS] += content.count(UNKNOWN_SIGN)
        height = "" if properties is None else _value(properties.find(f"{_W}vertAlign"))
        if height == "superscript":
            content = raised(content, next((part for part in reversed(parts) if part), ""))
        elif height == "subscript":
            content = lowered(content)
        parts.append(content)

    def _is_hidden(self, properties: Any) -> bool:
        if properties is None:
            return False
        own = properties.find(f"{_W}vanish")
        if own is not None:
            return _is_on(own)
        return _value(properties.find(f"{_W}rStyle")) in self._styles.hidden


def _parts(document: Any, *kinds: str) -> Iterator[Any]:
    """The roots of parts of the document (notes, headers), which python-docx knows as bytes or objects."""
    from docx.oxml.parser import parse_xml

    for relation in document.part.rels.values():
        if not relation.is_external and relation.reltype.rsplit("/", 1)[-1] in kinds:
            yield parse_xml(relation.target_part.blob)


def _has_text(element: Any) -> bool:
    return any(text.text and text.text.strip() for text in element.iter(f"{_W}t"))


def _is_on(element: Any) -> bool:
    """Whether a property that may be switched off is there and on."""
    return element is not None and _value(element) not in ("0", "false", "off", "none")


def _styled_title(body: Any, styles: _Styles, text: _Text) -> str:
    paragraphs = body.iterchildren(f"{_W}p")
    return next((text.text(p) for p in paragraphs if _style_of(p) in styles.titles), "")


def _style_of(paragraph: Any) -> str:
    return _value(paragraph.find(f"{_W}pPr/{_W}pStyle"))


def _outline_level(element: Any) -> int:
    """The level that a paragraph or a style names itself; 0 for none, and for "body text" (9)."""
    value = _value(element.find(f"{_W}pPr/{_W}outlineLvl"))
    return min(int(value) + 1, 6) if value.isdecimal() and int(value) < 9 else 0


def _value(element: Any) -> str:
    return "" if element is None else str(element.get(f"{_W}val", ""))
