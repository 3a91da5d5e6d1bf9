"""What the readers of well-known formats share: the fields of a record, and finding texts by their paths."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from search.corpus.readers.blocks import Block, BlockText
from search.corpus.readers.report import Unusable
from search.corpus.readers.xml.prose import flat_text, prose_blocks

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

Fields: TypeAlias = dict[str, "str | BlockText | Unusable"]
"""A record: "id", "title" and "text" where there are any, and metadata under names of their own."""


def texts(element: "Element", *paths: str) -> list[str]:
    """The texts of all elements at some paths (`Article/Abstract/AbstractText`), each on one line; none is empty."""
    found = (flat_text(one) for path in paths for one in element.iterfind(path))
    return [text for text in found if text]


def first_text(element: "Element", *paths: str) -> str:
    """The first text at the first of the paths that has one, else ""."""
    return next(iter(texts(element, *paths)), "")


def record(
    title: str, blocks: Iterable[Block], identity: str = "", **metadata: str | Iterable[str]
) -> Fields:
    """The fields of a record; lists become one text ("a; b"), and what is empty is left out."""
    fields: Fields = {"id": identity} if identity else {}
    if title:
        fields["title"] = title
    fields["text"] = BlockText(tuple(block for block in blocks if block.text))
    for name, value in metadata.items():
        text = value if isinstance(value, str) else "; ".join(dict.fromkeys(filter(None, value)))
        if text:
            fields[name] = text
    return fields


def labelled(parts: Mapping[str, Iterable[str]]) -> Iterator[Block]:
    """Lists of words as paragraphs of a text, so that a search finds them: "Keywords: gout; diet"."""
    for label, words in parts.items():
        if joined := "; ".join(dict.fromkeys(filter(None, words))):
            yield Block(f"{label}: {joined}")


def headed(heading: str, blocks: Iterable[Block], level: int = 1) -> list[Block]:
    """Blocks under a heading, those that are headings themselves one level lower; none without blocks."""
    inner = [
        Block(block.text, min(block.level + level, 6) if block.level else 0, block.page)
        for block in blocks
    ]
    return [Block(heading, level), *inner] if inner and heading else inner


def blocks_of(element: "Element | None", dropped: Iterable[str] = ()) -> list[Block]:
    """`prose_blocks` of an element that may be missing."""
    return [] if element is None else prose_blocks(element, dropped)
