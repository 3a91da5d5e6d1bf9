"""Classifications: the tabular list and the index of ICD-10-CM, and ClaML (ICD-10 of the WHO, ICF, ICD-O)."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from search.corpus.readers.blocks import Block
from search.corpus.readers.xml.fields import Fields, first_text, record, texts
from search.corpus.readers.xml.prose import flat_text

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_LABELS = {
    "inclusionTerm": "Includes", "includes": "Includes", "excludes1": "Excludes 1", "excludes2": "Excludes 2",
    "codeFirst": "Code first", "useAdditionalCode": "Use additional code", "codeAlso": "Code also",
    "sevenChrNote": "Seventh character", "sevenChrDef": "Seventh characters", "notes": "Note",
}  # fmt: skip
_STRUCTURE = frozenset(
    (
        "name",
        "desc",
        "diag",
        "section",
        "sectionIndex",
        "chapter",
        "version",
        "title",
        "introduction",
    )
)


def tabular_list(root: "Element", _single: bool) -> Iterator[Fields]:
    """Each code of a tabular list a document, and each chapter and block of codes.

    The title is code and name; what a code includes and excludes is the text, the codes above it are metadata.
    """
    waiting: list[tuple[Element, tuple[str, ...], str]] = [
        (child, (), "") for child in reversed(root) if child.tag in ("chapter", "section", "diag")
    ]
    while waiting:
        element, above, chapter = waiting.pop()
        code = first_text(element, "name") or element.get("id", "")
        name = first_text(element, "desc")
        shown = f"Chapter {code}" if element.tag == "chapter" else code
        title = f"{shown} {name}".strip()
        chapter = title if element.tag == "chapter" else chapter
        yield record(
            title,
            _notes(element),
            shown,
            kind={"diag": "code", "section": "block"}.get(element.tag, element.tag),
            chapter=chapter,
            within=" > ".join(above),
        )
        inner = [child for child in element if child.tag in ("section", "diag")]
        waiting += [(child, (*above, title), chapter) for child in reversed(inner)]


def _notes(element: "Element") -> Iterator[Block]:
    for part in element:
        if part.tag in _STRUCTURE:
            continue
        notes = texts(part, "note", "visRange")
        notes += [
            f"{one.get('char', '')} {flat_text(one)}".strip() for one in part.iterfind("extension")
        ]
        label = (
            _LABELS.get(part.tag) or re.sub(r"(?<=[a-z])(?=[A-Z0-9])", " ", part.tag).capitalize()
        )
        if said := "; ".join(notes) or flat_text(part):
            yield Block(f"{label}: {said}")


def index_term(term: "Element", _single: bool) -> Iterator[Fields]:
    """A `mainTerm` of the index: each term under it on a line of its own, with its code."""
    lines: list[Block] = []
    waiting: list[tuple[Element, str]] = [(term, "")]
    while waiting:
        element, above = waiting.pop()
        name = f"{above}, {first_text(element, 'title')}".removeprefix(", ")
        codes = [
            f"{label}{text}"
            for tag, label in (("code", ""), ("see", "see "), ("seeAlso", "see also "))
            for text in texts(element, tag)
        ]
        lines.append(Block(f"{name}: {', '.join(codes)}" if codes else name))
        waiting += [(child, name) for child in reversed(element.findall("term"))]
    yield record(first_text(term, "title"), lines, code=first_text(term, "code"))


def classification_class(element: "Element", _single: bool) -> Iterator[Fields]:
    """A `Class` of ClaML: its preferred label the title, the other rubrics the text."""
    code, name, blocks = element.get("code", ""), "", []
    for rubric in element.iterfind("Rubric"):
        kind = rubric.get("kind", "")
        labels = texts(rubric, "Label")
        if kind == "preferred" and not name:
            name = " ".join(labels)
        elif kind not in ("preferredLong", "preferred"):
            blocks += [Block(f"{kind.replace('-', ' ').capitalize()}: {label}") for label in labels]
    above = element.find("SuperClass")
    yield record(
        f"{code} {name}".strip(),
        blocks,
        code,
        kind=element.get("kind", ""),
        parent="" if above is None else above.get("code", ""),
    )
