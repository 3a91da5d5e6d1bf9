"""Lists of records of any XML (TREC, Solr, feeds, exports): a record a row, its fields by their paths."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from search.corpus.readers.blocks import BlockText
from search.corpus.readers.report import Report, Row
from search.corpus.readers.xml.parsing import JunkAfterRoot, XmlSource, local_name, xml_events
from search.corpus.readers.xml.prose import flat_text, has_text, prose_blocks
from search.projects.errors import Refused
from search.projects.settings import LIMITS

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_AHEAD = 100
_DEPTH = 5
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
# What articles and books end with: never records, however many there are.
_REFERENCES = frozenset((
    "ref", "reference", "bib-reference", "bibl", "biblstruct", "biblentry", "citation", "bib", "note", "fn", "footnote", "author", "contrib",
))  # fmt: skip
_NEVER = frozenset(("tei", "tei.2", "teicorpus", "html"))
# Where an element without text says what it means, the best first.
_VALUES = ("displayName", "value", "content", "term", "label")
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
                and path[-1].lower() not in _REFERENCES
                and (named or count >= _SHARE * beside)
                and (named or self.record_like[path] >= _SHARE * count)
                and self.characters[path] >= _TEXT_SHARE * self.characters[path[:1]]
            ):
                return path
        return None


def xml_records(path: Path, report: Report) -> Iterator[Row] | None:
    """The rows of a file that is a list of records, else None; sets `report.columns` first.

    What is a column is decided over the first hundred records together: an element that never has text of
    its own, holds fields of several names and stands once in a record is taken apart; anything else is one
    column. A column is named as its element, or by its path where two would have one name.

    :raises Refused: when it is not XML or uses entities of its own, here or while the rows are read.
    """
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
    records = _records(XmlSource(path, report, rootless), report, wanted)
    ahead = list(islice(records, _AHEAD))
    shape = _Shape(ahead)
    first = [shape.fields(record) for record in ahead]
    report.columns = tuple(dict.fromkeys(name for fields in first for name in fields))
    if len(report.columns) > LIMITS.columns:
        raise Refused(
            f"{report.source} has {len(report.columns):,} kinds of fields; the limit is "
            f"{LIMITS.columns:,}."
        )

    def everything() -> Iterator[Row]:
        rest = map(shape.fields, records)
        for number, fields in enumerate(chain(first, rest), start=1):
            yield Row(f"record {number}", fields)

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


def _records(source: XmlSource, report: Report, wanted: tuple[str, ...]) -> Iterator["Element"]:
    try:
        for event, stack in xml_events(source, report):
            if event == "end" and len(stack) == len(wanted):
                if tuple(map(local_name, stack)) == wanted:
                    yield stack[-1]
                stack[-2].clear()
                source.pending = 0
    except JunkAfterRoot:
        raise Refused(f"{report.source} is not XML: there is more after its end.") from None


class _Shape:
    """Which elements inside a record are taken apart, and how the columns are named."""

    def __init__(self, records: Sequence["Element"]) -> None:
        self._whole: set[tuple[str, ...]] = set()
        self._inner: dict[tuple[str, ...], set[str]] = {}
        for record in records:
            self._see(record)
        leaves: dict[str, list[tuple[str, ...]]] = {}
        for path in self._inner:
            if not self._apart(path) and all(self._apart(path[:n]) for n in range(1, len(path))):
                leaves.setdefault(path[-1], []).append(path)
        self._names = {}
        for name, paths in leaves.items():
            paths.sort(key=len)
            alone = len(paths) == 1 or len(paths[0]) < len(paths[1])
            for number, path in enumerate(paths):
                self._names[path] = name if alone and not number else ".".join(path)

    def _see(self, record: "Element") -> None:
        waiting: list[tuple[Element, tuple[str, ...]]] = [(record, ())]
        while waiting:
            element, above = waiting.pop()
            counts = Counter(map(local_name, element))
            self._whole |= {(*above, name) for name, count in counts.items() if count > 1}
            for child in element:
                path = (*above, local_name(child))
                inner = self._inner.setdefault(path, set())
                if len(child):
                    inner |= set(map(local_name, child))
                if has_text(child) or {local_name(one).lower() for one in child} & _PROSE:
                    self._whole.add(path)
                elif len(path) < _DEPTH:
                    waiting.append((child, path))

    def _apart(self, path: tuple[str, ...]) -> bool:
        inner = self._inner.get(path, set())
        if path in self._whole or inner & _NAMED:
            return False
        return len(inner) > 1 or any(self._apart((*path, name)) for name in inner)

    def fields(self, record: "Element") -> Mapping[str, str | BlockText]:
        """The attributes and elements of a record; what occurs twice is joined."""
        values: dict[str, list[str | BlockText]] = {}
        for name, value in record.attrib.items():
            values.setdefault(name.rpartition("}")[2], []).append(value)
        if has_text(record) or not len(record):
            values.setdefault("text", []).append(_value(record))
            return _joined(values)
        waiting: list[tuple[Element, tuple[str, ...]]] = [
            (child, (local_name(child),)) for child in reversed(record)
        ]
        while waiting:
            element, path = waiting.pop()
            if len(element) and self._apart(path) and not has_text(element):
                waiting += [(child, (*path, local_name(child))) for child in reversed(element)]
                continue
            name = self._names.get(path, path[-1] if len(path) == 1 else ".".join(path))
            name = element.get("name", name) if path[-1] in _NAMED else name
            values.setdefault(name, []).append(_value(element))
        return _joined(values)


def _joined(values: Mapping[str, list[str | BlockText]]) -> Mapping[str, str | BlockText]:
    fields: dict[str, str | BlockText] = {}
    for name, several in values.items():
        filled = [value for value in several if str(value)]
        if len(filled) == 1:
            fields[name] = filled[0]
        elif filled:
            short = all(len(str(value)) < _SHORT for value in filled)
            fields[name] = ("; " if short else "\n\n").join(map(str, filled))
    return fields


def _value(element: "Element") -> str | BlockText:
    """What an element says: its text, the items of a list of structures on one line, else an attribute."""
    if len(element) and all(len(child) and _is_record_like(child) for child in element):
        return "; ".join(filter(None, map(flat_text, element)))
    blocks = prose_blocks(element)
    if any(block.level for block in blocks):
        return BlockText(tuple(blocks))
    text = "\n\n".join(block.text for block in blocks)
    return text or next((element.get(name, "") for name in _VALUES if element.get(name)), "")
