"""E-mail (.eml): subject, text and who wrote to whom when; attachments are named, not read."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from email import message_from_bytes, policy
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, TypeAlias

from search.corpus.readers.blocks import Block, Prose, paragraphs, require_memory
from search.corpus.readers.encodings import guessed_encoding
from search.corpus.readers.html import content_of
from search.corpus.readers.report import Report
from search.corpus.readers.signatures import kind_of, refuse_other_kind
from search.projects.errors import Refused

_HEADERS = ("from", "to", "subject", "date", "received", "message-id", "mime-version")
_SURROGATES = re.compile("[\ud800-\udfff]")
_Part: TypeAlias = "Message[Any, Any]"


def read_mail(path: Path, report: Report) -> Prose:
    """One e-mail as prose: its plain texts; the HTML part, cleaned, where there is no plain one.

    :raises Refused: when the file is too large or no e-mail.
    """
    report.format = "e-mail"
    require_memory(path, report)
    with path.open("rb") as stream:
        refuse_other_kind(kind_of(stream), report.source, "an e-mail")
    try:
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        attachments: list[str] = []
        parts = list(_texts(message, attachments))
    except RecursionError:
        raise Refused(f"{report.source} has parts inside one another, too deep to read.") from None
    if not any(name in message for name in _HEADERS):
        raise Refused(f"{report.source} is not an e-mail: it has no sender, subject or date.")
    blocks: list[Block] = []
    for part in parts:
        html = part.get_content_subtype() == "html"
        blocks += content_of(_content(part), report)[1] if html else paragraphs(_content(part))
    if attachments:
        what = "attachment was" if len(attachments) == 1 else "attachments were"
        more = ", …" if len(attachments) > 10 else ""
        report.notes.append(
            f"{len(attachments)} {what} not read: {', '.join(attachments[:10])}{more}"
        )
    metadata = {name: _header(message, name) for name in ("from", "to")}
    return Prose(_header(message, "subject"), blocks, {**metadata, "date": _date(message)})


def _texts(part: _Part, attachments: list[str]) -> Iterator[_Part]:
    """The parts to read, in order; of alternatives the plain one. The names of the others are listed."""
    if part.is_multipart():
        inner = [part for part in part.get_payload() if isinstance(part, Message)]
        choices = [list(_texts(one, attachments)) for one in inner]
        if part.get_content_type() == "multipart/alternative":
            choices.sort(key=lambda texts: all(t.get_content_subtype() != "plain" for t in texts))
            choices = [texts for texts in choices if texts][:1]
        for texts in choices:
            yield from texts
        return
    name = _safely(part.get_filename, None)
    if name is None and part.get_content_type() in ("text/plain", "text/html"):
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
