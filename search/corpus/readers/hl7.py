"""HL7 version 2: a message a document, its results, reports, notes and diagnoses as lines that people read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from search.corpus.readers.attachments import attachment_blocks
from search.corpus.readers.blocks import Block, BlockText, paragraphs
from search.corpus.readers.cells import with_columns
from search.corpus.readers.report import Report, Row, Unusable, stem_of
from search.corpus.readers.tables import text_lines
from search.projects.errors import Refused

SUFFIXES = (".hl7", ".hl7v2")
"""The endings of HL7 messages, in small letters."""
_FRAMES = "\x0b\x1c"
_BATCH = ("FHS", "BHS", "BTS", "FTS")
_BEGINS = re.compile(r"(?:MSH|FHS|BHS)([^\w\s])[^\w\s]{2,5}\1")
_TEXTS = ("TX", "FT", "ST", "")
_WITHDRAWN = ("D", "W", "X")
# Segments that say something in words: their heading, and the fields that say it, the best first.
_SAID = {
    "DG1": ("Diagnosis", (4, 3)), "AL1": ("Allergy", (3,)), "PR1": ("Procedure", (4, 3)), "NTE": ("Note", (3,)),
    "RXA": ("Given", (5,)), "RXE": ("Medication", (2,)), "RXO": ("Medication", (1,)), "IAM": ("Allergy", (3,)),
}  # fmt: skip
_ESCAPE = re.compile(r"\\([^\\]{1,200})\\")
_LINES = re.compile(r"\.(?:br|sp|ce|fi|nf)\S*")


@dataclass
class _Message:
    """The segments of one message, and the signs that part its fields."""

    line: int
    separators: str
    segments: list[list[str]] = field(default_factory=list)

    def field(self, segment: list[str], number: int) -> str:
        """A field by the number that HL7 gives it, as it stands there."""
        at = number - 1 if segment[0] == "MSH" else number
        return segment[at] if at < len(segment) else ""

    def part(self, value: str, number: int) -> str:
        """A component of the first repetition of a field, from 1, without escapes."""
        parts = value.split(self.separators[2], maxsplit=1)[0].split(self.separators[1])
        return self.plain(parts[number - 1]) if number <= len(parts) else ""

    def words(self, value: str) -> str:
        """What a coded field says: its name, else its code; of several, all."""
        each = (repeated.split(self.separators[1]) for repeated in value.split(self.separators[2]))
        return "; ".join(
            filter(None, (self.plain((parts[1:2] or [""])[0] or parts[0]) for parts in each))
        )

    def plain(self, value: str) -> str:
        """A value without escapes."""
        signs = dict(
            zip(
                "FSRT",
                (self.separators[0], self.separators[1], self.separators[2], self.separators[4]),
                strict=True,
            )
        )
        signs["E"] = "\\"

        def said(escape: re.Match[str]) -> str:
            inner = escape[1]
            if inner in signs:
                return signs[inner]
            if inner[0] == "X" and re.fullmatch(r"X(?:[0-9A-Fa-f]{2})+", inner):
                return bytes.fromhex(inner[1:]).decode("utf-8", "replace")
            return "\n" if _LINES.fullmatch(inner) else ""

        return _ESCAPE.sub(said, value).strip()


def is_hl7(path: Path, report: Report) -> bool:
    """Whether a text file begins as messages of HL7 version 2 do.

    :raises Refused: when the file is not text.
    """
    first = next((line for line in text_lines(path, report) if line.strip(_FRAMES + " \r\n\t")), "")
    return _BEGINS.match(first.lstrip(_FRAMES + "\ufeff ")) is not None


def hl7_rows(path: Path, report: Report) -> Iterator[Row]:
    """The messages of a file, one a row; a batch and the frames of a transport are looked through.

    :raises Refused: when the file is not text, or holds no message.
    """
    report.format = "HL7 v2"
    if not is_hl7(path, report):
        raise Refused(f"{report.source} holds no HL7 message: it does not begin with MSH.")
    report.notes.append("identifiers, visits and orders without a text were left out")
    return with_columns(_rows(path, report), report)


def _rows(path: Path, report: Report) -> Iterator[Row]:
    for number, message in enumerate(_messages(path, report), start=1):
        yield Row(
            f"line {message.line}", _fields(message, report, f"{stem_of(report.source)}-{number}")
        )


def _messages(path: Path, report: Report) -> Iterator[_Message]:
    """The messages; segments end at carriage returns, line feeds, or both."""
    message: _Message | None = None
    segments = (
        (number, part.strip(_FRAMES + " \ufeff"))
        for number, line in enumerate(text_lines(path, report), start=1)
        for part in re.split(r"[\r\n]+", line)
    )
    for number, segment in segments:
        if segment.startswith("MSH") and len(segment) > 8:
            if message is not None:
                yield message
            message = _Message(number, (segment[3:8] + "^~\\&"[len(segment[4:8]) :])[:5])
        if message is not None and segment and segment[:3] not in _BATCH:
            if segment[3:4] == message.separators[0]:
                message.segments.append(segment.split(message.separators[0]))
            elif message.segments:  # A text with a bare line break in it.
                message.segments[-1][-1] += f"\n{segment}"
    if message is not None:
        yield message


def _fields(message: _Message, report: Report, fallback: str) -> dict[str, Any]:
    first = {segment[0]: segment for segment in reversed(message.segments)}
    head = first.get("MSH", ["MSH"])
    order, person = first.get("OBR", ["OBR"]), first.get("PID", ["PID"])
    kind = message.field(head, 9).replace(message.separators[1], "^")
    blocks = list(_blocks(message, report))
    name = message.field(person, 5)
    date = message.field(order, 7) or message.field(head, 7)
    fields: dict[str, Any] = {
        "id": message.part(message.field(head, 10), 1) or fallback,
        "title": message.words(message.field(order, 4))
        or message.words(message.field(first.get("TXA", ["TXA"]), 2))
        or kind,
        "text": BlockText(tuple(blocks)),
        "type": kind,
        "patient": " ".join(filter(None, (message.part(name, 2), message.part(name, 1)))),
        "date": f"{date[:4]}-{date[4:6]}-{date[6:8]}"
        if date[:8].isdecimal() and len(date) >= 8
        else date,
        "sender": message.part(message.field(head, 4), 1)
        or message.part(message.field(head, 3), 1),
    }
    if not blocks:
        fields["text"] = Unusable(
            "is missing: the message holds no result, report, note or diagnosis"
        )
    return {key: value for key, value in fields.items() if value}


def _blocks(message: _Message, report: Report) -> Iterator[Block]:
    """The observations in order, each report's lines together, under the names of the orders."""
    orders = sum(segment[0] == "OBR" for segment in message.segments)
    lines: list[str] = []
    label = ""
    for segment in message.segments:
        name = segment[0]
        is_text = name == "OBX" and message.field(segment, 2) in _TEXTS
        if is_text and message.field(segment, 11) not in _WITHDRAWN:
            named = message.words(message.field(segment, 3))
            if named != label:
                yield from _report(label, lines)
                lines, label = [], named
            parts = message.field(segment, 5).split(message.separators[2])
            value = "\n".join(message.plain(part) for part in parts)
            lines.append(f"{value}{_around(message, segment)}")
            continue
        if name in ("OBX", "OBR", *_SAID):
            yield from _report(label, lines)
            lines, label = list[str](), ""
        if name == "OBR" and orders > 1:
            yield Block(message.words(message.field(segment, 4)), 1)
        elif name == "OBX" and message.field(segment, 11) not in _WITHDRAWN:
            yield from _observation(message, segment, report)
        elif name in _SAID:
            heading, numbers = _SAID[name]
            said = next(
                (said for n in numbers if (said := message.words(message.field(segment, n)))), ""
            )
            said = message.plain(message.field(segment, 3)) if name == "NTE" else said
            reaction = message.words(message.field(segment, 5)) if name in ("AL1", "IAM") else ""
            yield from _report(heading, [": ".join(filter(None, (said, reaction)))])
    yield from _report(label, lines)


def _report(label: str, lines: list[str]) -> Iterator[Block]:
    text = "\n".join(lines).strip()
    if text:
        first, *rest = paragraphs(f"{label}: {text}" if label else text)
        yield first
        yield from rest


def _observation(message: _Message, segment: list[str], report: Report) -> Iterator[Block]:
    kind, value = message.field(segment, 2), message.field(segment, 5)
    label = message.words(message.field(segment, 3))
    if kind == "ED":
        parts = value.split(message.separators[1])
        data, encoding = (parts + [""] * 5)[4], (parts + [""] * 5)[3].casefold()
        try:
            blocks = (
                attachment_blocks(
                    data, parts[2] or parts[1], f"the attachment of line {message.line}"
                )
                if encoding == "base64"
                else list(paragraphs(message.plain(data)))
            )
        except Refused as error:
            report.notes.append(str(error).rstrip("."))
            return
        yield from blocks
    elif kind == "RP":
        report.notes.append(
            f"the attachment of line {message.line} lies elsewhere and was not read"
        )
    else:
        coded = kind in ("CE", "CWE", "CNE", "CF", "IS", "ID")
        joint = " " if kind == "SN" else "; "
        shown = value.replace(message.separators[1], joint).strip()
        said = message.words(value) if coded else message.plain(shown)
        yield from _report(label, [f"{said}{_around(message, segment)}" if said else ""])


def _around(message: _Message, segment: list[str]) -> str:
    """The unit of a result, and in brackets its range of reference and its flag."""
    unit = message.part(message.field(segment, 6), 1)
    limits, flag = (
        message.plain(message.field(segment, 7)),
        message.plain(message.field(segment, 8)),
    )
    inner = ", ".join(filter(None, (f"reference {limits}" if limits else "", flag)))
    return f"{f' {unit}' if unit else ''}{f' ({inner})' if inner else ''}"
