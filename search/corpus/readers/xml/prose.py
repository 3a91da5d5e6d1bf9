"""Any element as headings and paragraphs: block elements part words, inline ones do not, rows stay rows."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from search.corpus.readers.blocks import Block, paragraphs
from search.corpus.readers.equations import Node, mathml
from search.corpus.readers.merged_cells import MergedCells
from search.corpus.readers.typography import beside, lowered, raised
from search.corpus.readers.xml.parsing import local_name
from search.corpus.readers.xml.spans import TABLE_PARTS, columns_of, spanned_cell

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

HEADS = frozenset(
    ("title", "head", "heading", "header", "subheading", "h1", "h2", "h3", "h4", "h5", "h6")
)
"""What headings are called, in small letters."""
# Only how letters look: a word goes on across them.
_LOOKS = frozenset((
    "i", "b", "em", "strong", "italic", "bold", "underline", "sc", "smallcaps", "small", "big", "tt", "w",
    "monospace", "hi", "emph", "emphasis", "font", "strike", "overline", "roman", "sans-serif", "span", "style",
    "styled-content", "inline", "mark", "mi", "mn", "mo", "mtext", "mrow", "mstyle", "math", "mfrac", "msup", "msub",
))  # fmt: skip
# What words mean; within a sentence a word may go on across them, elsewhere they are fields of their own.
_MEANINGS = frozenset((
    "a", "u", "c", "g", "ref", "rref", "mref", "term", "def", "abbr", "named-content", "ext-link", "email", "uri", "link", "ins", "del",
    "doctitle", "docnumber", "docproponent", "date", "shorttitle", "person", "persname", "placename", "name", "num",
    "quote", "q", "foreign", "citation", "cite", "code", "entity", "affectedtext", "inline-formula", "target",
))  # fmt: skip
_RAISED = frozenset(("sup", "super", "superscript"))
_LOWERED = frozenset(("sub", "inf", "subscript"))
_SCRIPTS = {"msup": "sup", "msub": "sub"}
_LOOK_OF = ("rend", "rendition", "styleCode", "face", "style", "type", "class")
# A block also where text stands around it.
_BLOCKS = frozenset((
    "p", "para", "paragraph", "sec", "section", "subsection", "div", "list", "item", "list-item", "li", "ul", "ol",
    "dl", "dt", "dd", "def-list", "def-item", "table", "thead", "tbody", "tfoot", "tgroup", "tr", "row", "caption",
    "l", "lg", "blockquote", "disp-quote", "disp-formula", "fig", "table-wrap", "boxed-text", "abstract", "body",
    "quotedstructure", "quotedcontent", "subparagraph", "clause", "subclause", "chapeau", "continuation", "block",
    "textblock", "preformat", "pre", "verse", "verse-group", "footer",
)) | HEADS  # fmt: skip
_ROWS = frozenset(("tr", "row"))
_CELLS = frozenset(("td", "th", "entry", "cell", "tc"))
# A number or a name that belongs to what comes next: "(a)", "Figure 1".
_LEADS = frozenset(("num", "label", "enum", "number", "pnumber"))
_LEAD_CHARACTERS = 80
# Notes are set inside the sentence that they are about, and read after it.
_NOTES = frozenset(("authorialnote", "fn", "footnote", "note", "footnotetext"))
_BREAKS = frozenset(("lb", "br", "break", "eol", "cb"))
_VERBATIM = frozenset(("pre", "preformat", "verbatim", "screen"))
# The title of what is no section: of a picture, a table, a list.
_CAPTIONED = frozenset(("caption", "fig", "table-wrap", "table", "list", "figure", "tgroup"))
_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")
_LOW = re.compile(r"\bsub|inf")
_WORD = re.compile(r"\w")
_CLOSE = 24


def prose_blocks(root: "Element", dropped: Iterable[str] = ()) -> list[Block]:
    """The headings, paragraphs and rows of tables inside an element, in order.

    A row is its cells with " | " between them; a number or label (`num`, `label`) begins what comes after
    it; a note inside a sentence comes after the paragraph. The level of a heading is how many elements that
    hold a heading it is inside of.

    :param dropped: the names, in small letters, of elements that are left out.
    """
    walk = _Walk(frozenset(dropped))
    walk.block(root, 0, "")
    walk.close()
    return walk.blocks


def flat_text(element: "Element | None", dropped: Iterable[str] = ()) -> str:
    """All text inside an element, on one line; none for None."""
    if element is None:
        return ""
    return " ".join(" ".join(block.text for block in prose_blocks(element, dropped)).split())


def has_text(element: "Element") -> bool:
    """Whether an element has text of its own, beside its child elements."""
    own = [element.text, *(child.tail for child in element)]
    return any(text and not text.isspace() for text in own)


class _Walk:
    """Goes through an element once; what was read since the last block waits in `words`.

    Elements are at most 200 deep (the parser sees to it), so the methods may call themselves.
    """

    def __init__(self, dropped: frozenset[str]) -> None:
        self.blocks: list[Block] = []
        self._dropped = dropped
        self._words: list[str] = []
        self._tail = ""  # the end of the words
        self._soft = False  # whether a space goes here, where a word would go on
        self._lead = ""
        self._level = 0
        self._notes: list[tuple[Element, int]] = []
        self._merged = MergedCells()
        self._columns: dict[str, int] = {}
        self._page: int | None = None
        self._start: int | None = None

    def block(self, element: "Element", level: int, parent: str) -> None:
        """An element that begins and ends a block."""
        name = local_name(element).lower()
        if name in self._dropped:
            return
        self.flush()
        if name in _LEADS and not len(element) and _is_short(element.text):
            self._lead = f"{self._lead} {' '.join((element.text or '').split())}".strip()
            return
        if name in TABLE_PARTS:
            self._merged.end()
            self._columns = columns_of(element) or self._columns
        if name in _ROWS and any(local_name(child).lower() in _CELLS for child in element):
            self._row(element)
            return
        if name in HEADS and parent not in _CAPTIONED and _is_line(element):
            self._level = min(max(level, 1), 6)
        if name in _VERBATIM or (not len(element) and _BLANK_LINE.search(element.text or "")):
            self._verbatim(element)
        else:
            self._inside(element, level, name)
        self.flush()
        self._level = 0

    def _inside(self, element: "Element", level: int, name: str) -> None:
        mixed = has_text(element)
        level += any(local_name(child).lower() in HEADS for child in element)
        self._add(element.text)
        for number, child in enumerate(element):
            kind = local_name(child).lower()
            if kind in self._dropped:
                pass
            elif kind == "pb":
                self._page = _page(child) or self._page
            elif kind in _NOTES and mixed:
                self._notes.append((child, level))
            elif kind in _BREAKS:
                self._add(" ")
            elif _is_inline(kind, mixed):
                self._add("/" if number and name == "mfrac" else "")
                self._inline(child, kind, level, _SCRIPTS.get(name, "") if number else "")
            else:
                self.block(child, level, name)
            self._add(child.tail)

    def _inline(self, element: "Element", name: str, level: int, script: str) -> None:
        if name == "math":
            self._add(beside(self._tail, mathml(*_formula(element))))
            return
        look = " ".join([script, *(element.get(key, "") for key in _LOOK_OF)]).lower()
        up = name in _RAISED or (name in _LOOKS and "sup" in look)
        down = name in _LOWERED or (name in _LOOKS and _LOW.search(look) is not None)
        if up or down:
            text = " ".join("".join(element.itertext()).split())
            self._add(raised(text, self._tail) if up else lowered(text))
        elif name in _LOOKS or name in _MEANINGS:
            self._inside(element, level, name)
        else:
            # Nobody knows whether a word goes on across it: one word parted is better than two glued.
            self._soft = True
            self._inside(element, level, name)
            self._soft = True

    def _row(self, element: "Element") -> None:
        cells = [
            spanned_cell(cell, flat_text(cell, self._dropped), self._columns) for cell in element
        ]
        # An empty cell keeps its column: a dose at noon is none at night.
        line = [cells[0].text] if len(cells) == 1 and not self._merged else self._merged.line(cells)
        self._add(" | ".join(line))
        self.flush()

    def _verbatim(self, element: "Element") -> None:
        """Text whose lines mean something: parted at blank lines, the lines kept."""
        self._start = self._page
        for part in paragraphs("".join(element.itertext())):
            lines = [" ".join(line.split()) for line in part.text.split("\n")]
            self._block("\n".join(filter(None, lines)))

    def _add(self, text: str | None) -> None:
        if not text:
            return
        if not self._words:
            self._start = self._page
        if self._soft and _WORD.match(self._tail[-1:]) and _WORD.match(text):
            self._words.append(" ")
        self._soft = False
        self._words.append(text)
        self._tail = (self._tail + text)[-_CLOSE:]

    def flush(self) -> None:
        """End the block, if there is one; the notes inside it follow."""
        text = " ".join("".join(self._words).split())
        self._words.clear()
        self._tail, self._soft = "", False
        if text:
            self._block(text)
        notes, self._notes = self._notes, []
        for note, level in notes:
            self.block(note, level, "")

    def _block(self, text: str) -> None:
        whole = f"{self._lead} {text}".strip()
        if whole:
            self.blocks.append(Block(whole, self._level, self._start))
        self._lead, self._level = "", 0

    def close(self) -> None:
        """End what is left: a number that nothing came after."""
        self.flush()
        self._block("")


def _formula(element: "Element") -> Node:
    inside = [_formula(child) for child in element]
    return local_name(element), "" if inside else element.text or "", inside


def _is_inline(name: str, mixed: bool) -> bool:
    if name in _LOOKS or name in _RAISED or name in _LOWERED:
        return True
    return mixed and (name not in _BLOCKS or name == "title")  # TEI's titles of books


def _is_short(text: str | None) -> bool:
    return bool(text) and len(text or "") <= _LEAD_CHARACTERS


def _is_line(element: "Element") -> bool:
    """Whether an element is one line, as headings are: it may hold one paragraph, and no further structure."""
    if len(element) == 1 and local_name(element[0]).lower() == "p" and not has_text(element):
        element = element[0]
    mixed = has_text(element)
    return all(_is_inline(local_name(child).lower(), mixed) for child in element)


def _page(element: "Element") -> int | None:
    """The number of the page that a page break of TEI begins."""
    number = (element.get("n") or "").strip()
    return int(number) if number.isdecimal() and len(number) < 7 else None
