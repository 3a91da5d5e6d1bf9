"""E-mail (.eml, .mbox): subject, text and who wrote to whom when; attachments are named, not read."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import Path, PurePath
from typing import Any, BinaryIO, TypeAlias

from search.corpus.document import Document
from search.corpus.readers.blocks import Block, Prose, document_of, paragraphs, require_memory
from search.corpus.readers.compressed import opened
from search.corpus.readers.encodings import guessed_encoding
from search.corpus.readers.html import content_of
from search.corpus.readers.report import Report
from search.corpus.readers.signatures import kind_of, refuse_other_kind
from search.projects.errors import Refused
from search.projects.settings import LIMITS

_FROM = b"From "
# A line of a text may begin so, too: one between messages has an address or a time of day.
_BETWEEN = re.compile(rb"From (?:\S*@|.*\d\d?:\d\d)")
_SEEN = re.compile(r"\S")
_ARMOUR = "-----BEGIN PGP MESSAGE-----"
_QUOTED_FROM = re.compile(rb"\A>(>*From )")
_HEADERS = ("from", "to", "subject", "date", "received", "message-id", "mime-version")
_SURROGATES = re.compile("[\ud800-\udfff]")
_Part: TypeAlias = "Message[Any, Any]"


def read_mail(path: Path, report: Report) -> Prose:
    """One e-mail as prose: its plain texts; the HTML part, cleaned, where there is no plain one.

    A message that was forwarded inside begins with its subject, sender and date.

    :raises Refused: when the file is too large or no e-mail.
    """
    report.format = "e-mail"
    require_memory(path, report)
    with path.open("rb") as stream:
        refuse_other_kind(kind_of(stream), report.source, "an e-mail")
    attachments: list[str] = []
    prose = _prose(path.read_bytes(), report, report.source, attachments)
    _note_attachments(attachments, report)
    return prose


def read_mailbox(path: Path, report: Report) -> Iterator[Document]:
    """The messages of a mailbox (mbox, RFC 4155), each a document; its id is the file's name and a number.

    A message that cannot be read is refused as a row.

    :raises Refused: when the file is no mailbox.
    """
    report.format = "mailbox"
    attachments: list[str] = []
    with opened(path) as stream:
        refuse_other_kind(kind_of(stream), report.source, "a mailbox")
        if not stream.readline().startswith(_FROM):
            raise Refused(f'{report.source} is not a mailbox: it does not begin with "From ".')
        name = PurePath(report.source).stem
        for number, raw in enumerate(_messages(stream), start=1):
            where = f"message {number}"
            try:
                if len(raw) > LIMITS.prose_bytes:
                    raise Refused(f"it has more than {LIMITS.prose_bytes:,} bytes.")
                prose = _prose(raw, report, where, attachments)
                document = document_of(prose, Report(f"{name}-{number}"))
            except Refused as error:
                report.refuse(where, str(error))
                continue
            report.accepted += 1
            metadata = {key: text for key, text in document.metadata.items() if key != "file"}
            yield replace(document, metadata=metadata, where=where)
    _note_attachments(attachments, report)


def _messages(stream: BinaryIO) -> Iterator[bytes]:
    """The messages of a mailbox after its first line; ">From " in a text is what was "From " there."""
    lines: list[bytes] = []
    size = 0
    blank = False
    while line := stream.readline(LIMITS.line_bytes):
        if blank and _BETWEEN.match(line):
            yield b"".join(lines)
            lines, size = [], 0
        elif size <= LIMITS.prose_bytes:
            lines.append(_QUOTED_FROM.sub(rb"\1", line))
            size += len(line)
        blank = not line.strip()
    yield b"".join(lines)


def _prose(raw: bytes, report: Report, source: str, attachments: list[str]) -> Prose:
    try:
        message = message_from_bytes(raw, policy=policy.default)
        parts = list(_texts(message, attachments))
    except RecursionError:
        raise Refused(f"{source} has parts inside one another, too deep to read.") from None
    if not any(name in message for name in _HEADERS):
        raise Refused(f"{source} is not an e-mail: it has no sender, subject or date.")
    if why := _sealed(message, parts):
        raise Refused(f"{source} is {why}. Open it in a mail program and save it as plain e-mail.")
    blocks: list[Block] = []
    for part in parts:
        if part.get_content_maintype() == "message":
            blocks.append(Block(_head(part)))
        elif part.get_content_subtype() == "html":
            blocks += content_of(_content(part), report)[1]
        else:
            blocks += paragraphs(_content(part))
    metadata = {name: _header(message, name) for name in ("from", "to")}
    return Prose(_header(message, "subject"), blocks, {**metadata, "date": _date(message)})


def _sealed(message: _Part, texts: Sequence[_Part]) -> str:
    """Why nobody can read a message as it is, if so: it is encrypted, or inside of its signature."""
    kinds = {part.get_content_type() for part in message.walk()}
    inside = message.get_content_type() in ("application/pkcs7-mime", "application/x-pkcs7-mime")
    if inside and "signed-data" in (_safely(lambda: str(message.get("content-type")), "") or ""):
        return "packed into its signature (S/MIME)"
    armoured = any(_content(part).lstrip().startswith(_ARMOUR) for part in texts)
    packed = inside or ("multipart/encrypted" in kinds and not _says(texts))
    return "encrypted" if packed or armoured else ""


def _says(texts: Sequence[_Part]) -> bool:
    """Whether parts hold anything; not decoded, for it is asked at every level of parts inside parts."""
    payloads = (one.get_payload() for one in texts)
    return any(not isinstance(inside, str) or _SEEN.search(inside) for inside in payloads)


def _head(part: _Part) -> str:
    """What a forwarded message says of itself, on one line."""
    inner = part.get_payload(0)
    if not isinstance(inner, Message):
        return ""
    said = (_header(inner, "subject"), _header(inner, "from"), _date(inner))
    return " | ".join(filter(None, said))


def _note_attachments(names: Sequence[str], report: Report) -> None:
    if names:
        what = "attachment was" if len(names) == 1 else "attachments were"
        more = ", …" if len(names) > 10 else ""
        report.notes.append(f"{len(names):,} {what} not read: {', '.join(names[:10])}{more}")


def _texts(part: _Part, attachments: list[str]) -> Iterator[_Part]:
    """The parts to read, in order; of alternatives the plain one. The names of the others are listed.

    A message inside comes itself first, then its texts.
    """
    if part.is_multipart():
        if part.get_content_maintype() == "message":
            yield part
        inner = [part for part in part.get_payload() if isinstance(part, Message)]
        choices = [list(_texts(one, attachments)) for one in inner]
        if part.get_content_type() == "multipart/alternative":
            choices.sort(key=lambda texts: all(t.get_content_subtype() != "plain" for t in texts))
            choices = [texts for texts in choices if _says(texts)][:1]
        for texts in choices:
            yield from texts
        return
    name = _safely(part.get_filename, None)
    # Gateways of faxes and scanners give the text itself a name; only what is called attached is so.
    attached = name is not None and _safely(part.get_content_disposition, None) == "attachment"
    if not attached and part.get_content_type() in ("text/plain", "text/html"):
        yield part
    else:
        attachments.append(" ".join((name or f"({part.get_content_type()})").split())[:80])


def _content(part: _Part) -> str:
    """The text of a part; where its bytes are not of the encoding it names, a guess is."""
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    for encoding in (_safely(part.get_content_charset, None) or "utf-8", "utf-8"):
        with suppress(LookupError, ValueError):
            return raw.decode(encoding)
    return raw.decode(guessed_encoding(raw), "replace")


def _header(message: _Part, name: str) -> str:
    """A header, decoded; bytes that are of no encoding are shown as U+FFFD."""
    value = _safely(lambda: str(message.get(name) or ""), "") or ""
    return _SURROGATES.sub("\ufffd", " ".join(value.split()))


def _date(message: _Part) -> str:
    """When it was sent, as ISO 8601; as it stands there where that is no date."""
    value = _header(message, "date")
    return _safely(lambda: parsedate_to_datetime(value).isoformat(), value) or ""


def _safely(read: Callable[[], str | None], otherwise: str | None) -> str | None:
    """What `read` returns; the header parser of the standard library trips over some broken headers."""
    try:
        return read()
    except Exception:
        return otherwise
