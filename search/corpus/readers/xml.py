"""XML: marked-up text (TEI and any other) as one document, or a list of records (TREC, PubMed, feeds) as rows."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.entities import name2codepoint
from pathlib import Path
from typing import TYPE_CHECKING
from xml.parsers.expat import errors

from search.corpus.readers.blocks import Block, Prose, require_memory
from search.corpus.readers.cells import with_columns
from search.corpus.readers.report import Report, Row
from search.corpus.readers.signatures import kind_of, refuse_other_kind
from search.projects.errors import Refused
from search.projects.settings import LIMITS

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_DEPTH = 200
_CHUNK = 64 * 1024
_TEI = ("TEI", "TEI.2", "teiCorpus")
_HEADS = frozenset(("title", "head", "heading", "h1", "h2", "h3", "h4", "h5", "h6"))
# Inside a paragraph these part words, although nothing but the tags may stand between them.
_PARTING = frozenset(("lb", "br", "p", "para", "item", "row", "cell", "l", "head", "title"))


def read_xml(path: Path, report: Report) -> Prose:
    """A TEI text, or the text of any other XML, as prose.

    :raises Refused: when the file is too large, not XML, or uses entities of its own.
    """
    report.format = "XML"
    require_memory(path, report)
    root: Element | None = None
    for event, stack in xml_events(XmlSource(path, report), report):
        if event == "start" and len(stack) == 1:
            root = stack[0]
    if root is None:
        raise Refused(f"{report.source} is not XML: it has no element.")
    if local_name(root) not in _TEI:
        return Prose("", prose_blocks(root))
    header = next((child for child in root if local_name(child) == "teiHeader"), None)
    bodies = [child for child in root.iter() if local_name(child) == "text"]
    blocks = [block for body in bodies for block in prose_blocks(body)]
    return Prose(_first(header, "title"), blocks, {"author": _first(header, "author")})


def prose_blocks(root: "Element") -> Iterator[Block]:
    """Headings and paragraphs: an element with text of its own is one, whatever is inside it.

    The level of a heading is how many elements that hold a heading it is inside of.
    """
    page: int | None = None
    waiting: list[tuple[Element, int]] = [(root, 0)]
    while waiting:
        element, level = waiting.pop()
        if has_text(element):
            heading = local_name(element) in _HEADS
            start = page
            for inner in element.iter():
                page = _page(inner) or page
            yield Block(flat_text(element), min(max(level, 1), 6) if heading else 0, start)
        else:
            page = _page(element) or page
            headed = any(local_name(child) in _HEADS for child in element)
            waiting += [(child, level + headed) for child in reversed(element)]


def flat_text(element: "Element") -> str:
    """All text inside an element, on one line."""
    parts: list[str] = []
    waiting: list[Element | str] = [element]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            parts.append(item)
            continue
        space = " " if local_name(item) in _PARTING else ""
        parts.append(space + (item.text or ""))
        for child in reversed(item):
            tail = child.tail or ""
            waiting += [f" {tail}" if local_name(child) in _PARTING else tail, child]
    return " ".join("".join(parts).split())


def has_text(element: "Element") -> bool:
    """Whether an element has text of its own, beside its child elements."""
    own = [element.text, *(child.tail for child in element)]
    return any(text and not text.isspace() for text in own)


def local_name(element: "Element") -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


class XmlSource:
    """The bytes of an XML file, counted: `pending` may be set back to 0 when what was read is let go.

    :param rootless: put a root element around the file, for lists of records that have none (TREC).
    """

    def __init__(self, path: Path, report: Report, rootless: bool = False) -> None:
        self.pending = 0
        self._stream = path.open("rb")
        self._ended = False
        self._report = report
        self._before, self._after = (b"<records>", b"</records>") if rootless else (b"", b"")

    def read(self, _size: int = _CHUNK) -> bytes:
        """The next bytes; none at the end. As many again as are pending: the parser looks at a tag or a text
        that is not over from its start each time it is given more.

        :raises Refused: when too much would be held in memory.
        """
        if self._before:
            chunk, self._before = self._before, b""
            return chunk
        chunk = b"" if self._ended else self._stream.read(max(_CHUNK, self.pending))
        self.pending += len(chunk)
        if self.pending > LIMITS.prose_bytes:
            raise Refused(
                f"{self._report.source} has more than {LIMITS.prose_bytes:,} bytes in one document. "
                "Split it."
            )
        if not chunk:
            self._ended = True
            chunk, self._after = self._after, b""
        return chunk

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


class JunkAfterRoot(Exception):
    """The file goes on after its root element, as lists of records without a root do."""


def xml_events(source: XmlSource, report: Report) -> Iterator[tuple[str, list["Element"]]]:
    """The starts and ends of elements ("start", "end") and the open elements, the root first.

    :raises Refused: when it is not XML, nested too deep, or uses entities of its own.
    :raises JunkAfterRoot: when there is more than one root.
    """
    from xml.etree.ElementTree import ParseError, TreeBuilder

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser, iterparse

    stack: list[Element] = []
    try:
        parser = DefusedXMLParser(target=TreeBuilder(), encoding=report.encoding)
        parser.entity.update({name: chr(code) for name, code in name2codepoint.items()})
        for event, element in iterparse(source, ("start", "end"), parser):
            if event == "start":
                stack.append(element)
                if len(stack) > _DEPTH:
                    raise Refused(
                        f"{report.source} has elements inside one another, more than {_DEPTH} deep."
                    )
            yield event, stack
            if event == "end":
                stack.pop()
    except DefusedXmlException:
        raise Refused(
            f"{report.source} defines entities or refers to other files: such XML is not read. "
            "Save it without its DOCTYPE."
        ) from None
    except ParseError as error:
        if error.code == errors.codes[errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT]:
            raise JunkAfterRoot from None
        raise Refused(f"{report.source} is not XML: {error}.") from None
    except (ValueError, LookupError) as error:
        raise Refused(f"{report.source} is not XML that can be read: {error}.") from None
    finally:
        source.close()


def _first(element: "Element | None", name: str) -> str:
    inside = element.iter() if element is not None else ()
    return next((flat_text(child) for child in inside if local_name(child) == name), "")


def _page(element: "Element") -> int | None:
    """The number of the page that a page break of TEI begins."""
    number = (element.get("n") or "").strip() if local_name(element) == "pb" else ""
    return int(number) if number.isdecimal() and len(number) < 7 else None


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
    return with_columns(_rows(XmlSource(path, report, rootless), report, wanted), report)


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
