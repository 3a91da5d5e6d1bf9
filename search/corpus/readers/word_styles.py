"""What the styles of a Word document say: levels of headings, titles, and how runs are set (hidden, raised, fonts)."""

import re
from collections.abc import Iterator
from typing import Any

from search.corpus.readers.word_numbering import W

_HEADING = re.compile(r"heading ([1-9])", re.I)
_BASED_ON = 20
_RAISED_BY = 3  # half points: what is moved by less still stands on its line


class Styles:
    """The styles of a document, each with what it is based on.

    :param element: the root of styles.xml.
    """

    def __init__(self, element: Any) -> None:
        self._styles = {
            style.get(f"{W}styleId", ""): style for style in element.iterchildren(f"{W}style")
        }
        self._known: dict[tuple[str, str], Any] = {}

    def level(self, paragraph: Any) -> int:
        """The level of a heading, by its own outline, the built-in style (English in every language) or its outline."""
        if own := _outline_level(paragraph):
            return own
        for style in self._chain(style_of(paragraph)):
            found = _HEADING.fullmatch(value(style.find(f"{W}name")))
            level = min(int(found[1]), 6) if found else _outline_level(style)
            if level or _says_body_text(style):
                return level
        return 0

    def is_title(self, paragraph: Any) -> bool:
        """Whether a paragraph has the style of titles."""
        style = self._styles.get(style_of(paragraph))
        return style is not None and value(style.find(f"{W}name")).casefold() == "title"

    def is_hidden(self, properties: Any, paragraph_style: str) -> bool:
        """Whether a run is hidden, by itself, its style or that of its paragraph."""
        return is_on(self._property("vanish", properties, paragraph_style))

    def font(self, properties: Any, paragraph_style: str) -> str:
        """The font of the letters of a run; "" for that of the document."""
        fonts = self._property("rFonts", properties, paragraph_style)
        return "" if fonts is None else str(fonts.get(f"{W}ascii") or fonts.get(f"{W}hAnsi") or "")

    def height(self, properties: Any, paragraph_style: str) -> str:
        """Whether a run is "superscript", "subscript" or neither (""), by what it says or where it was moved."""
        said = value(self._property("vertAlign", properties, paragraph_style))
        moved = None if properties is None else properties.find(f"{W}position")
        if said in ("", "baseline") and moved is not None:
            points = value(moved)
            by = int(points) if points.lstrip("-").isdecimal() else 0
            said = "superscript" if by > _RAISED_BY else "subscript" if by < -_RAISED_BY else ""
        return said if said in ("superscript", "subscript") else ""

    def _property(self, name: str, properties: Any, paragraph_style: str) -> Any:
        if properties is not None:
            own = properties.find(f"{W}{name}")
            if own is not None:
                return own
            of_style = self._of_style(value(properties.find(f"{W}rStyle")), name)
            if of_style is not None:
                return of_style
        return self._of_style(paragraph_style, name)

    def _of_style(self, identity: str, name: str) -> Any:
        if (identity, name) not in self._known:
            found = (style.find(f"{W}rPr/{W}{name}") for style in self._chain(identity))
            self._known[identity, name] = next((one for one in found if one is not None), None)
        return self._known[identity, name]

    def _chain(self, identity: str) -> Iterator[Any]:
        """A style and those that it is based on."""
        for _ in range(_BASED_ON):
            style = self._styles.get(identity)
            if style is None:
                return
            yield style
            identity = value(style.find(f"{W}basedOn"))


def style_of(paragraph: Any) -> str:
    """The style that a paragraph names."""
    return value(paragraph.find(f"{W}pPr/{W}pStyle"))


def value(element: Any) -> str:
    """What an element says in its attribute; "" for none."""
    return "" if element is None else str(element.get(f"{W}val", ""))


def is_on(element: Any) -> bool:
    """Whether a property that may be switched off is there and on."""
    return element is not None and value(element) not in ("0", "false", "off", "none")


def _outline_level(element: Any) -> int:
    """The level that a paragraph or a style names itself; 0 for none, and for "body text" (9)."""
    level = value(element.find(f"{W}pPr/{W}outlineLvl"))
    return min(int(level) + 1, 6) if level.isdecimal() and int(level) < 9 else 0


def _says_body_text(style: Any) -> bool:
    return style.find(f"{W}pPr/{W}outlineLvl") is not None
