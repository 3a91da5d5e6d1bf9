"""XML that is a list of records (TREC, PubMed, feeds, exports): a row each, its elements as fields."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from search.corpus.readers.report import Report, Row
from search.corpus.readers.signatures import kind_of, refuse_other_kind
from search.corpus.readers.xml import (
    JunkAfterRoot,
    XmlSource,
    has_text,
    local_name,
    prose_blocks,
    xml_events,
)
from search.projects.errors import Refused
from search.projects.settings import LIMITS

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_AHEAD = 100
_SCANNED = 20_000
_SCANNED_BYTES = 8 * 1024 * 1024
_LEVELS = (2, 3, 4)  # a record is a child, grandchild or great-grandchild of the root
_SHARE = 0.8
_TEXT_SHARE = 0.6
_SHORT = 100
# What lists of records call them; elements of other names must look like records.
_RECORDS = frozenset((
    "doc", "document", "record", "article", "item", "entry", "row", "case", "post", "page"
))  # fmt: skip
# What only prose has: repeated elements with these right inside are its chapters, not records.
_PROSE = frozenset((
    "p", "para", "head", "heading", "sec", "section", "div", "list", "table", "lb", "l", "lg"
))  # fmt: skip
_NEVER = frozenset(("tei", "tei.2", "teicorpus", "html"))
_NAMED = frozenset(("field", "str", "arr", "int", "long", "date", "float", "double", "bool"))


@dataclass
class _Scan:
    """What the beginning of a file looks like, by paths of element names from the root."""

    counts: Counter[tuple[str, ...]] = field(default_factory=Counter)
    record_like: Counter[tuple[str, ...]] = field(default_factory=Counter)
    characters: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def see(self, stack: list["Element"], path: tuple[str, ...]) -> None:
        element = stack[-1]
        for level in range(1, min(len(path), _LEVELS[-1]) + 1):
            self.characters[path[:level]] += len(element.text or "")
        if len(path) in _LEVELS:
            self.counts[path] += 1
            self.record_like[path] += _is_record_like(element)
        if len(path) > 1:
            element.clear()

    def records(self) -> tuple[str, ...] | None:
        """The path of what is repeated, is most of the text, and looks like records; the outermost."""
        for path in sorted(self.counts, key=lambda path: (len(path), -self.counts[path])):
            count = self.counts[path]
            beside = sum(n for other, n in self.counts.items() if other[:-1] == path[:-1])
            named = path[-1].lower() in _RECORDS
            if (
                count > 1
                and (named or count >= _SHARE * beside)
                and (named or self.record_like[path] >= _SHARE * count)
                and self.characters[path] >= _TEXT_SHARE * self.characters[path[:1]]
            ):
                return path
        return None


def xml_records(path: Path, report: Report) -> Iterator[Row] | None:
    """The rows of a file that is a list of records, else None; sets `report.columns` first.

    :raises Refused: when it is not XML or uses entities of its own, here or while the rows are read.
    """
    report.format = "XML"
    with path.open("rb") as stream:
        refuse_other_kind(kind_of(stream), report.source, "XML")
    rootless = False
    try:
        wanted = _scanned(XmlSource(path, report), report)
    except JunkAfterRoot:
        rootless = True
        wanted = _scanned(XmlSource(path, report, rootless), report)
        if wanted is None:
            raise Refused(f"{report.source} is not XML: there is more after its end.") from None
    if wanted is None:
        return None
    rows = _rows(XmlSource(path, report, rootless), report, wanted)
    ahead = list(islice(rows, _AHEAD))
    report.columns = tuple(dict.fromkeys(name for row in ahead for name in row.fields))
    if len(report.columns) > LIMITS.columns:
        raise Refused(
            f"{report.source} has {len(report.columns):,} kinds of fields; the limit is "
            f"{LIMITS.columns:,}."
        )

    def everything() -> Iterator[Row]:
        yield from ahead
        yield from rows

    return everything()


def _scanned(source: XmlSource, report: Report) -> tuple[str, ...] | None:
    scan = _Scan()
    elements = 0
    for event, stack in xml_events(source, report):
        if event == "start":
            if len(stack) == 1 and local_name(stack[0]).lower() in _NEVER:
                return None
            continue
        elements += 1
        scan.see(stack, tuple(map(local_name, stack)))
        if elements >= _SCANNED or source.pending > _SCANNED_BYTES:
            break
    return scan.records()


def _is_record_like(element: "Element") -> bool:
    names = {local_name(child).lower() for child in element}
    return bool(names) and not has_text(element) and not names & _PROSE


def _rows(source: XmlSource, report: Report, wanted: tuple[str, ...]) -> Iterator[Row]:
    number = 0
    try:
        for event, stack in xml_events(source, report):
            if event == "end" and len(stack) == len(wanted):
                if tuple(map(local_name, stack)) == wanted:
                    number += 1
                    yield Row(f"record {number}", _fields(stack[-1]))
                stack[-2].clear()
                source.pending = 0
    except JunkAfterRoot:
        raise Refused(f"{report.source} is not XML: there is more after its end.") from None


def _fields(record: "Element") -> Mapping[str, str]:
    """The attributes and elements of a record; what occurs twice is joined."""
    fields: dict[str, str] = {}

    def add(name: str, value: str) -> None:
        if value and name in fields:
            parting = "; " if len(value) < _SHORT and len(fields[name]) < _SHORT else "\n\n"
            value = f"{fields[name]}{parting}{value}"
        if value:
            fields[name] = value

    for name, value in record.attrib.items():
        add(name.rpartition("}")[2], value)
    if has_text(record) or not len(record):
        add("text", "\n\n".join(block.text for block in prose_blocks(record)))
        return fields
    waiting = list(reversed(record))
    while waiting:
        child = waiting.pop()
        if _is_record_like(child) and len({local_name(inner) for inner in child}) > 1:
            waiting.extend(reversed(child))
            continue
        name = local_name(child)
        name = child.get("name", name) if name in _NAMED else name
        add(name, "\n\n".join(block.text for block in prose_blocks(child)))
    return fields
