"""Statutes, bills and regulations: each section a document, under the headings that it stands in.

Akoma Ntoso, USLM (United States Code, bills), the older XML of House bills, legislation.gov.uk and the eCFR.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.corpus.readers.xml.fields import Fields, record
from search.corpus.readers.xml.parsing import local_name
from search.corpus.readers.xml.prose import flat_text, prose_blocks

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# What is about the text for machines, and lists of what follows.
_NOT_READ = (
    "meta",
    "metadata",
    "toc",
    "sectionindex",
    "contents",
    "cfrtoc",
    "commentaryref",
    "commentaries",
)
_IDS = ("identifier", "eId", "id", "N", "NODE")


@dataclass(frozen=True)
class Dialect:
    """How one format names what a statute consists of.

    `numbers` and `headings` name what stands at the head of sections and of the parts above them; `titles`
    name what holds the title of the whole, the best first. The number may stand deeper `inside` a section.
    """

    numbers: frozenset[str]
    headings: frozenset[str]
    titles: tuple[str, ...]
    inside: bool = False

    def section(self, open_elements: Sequence["Element"], act: str) -> Fields:
        """A section, which is the last of the open elements, of an act of some title."""
        *above, unit = open_elements
        title, heads = self._head(unit)
        for head in heads:
            unit.remove(head)
        path = [name for element in above[1:] if (name := self._head(element)[0])]
        return record(
            title,
            prose_blocks(unit, _NOT_READ),
            next((unit.get(name, "") for name in _IDS if unit.get(name)), ""),
            within=" > ".join(path),
            act=act,
        )

    def rest(self, root: "Element") -> Fields:
        """What stands outside of sections: the long title, the headings, schedules; or a text without sections."""
        return record(self.title(root), prose_blocks(root, _NOT_READ))

    def title(self, root: "Element") -> str:
        """The title of the whole."""
        for name in self.titles:
            for element in root.iter():
                if local_name(element) == name and (title := flat_text(element)):
                    return title
        return ""

    def _head(self, element: "Element") -> tuple[str, list["Element"]]:
        """The number and heading of a section or part as one text, and the elements that hold them."""
        heads: dict[str, Element] = {}
        for child in element:
            name = local_name(child)
            kind = "number" if name in self.numbers else "heading" if name in self.headings else ""
            if not kind or kind in heads:
                break
            heads[kind] = child
        number = heads.get("number")
        if number is None and heads and self.inside:  # It may be inside: P1group, P1, Pnumber.
            number = next((one for one in element.iter() if local_name(one) in self.numbers), None)
        shown = [flat_text(number), flat_text(heads.get("heading"))]
        return " ".join(filter(None, shown)), list(heads.values())


AKOMA_NTOSO = Dialect(
    frozenset(("num",)),
    frozenset(("heading", "subheading")),
    ("docTitle", "shortTitle", "longTitle"),
)
USLM = Dialect(frozenset(("num",)), frozenset(("heading",)), ("officialTitle", "docTitle", "title"))
HOUSE = Dialect(frozenset(("enum",)), frozenset(("header",)), ("title", "official-title"))
CLML = Dialect(
    frozenset(("Number", "Pnumber")), frozenset(("Title",)), ("title", "Title"), inside=True
)
ECFR = Dialect(frozenset(), frozenset(("HEAD",)), ("HEAD",))
