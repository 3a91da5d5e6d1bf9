"""Files inside other files, in base64: texts, pages, PDFs and clinical documents as blocks."""

import base64
import binascii
import re
from collections.abc import Callable
from pathlib import Path

from search.corpus.readers.blocks import Block, paragraphs
from search.corpus.readers.encodings import guessed_encoding
from search.corpus.readers.html import content_of
from search.corpus.readers.pdf import read_pdf
from search.corpus.readers.report import Report
from search.projects.errors import Refused
from search.projects.scratch import scratch_folder
from search.projects.settings import LIMITS

_CHARSET = re.compile(r"charset=\"?([\w.:-]{1,40})", re.I)


def attachment_blocks(
    data: str, kind: str, source: str, read_xml: Callable[[Path, Report], list[Block]] | None = None
) -> list[Block]:
    """What an attachment says.

    :param data: its bytes in base64; line breaks do not matter.
    :param kind: its media type ("text/plain; charset=utf-8"), or an ending ("PDF"); it is believed after the
        bytes themselves.
    :param source: what messages call it.
    :param read_xml: reads one that is XML; without it none is read.
    :raises Refused: when it is damaged, too large, or of a kind that is not read.
    """
    if len(data) > LIMITS.prose_bytes * 4 // 3:
        raise Refused(f"{source} has more than {LIMITS.prose_bytes:,} bytes.")
    try:
        raw = base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Refused(f"{source} is damaged: it is no base64.") from None
    report = Report(source)
    name = kind.partition(";")[0].strip().casefold().rpartition("/")[2]
    if raw.startswith(b"%PDF") or name == "pdf":
        return _through_file(raw, report, ".pdf", lambda path, of: list(read_pdf(path, of).blocks))
    if raw.startswith(b"{\\rtf") or name in ("rtf", "richtext"):
        raise Refused(f"{source} is RTF, which is not read here. Save it as a file of its own.")
    if name in ("html", "xhtml+xml", "xhtml"):
        return content_of(_text(raw, kind), report)[1]
    if read_xml is not None and (name == "xml" or name.endswith("+xml") or name == "cda"):
        return _through_file(raw, report, ".xml", read_xml)
    if name in ("plain", "txt", "text", "markdown", "ascii", "csv", "") and b"\x00" not in raw:
        return list(paragraphs(_text(raw, kind)))
    raise Refused(f"{source} is of the kind {kind!r}, which is not read.")


def _text(raw: bytes, kind: str) -> str:
    named = _CHARSET.search(kind)
    for encoding in (named[1] if named else "utf-8", "utf-8"):
        try:
            return raw.decode(encoding)
        except (LookupError, ValueError):
            continue
    return raw.decode(guessed_encoding(raw), "replace")


def _through_file(
    raw: bytes, report: Report, suffix: str, read: Callable[[Path, Report], list[Block]]
) -> list[Block]:
    """Blocks by a reader that needs a file."""
    with scratch_folder("attachment") as folder:
        path = Path(folder) / f"content{suffix}"
        path.write_bytes(raw)
        return read(path, report)
