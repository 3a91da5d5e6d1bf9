"""XML in bounded memory: the bytes counted, entities refused, the open elements known."""

from collections.abc import Iterator
from html.entities import html5
from pathlib import Path
from typing import TYPE_CHECKING
from xml.parsers.expat import errors

from search.corpus.readers.report import Report
from search.projects.errors import Refused
from search.projects.settings import LIMITS

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_DEPTH = 200
_CHUNK = 64 * 1024
# The named characters of HTML 5 have those of the older sets (ISO 8879) that articles and laws are written with.
_ENTITIES = {name.rstrip(";"): text for name, text in html5.items()}


def local_name(element: "Element") -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def strip_namespaces(root: "Element") -> None:
    """Take the namespaces off the names of an element and of all that is in it, attributes too."""
    for element in root.iter():
        element.tag = local_name(element)
        for name in [name for name in element.attrib if name.startswith("{")]:
            element.attrib.setdefault(name.rpartition("}")[2], element.attrib[name])


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
        parser.entity.update(_ENTITIES)
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
