"""Word (.docx): paragraphs, tables and notes in the order of the document, headings by their styles."""

import io
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from search.corpus.readers.archives import opened_zip
from search.corpus.readers.blocks import Block, Prose
from search.corpus.readers.equations import M, equation
from search.corpus.readers.report import Report
from search.corpus.readers.sign_fonts import UNKNOWN_SIGN, is_sign_font, sign_of, signs
from search.corpus.readers.signatures import kind_of, refuse_other_kind
from search.corpus.readers.typography import (
    beside,
    fractions,
    is_legacy_font,
    legacy_note,
    lowered,
    raised,
)
from search.corpus.readers.word_fields import Field
from search.corpus.readers.word_numbering import FieldNumbers, Numbering
from search.corpus.readers.word_numbering import W as _W
from search.corpus.readers.word_styles import Styles, is_on, style_of
from search.corpus.readers.word_styles import value as _value
from search.projects.errors import Refused, first_line
from search.projects.settings import LIMITS

_CHUNK = 1024 * 1024
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_NO_TITLE = ("", "word document")
# What a file says of itself that a program wrote with python-docx: the library, and when its blank file was made.
_LIBRARY, _BLANK_MADE = "python-docx", "2013-12-23 23:15"
# What is not, or no longer, text of the document.
_SKIPPED = frozenset((f"{_W}del", f"{_W}moveFrom", f"{_W}pPr", f"{_W}rPr", f"{_W}tblPr", f"{_W}trPr",
                      f"{_W}tcPr", _FALLBACK))  # fmt: skip
_BREAKS = {
    f"{_W}tab": "\t",
    f"{_W}ptab": "\t",
    f"{_W}br": "\n",
    f"{_W}cr": "\n",
    f"{_W}noBreakHyphen": "-",
}
_GONE = ("del", "moveFrom")
_NOTES = ("footnotes", "endnotes")
_SIGNS = "signs of special fonts have no known meaning"
_STRUCK = "pieces are struck through and read as text"
_OBJECTS = "embedded objects (sheets, equations of older versions)"
_DRAWN = "charts and diagrams"
_INSERTED = "files inserted whole (altChunk)"


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
        styles = Styles(document.styles.element)
        numbering = Numbering(next(_parts(document, "numbering"), None), document.styles.element)
        text = _Text(styles, numbering)
        blocks = list(text.part(document.element.body))
        for notes in _parts(document, *_NOTES):
            blocks += text.part(notes)
        report.notes += text.notes(document)
        if not blocks and text.has_inserted_files():
            raise Refused(
                f"{report.source} holds its text as a file inside (altChunk), as some programs export it. "
                "Open it in Word and save it anew."
            )
        core = document.core_properties
        title = core.title or ""
        if title.strip().casefold() in _NO_TITLE:
            title = _styled_title(document.element.body, styles, _Text(styles, numbering))
        author = "" if core.author == _LIBRARY else core.author or ""
        created = f"{core.created:%Y-%m-%d %H:%M}" if core.created else ""
        fields = {"author": author, "created": "" if created == _BLANK_MADE else created[:10]}
    except Refused:
        raise
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


class _Text:
    """Takes the text out of the body and the notes, and counts what is left out on the way."""

    def __init__(self, styles: Styles, numbering: Numbering) -> None:
        self._styles = styles
        self._numbering = numbering
        self._left_out: Counter[str] = Counter()
        self._legacy: list[str] = []
        self._ahead = ""
        self._fields: list[Field] = []
        self._field_numbers = FieldNumbers()

    def part(self, element: Any) -> Iterator[Block]:
        """The blocks of the body or of the notes: in each, fields are counted anew."""
        self._field_numbers = FieldNumbers(_instructions(element))
        yield from self.blocks(element)

    def has_inserted_files(self) -> bool:
        """Whether a part of the text is in files of their own, which are not read."""
        return bool(self._left_out[_INSERTED])

    def blocks(self, element: Any) -> Iterator[Block]:
        """Paragraphs and table rows, also those inside content controls and footnotes."""
        above: dict[int, str] = {}
        for child in element.iterchildren():
            if child.tag == f"{_W}p":
                yield from self._paragraph(child)
            elif child.tag == f"{_W}tr":
                cells = list(_cells_of(child))
                if child.find(f"{_W}trPr/{_W}del") is not None:
                    continue
                if len(cells) == 1:
                    yield from self.blocks(cells[0])
                else:
                    texts = list(self._cells(cells, above))
                    if any(texts):
                        yield Block(" | ".join(texts))
            elif child.tag == f"{_W}altChunk":
                self._left_out[_INSERTED] += 1
            elif child.tag not in _SKIPPED:
                yield from self.blocks(child)
        if self._ahead.strip():
            yield Block(self._ahead)
        self._ahead = ""

    def notes(self, document: Any) -> list[str]:
        """What a person should know of what was left out or could not be read."""
        found = [
            f"{count:,} {what}"
            for what, count in sorted(self._left_out.items())
            if count and what not in (_SIGNS, _STRUCK)
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
        if count := self._left_out[_STRUCK]:
            said.append(f"{count:,} {_STRUCK}")
        return said + ([legacy_note(self._legacy)] if self._legacy else [])

    def _paragraph(self, paragraph: Any) -> Iterator[Block]:
        """A paragraph as one block, with what a deleted end of the paragraph before left over."""
        ahead, self._ahead = self._ahead, ""
        text = ahead + self.text(paragraph)
        mark = paragraph.find(f"{_W}pPr/{_W}rPr")
        if mark is not None and any(mark.find(f"{_W}{gone}") is not None for gone in _GONE):
            self._ahead = text
            return
        text = self._numbered(paragraph, text)
        if text.strip():
            yield Block(text, self._styles.level(paragraph))

    def _numbered(self, paragraph: Any, text: str) -> str:
        """A text behind the number of its paragraph; an empty one counts, too, unless it is hidden."""
        hidden = not text.strip() and any(
            is_on(mark) for mark in paragraph.iterfind(f"{_W}pPr/{_W}rPr/{_W}vanish")
        )
        number = "" if hidden else self._numbering.number(paragraph)
        return f"{number} {text}" if number and text.strip() else text

    def _cells(self, row: Sequence[Any], above: dict[int, str]) -> Iterator[str]:
        """The texts of a row; a cell that is merged with the one above says the same again."""
        column = 0
        for cell in row:
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
        style = style_of(element)

        def walk(node: Any) -> None:
            for child in node.iterchildren():
                if child.tag == f"{_W}r":
                    self._run(child, parts, style, walk)
                elif child.tag == f"{_W}t":
                    parts.append(signs(child.text or "", ""))
                elif child.tag in _BREAKS:
                    parts.append(_BREAKS[child.tag])
                elif isinstance(child.tag, str) and child.tag.startswith(M):
                    parts.append(beside(_last(parts), equation(child)))
                elif child.tag == f"{_W}p":
                    parts.append("\n" if parts else "")
                    parts.append(self._numbered(child, self.text(child)))
                elif child.tag not in _SKIPPED:
                    self._count(child)
                    walk(child)

        walk(element)
        if element.tag == f"{_W}p":  # a field whose end is missing must not take the rest with it
            self._fields = [field for field in self._fields if field.separated]
        return fractions("".join(parts))

    def _count(self, element: Any) -> None:
        """Count what shows something that is not read."""
        name = str(element.tag).rpartition("}")[2]
        self._left_out[_OBJECTS] += name == "object"
        drawn = name == "graphicData" and str(element.get("uri", "")).endswith(("chart", "diagram"))
        self._left_out[_DRAWN] += drawn

    def _run(self, run: Any, parts: list[str], style: str, walk: Any) -> None:
        """The text of one run, as its properties show it."""
        properties = run.find(f"{_W}rPr")
        if self._styles.is_hidden(properties, style):
            self._left_out["pieces of hidden text"] += any(t.text for t in run.iter(f"{_W}t"))
            return
        font = self._styles.font(properties, style)
        begun = len(parts)
        for child in run.iterchildren():
            if child.tag == f"{_W}fldChar":
                parts.append(beside(_last(parts), self._field(child)))
            elif child.tag == f"{_W}instrText" and self._fields:
                self._fields[-1].instruction += child.text or ""
            elif all(field.separated for field in self._fields):  # else it is asked for, not shown
                self._piece(child, font, parts, walk)
        content = "".join(parts[begun:])
        del parts[begun:]
        for field in self._fields:
            field.has_result = field.has_result or bool(content)
        self._left_out[_SIGNS] += content.count(UNKNOWN_SIGN)
        if properties is not None and content.strip():
            self._left_out[_STRUCK] += any(
                is_on(properties.find(f"{_W}{how}")) for how in ("strike", "dstrike")
            )
        height = self._styles.height(properties, style)
        if height == "superscript":
            content = raised(content, _last(parts))
        elif height == "subscript":
            content = lowered(content)
        parts.append(content)

    def _piece(self, child: Any, font: str, parts: list[str], walk: Any) -> None:
        """What one element of a run shows."""
        if child.tag == f"{_W}t":
            parts.append(signs(child.text or "", font if is_sign_font(font) else ""))
            if is_legacy_font(font):
                self._legacy.append(font)
        elif child.tag == f"{_W}sym":
            code = int(child.get(f"{_W}char") or "0", 16)
            parts.append(sign_of(code, str(child.get(f"{_W}font", ""))))
        elif child.tag in _BREAKS:
            parts.append(_BREAKS[child.tag])
        elif child.tag not in _SKIPPED:
            self._count(child)
            walk(child)

    def _field(self, mark: Any) -> str:
        """A mark of a field: what it shows, at its end and where the file keeps no result."""
        kind = mark.get(f"{_W}fldCharType")
        if kind == "begin":
            self._fields.append(Field(mark.find(f"{_W}ffData")))
        elif kind == "separate" and self._fields:
            self._fields[-1].separated = True
        elif kind == "end" and self._fields:
            field = self._fields.pop()
            if not field.has_result:
                text, left_out = field.shown(self._field_numbers)
                self._left_out[left_out] += bool(left_out)
                return text if all(outer.separated for outer in self._fields) else ""
        return ""


def _instructions(element: Any) -> Iterator[str]:
    """What the fields of an element ask for, also where that is spread over runs; of one inside another, both in one."""
    said: list[str] = []
    for child in element.iter(f"{_W}fldChar", f"{_W}instrText"):
        if child.tag == f"{_W}instrText":
            said.append(child.text or "")
        elif said:
            yield "".join(said)
            said = []


def _last(parts: Sequence[str]) -> str:
    return next((part for part in reversed(parts) if part), "")


def _cells_of(row: Any) -> Iterator[Any]:
    """The cells of a row, also those inside content controls."""
    for child in row.iterchildren():
        if child.tag == f"{_W}tc":
            yield child
        elif child.tag not in _SKIPPED:
            yield from _cells_of(child)


def _parts(document: Any, *kinds: str) -> Iterator[Any]:
    """The roots of parts of the document (notes, headers), which python-docx knows as bytes or objects."""
    from docx.oxml.parser import parse_xml

    for relation in document.part.rels.values():
        if not relation.is_external and relation.reltype.rsplit("/", 1)[-1] in kinds:
            yield parse_xml(relation.target_part.blob)


def _has_text(element: Any) -> bool:
    return any(text.text and text.text.strip() for text in element.iter(f"{_W}t"))


def _styled_title(body: Any, styles: Styles, text: _Text) -> str:
    paragraphs = body.iterchildren(f"{_W}p")
    return next((text.text(p) for p in paragraphs if styles.is_title(p)), "")
