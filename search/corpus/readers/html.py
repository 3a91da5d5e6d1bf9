"""Web pages: what a reader of the page would read, without menus, scripts and forms."""

import codecs
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from search.corpus.readers.blocks import Block, Prose, require_memory, whole_text
from search.corpus.readers.equations import Node, mathml
from search.corpus.readers.html_styles import hidden_classes, unseen
from search.corpus.readers.html_tables import Grid
from search.corpus.readers.merged_cells import Room
from search.corpus.readers.report import Report
from search.corpus.readers.typography import beside, fractions, lowered, raised
from search.corpus.readers.word_numbering import formatted
from search.projects.errors import Refused

_DROPPED = frozenset((
    "script", "style", "template", "noscript", "svg", "nav", "button", "input", "select", "textarea",
    "option", "datalist", "object", "iframe", "canvas", "dialog", "audio", "video", "head", "title",
))  # fmt: skip
# Around the page they hold its menus; inside an article they hold its title and its sources.
_FRAME = frozenset(("header", "footer"))
_CONTENT = frozenset(("main", "article", "blockquote", "section"))
_BLOCKS = frozenset((
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dir",
    "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4",
    "h5", "h6", "header", "hgroup", "hr", "html", "legend", "li", "main", "menu", "ol", "p", "pre",
    "search", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul",
))  # fmt: skip
_CELLS = frozenset(("td", "th"))
_DECLARED = re.compile(
    rb"""<meta[^>]{0,200}?charset\s*+=\s*+["']?+\s*+([A-Za-z0-9_:.-]{1,40})""", re.I
)
# What browsers take these names for: pages that say Latin-1 hold Windows's quotation marks.
_LATIN = frozenset(("iso8859-1", "ascii"))
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]{0,60})")
# Elements that end by themselves where the next begins, or that have no content.
_UNNESTED = frozenset((
    "p", "li", "dd", "dt", "td", "th", "tr", "tbody", "thead", "tfoot", "option", "br", "hr", "img",
    "input", "meta", "link", "col", "area", "base", "embed", "param", "source", "track", "wbr",
    "script", "style",
))  # fmt: skip
_DEPTH = 5_000
_SCRIPTS = ("sup", "sub")
_LISTS = ("ol", "ul", "menu", "dir")
_KINDS = {"a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
_QUOTES = "“”"
_STRUCK = "struck through"
_FORMULA_DEPTH = 100
_CELL = "\x1f"  # between the cells of a table row
_WHITE = re.compile(r"\s+")
_WHOLE = re.compile(r"-?\d{1,9}", re.ASCII)
_SELF_CLOSED = re.compile(r"<(script|style|title|textarea|iframe|a|div|span|p|i|b|em)\b([^<>]*)/>")


def read_html(path: Path, report: Report) -> Prose:
    """A web page as prose: the main part where the page says which it is, else all but its frame.

    The encoding is the chosen one, that of a byte order mark, the one the page declares where all its bytes
    are of it, or a found one.

    :raises Refused: when the file is too large, no text, or nested thousands of elements deep.
    """
    report.format = "HTML"
    require_memory(path, report)
    if report.encoding is None:
        report.encoding = _declared_encoding(path.read_bytes())
    markup = whole_text(path, report)
    title, blocks = content_of(markup, report)
    return Prose(title, blocks)


def content_of(markup: str, report: Report) -> tuple[str, list[Block]]:
    """The title of a page (may be empty), and its headings and paragraphs.

    :raises Refused: when it is nested so deeply that it would take minutes to parse.
    """
    from selectolax.lexbor import LexborHTMLParser

    if markup.lstrip()[:5] == "<?xml":
        markup = _SELF_CLOSED.sub(r"<\1\2></\1>", markup)
    _refuse_depth(markup, report)
    page = LexborHTMLParser(markup)
    named = page.css_first("head title")
    title = " ".join(named.text().split()) if named is not None else ""
    body = page.body
    if body is None:
        return title, []
    left_out: Counter[str] = Counter()
    hidden = hidden_classes(page)
    blocks = list(_blocks(body, left_out, hidden))
    if struck := left_out.pop(_STRUCK, 0):
        report.notes.append(f"{struck:,} pieces are struck through and read as text")
    if said := ", ".join(f"{many:,} {what}" for what, many in left_out.items() if many):
        report.notes.append(f"parts of the page that were left out: {said}")
    parts = page.css("main, [role=main]") or page.css("article")
    if len(parts) == 1:
        inner = list(_blocks(parts[0], Counter(), hidden, main=True))
        whole, kept = _characters(blocks), _characters(inner)
        if inner and kept * 2 >= whole:
            if kept < whole:
                report.notes.append("only the main part of the page was read")
            return title, inner
    return title, blocks


def _characters(blocks: list[Block]) -> int:
    return sum(len(block.text) for block in blocks)


@dataclass
class _State:
    """Where the walk is: inside of what, which lists count, and where raised and lowered texts began."""

    content: int = 0
    pre: int = 0
    lists: list[tuple[str, Iterator[int]]] = field(default_factory=list)
    scripts: list[int] = field(default_factory=list)
    item: str = ""
    grids: list[Grid] = field(default_factory=list)
    room: Room = field(default_factory=Room)

    def enter(self, node: Any, attributes: Mapping[str, str | None], words: list[str]) -> None:
        """An element begins."""
        tag = node.tag
        self.content += tag in _CONTENT
        self.pre += tag == "pre"
        if tag in _SCRIPTS:
            self.scripts.append(len(words))
        elif tag in _LISTS:
            kind = _KINDS.get(attributes.get("type") or "1", "decimal") if tag == "ol" else ""
            step = -1 if "reversed" in attributes else 1
            items = sum(child.tag == "li" for child in node.iter()) if step < 0 else 1
            self.lists.append((kind, count(_number(attributes.get("start"), items), step)))
        elif tag == "li" and self.lists and self.lists[-1][0]:
            kind, numbers = self.lists[-1]
            number = _number(attributes.get("value"), next(numbers))
            step = -1 if "reversed" in (node.parent.attributes if node.parent else ()) else 1
            self.lists[-1] = (kind, count(number + step, step))
            self.item = f"{formatted(number, kind)}. "
        elif tag == "table":
            self.grids.append(Grid(node, self.room))
        elif tag == "q":
            words.append(_QUOTES[0])

    def write(self, text: str, words: list[str]) -> None:
        """A text, behind the number of its item; white space is one space, but in what is set as it is."""
        if not self.pre:
            text = _WHITE.sub(" ", text)
            text = text.lstrip() if words and words[-1][-1:].isspace() else text
        if self.item and text.strip():
            words.append(self.item)
            self.item = ""
        words.append(text)

    def leave(self, tag: str, words: list[str]) -> None:
        """An element ends."""
        self.content -= tag in _CONTENT
        self.pre -= tag == "pre"
        if tag in _LISTS:
            self.lists.pop()
        elif tag == "table":
            self.grids.pop()
        elif tag == "q":
            words.append(_QUOTES[1])
        if tag not in _SCRIPTS:
            return
        # A block inside of it has taken its words away already.
        start = min(self.scripts.pop(), len(words))
        text = "".join(words[start:])
        del words[start:]
        before = "".join(words[-3:])
        words.append(raised(text, before) if tag == "sup" else lowered(text))


def _blocks(
    root: Any, left_out: Counter[str], hidden: frozenset[str], main: bool = False
) -> Iterator[Block]:
    """Walk the tree without recursion; a block ends where a block element begins or ends.

    Items of numbered lists begin with their numbers, as a browser shows them.

    :param left_out: counts what nobody sees on the page, or what was deleted from it.
    :param hidden: the classes that a style sheet hides.
    :param main: whether all of it is content, its header and footer too.
    """
    words: list[str] = []
    level = 0
    state = _State(content=int(main))
    waiting: list[Any] = list(root.iter(include_text=True))[::-1]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):  # the end of an element
            state.leave(node, words)
            if node in _BLOCKS:
                yield from _block(words, level)
                level = 0 if _level(node) else level
            continue
        tag = node.tag or ""  # A processing instruction, as Word and PHP leave them, has none.
        if tag == "-text":
            state.write(node.text_content or "", words)
        elif tag in _SIGNS:
            words.append(_SIGNS[tag](node, "".join(words[-1:])))
        elif tag not in _DROPPED and (tag not in _FRAME or state.content):
            attributes = node.attributes
            if why := unseen(node, attributes, hidden):
                left_out[why] += bool((node.text() or "").strip())
                continue
            if tag in _BLOCKS:
                yield from _block(words, level)
                level = _level(tag) or level
            elif tag in _CELLS and any(map(str.strip, words)):
                words.append(_CELL)
            left_out[_STRUCK] += tag in ("s", "strike")
            if tag == "tr" and state.grids:
                row = state.grids[-1].row(node, partial(_cell, left_out=left_out, hidden=hidden))
                if row is not None:
                    yield from [Block(row, level)] if row.strip(" |") else []
                    continue
            state.enter(node, attributes, words)
            waiting.append(tag)
            waiting.extend(list(node.iter(include_text=True))[::-1])
    yield from _block(words, level)


def _cell(cell: Any, left_out: Counter[str], hidden: frozenset[str]) -> str:
    """The text of a cell on one line."""
    blocks = _blocks(cell, left_out, hidden, main=True)
    return " ".join(" ".join(block.text for block in blocks).split())


def _box(node: Any, _: str) -> str:
    """A box of a form, ticked or not; nothing for other fields."""
    attributes = node.attributes
    if (attributes.get("type") or "").lower() not in ("checkbox", "radio"):
        return ""
    return "☒ " if "checked" in attributes else "☐ "


def _formula(node: Any, before: str) -> str:
    return beside(before, mathml(*_formula_parts(node, 0)))


def _formula_parts(node: Any, depth: int) -> Node:
    if depth > _FORMULA_DEPTH:
        return "mi", node.text() or "", ()
    inside = [_formula_parts(child, depth + 1) for child in node.iter()]
    return node.tag or "", "" if inside else node.text() or "", inside


_SIGNS: dict[str, Callable[[Any, str], str]] = {
    "br": lambda node, before: "\n",
    "input": _box,
    "math": _formula,
}


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and _WHOLE.fullmatch(text.strip()) else otherwise


def _block(words: list[str], level: int) -> Iterator[Block]:
    """The words so far as a block, if there are any; the list is emptied."""
    cells = "".join(words).split(_CELL)
    words.clear()
    if len(cells) > 1:
        text = " | ".join(filter(None, (" ".join(cell.split()) for cell in cells)))
    else:
        text = "\n".join(line.rstrip() for line in cells[0].split("\n")).strip("\n")
    if text.strip():
        yield Block(fractions(text), level)


def _level(tag: str) -> int:
    return int(tag[1]) if len(tag) == 2 and tag[0] == "h" and tag[1] in "123456" else 0


def _declared_encoding(raw: bytes) -> str | None:
    """The encoding that a page declares, where its bytes bear it out and no byte order mark says more."""
    found = _DECLARED.search(raw[:4096])
    if found is None or raw.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return None
    try:
        name = codecs.lookup(found[1].decode("ascii")).name
        name = "cp1252" if name in _LATIN else name
        if name.startswith(("utf-16", "utf-32")):  # a declaration that can be read is not UTF-16
            return None
        raw.decode(name)
    except (LookupError, ValueError):
        return None
    return name


def _refuse_depth(markup: str, report: Report) -> None:
    """Parsing takes the square of the depth, so count open elements first (too many rather than too few)."""
    depth = 0
    for closing, name in _TAG.findall(markup):
        if name.lower() in _UNNESTED:
            continue
        depth += -1 if closing else 1
        if depth > _DEPTH:
            raise Refused(
                f"{report.source} has elements inside one another, more than {_DEPTH:,} deep: it is "
                "no page that a person could read."
            )
