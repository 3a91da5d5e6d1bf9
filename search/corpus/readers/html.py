"""Web pages: what a reader of the page would read, without menus, scripts and forms."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from search.corpus.readers.blocks import Block, Prose, require_memory, whole_text
from search.corpus.readers.report import Report
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
_DECLARED = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_:.-]{1,40})""", re.I)
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
_CELL = "\x1f"  # between the cells of a table row
_WHITE = re.compile(r"\s+")
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
    blocks = list(_blocks(body))
    parts = page.css("main, [role=main]") or page.css("article")
    if len(parts) == 1:
        inner = list(_blocks(parts[0], main=True))
        whole, kept = _characters(blocks), _characters(inner)
        if inner and kept * 2 >= whole:
            if kept < whole:
                report.notes.append("only the main part of the page was read")
            return title, inner
    return title, blocks


def _characters(blocks: list[Block]) -> int:
    return sum(len(block.text) for block in blocks)


def _blocks(root: Any, main: bool = False) -> Iterator[Block]:
    """Walk the tree without recursion; a block ends where a block element begins or ends.

    :param main: whether all of it is content, its header and footer too.
    """
    words: list[str] = []
    level = 0
    within = {"content": int(main), "pre": 0}
    waiting: list[Any] = list(root.iter(include_text=True))[::-1]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):  # the end of an element
            within["content"] -= node in _CONTENT
            within["pre"] -= node == "pre"
            if node in _BLOCKS:
                yield from _block(words, level)
                level = 0 if _level(node) else level
            continue
        tag = node.tag or ""  # A processing instruction, as Word and PHP leave them, has none.
        if tag == "-text":
            text = node.text_content or ""
            if not within["pre"]:
                text = _WHITE.sub(" ", text)
                text = text.lstrip() if words and words[-1].endswith("\n") else text
            words.append(text)
        elif tag == "br":
            words.append("\n")
        elif tag not in _DROPPED and (tag not in _FRAME or within["content"]):
            if tag in _BLOCKS:
                yield from _block(words, level)
                level = _level(tag) or level
            elif tag in _CELLS and any(map(str.strip, words)):
                words.append(_CELL)
            within["content"] += tag in _CONTENT
            within["pre"] += tag == "pre"
            waiting.append(tag)
            waiting.extend(list(node.iter(include_text=True))[::-1])
    yield from _block(words, level)


def _block(words: list[str], level: int) -> Iterator[Block]:
    """The words so far as a block, if there are any; the list is emptied."""
    cells = "".join(words).split(_CELL)
    words.clear()
    if len(cells) > 1:
        text = " | ".join(filter(None, (" ".join(cell.split()) for cell in cells)))
    else:
        text = "\n".join(line.rstrip() for line in cells[0].split("\n")).strip("\n")
    if text.strip():
        yield Block(text, level)


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
