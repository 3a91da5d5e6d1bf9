"""XML that is one text: TEI, and any other that is no list of records."""

from pathlib import Path
from typing import TYPE_CHECKING

from search.corpus.readers.blocks import Prose, require_memory
from search.corpus.readers.report import Report
from search.corpus.readers.xml.parsing import XmlSource, local_name, xml_events
from search.corpus.readers.xml.prose import flat_text, prose_blocks
from search.projects.errors import Refused

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_TEI = ("TEI", "TEI.2", "teiCorpus")


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


def _first(element: "Element | None", name: str) -> str:
    inside = element.iter() if element is not None else ()
    return next((flat_text(child) for child in inside if local_name(child) == name), "")
