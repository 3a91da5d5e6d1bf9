"""Prose: headings and paragraphs out of a file, put together as the text and the marks of a document."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path, PurePosixPath

from search.corpus.document import Document, Heading
from search.corpus.readers.compressed import opened
from search.corpus.readers.encodings import decoded
from search.corpus.readers.report import BadField, Report, clean_text
from search.corpus.readers.signatures import kind_of, refuse_other_kind
from search.projects.errors import Refused
from search.projects.settings import LIMITS
from search.text.words import shortened

_PATH_LEVELS = 3
_HEADING_CHARACTERS = 120
_TITLE_CHARACTERS = 300
_FIELD_CHARACTERS = 10_000
_SOFT_HYPHEN = "\xad"
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Block:
    """A heading (level 1 to 6) or a paragraph (level 0), and the page it is on, from 1, if any."""

    text: str
    level: int = 0
    page: int | None = None


@dataclass(frozen=True)
class BlockText:
    """The field of a record that is a text with headings, as blocks."""

    blocks: tuple[Block, ...]

    def __str__(self) -> str:
        return "\n\n".join(block.text for block in self.blocks)


@dataclass(frozen=True)
class Prose:
    """What a reader found in one file: a title (may be empty), the blocks in order, metadata."""

    title: str
    blocks: Iterable[Block]
    metadata: Mapping[str, str] = field(default_factory=dict)


def document_of(prose: Prose, report: Report) -> Document:
    """One document out of a file; its id is the name of the file (without .gz).

    Without a title of its own it takes its first heading, else the stem of the file's name.

    :raises Refused: when there is no text, or more than a document may have.
    """
    blocks = iter(prose.blocks)
    ahead = list(islice(blocks, 1))
    heading = ahead[0].text if ahead and ahead[0].level else ""
    try:
        source = report.source
        name = source[: -len(".gz")] if source.lower().endswith(".gz") else source
        name = clean_text(name, "the file name", LIMITS.id_characters)
        title = _title(prose.title) or _title(heading) or PurePosixPath(name).stem
        text, marks = assembled(chain(ahead, blocks))
        fields = {**prose.metadata, "file": report.source}
        metadata = {key: clean_text(fields[key], key, _FIELD_CHARACTERS) for key in fields}
    except BadField as error:
        raise Refused(f"{report.source} cannot be used: {error}.") from None
    if not text:
        raise Refused(f"{report.source} holds no text.")
    return Document(
        name, title, text, {key: value for key, value in metadata.items() if value}, marks
    )


def assembled(blocks: Iterable[Block]) -> tuple[str, tuple[Heading, ...]]:
    """Blocks as one text, a blank line between them, and where headings and pages begin in it.

    A mark's heading is the path in force there, outermost first, of at most three levels.

    :raises BadField: for more characters than a document may have, and for unpaired surrogates.
    """
    parts: list[str] = []
    marks: list[Heading] = []
    path: list[tuple[int, str]] = []
    state: tuple[str, int | None] = ("", None)
    start = 0
    for block in blocks:
        left = LIMITS.prose_characters - start
        if len(block.text) > left:
            raise BadField(
                f"the text has more than {LIMITS.prose_characters:,} characters; split the file"
            )
        text = clean_text(block.text.replace(_SOFT_HYPHEN, ""), "the text", left)
        if not text:
            continue
        if block.level:
            text = " ".join(text.split())
            path = [above for above in path if above[0] < block.level]
            path.append((block.level, shortened(text, _HEADING_CHARACTERS)))
        now = (" > ".join(name for _, name in path[-_PATH_LEVELS:]), block.page)
        if now != state:
            marks.append(Heading(start, *now))
            state = now
        parts.append(text)
        start += len(text) + 2
    return "\n\n".join(parts), tuple(marks)


def paragraphs(text: str) -> Iterator[Block]:
    """Plain text, parted at its blank lines."""
    for part in re.split(r"\n[ \t\r]*\n", text):
        if part.strip():
            yield Block(part)


def whole_text(path: Path, report: Report) -> str:
    """The text of a file that is held in memory as one, in the encoding of the report or a found one.

    Bytes that are not of the encoding become U+FFFD and are counted in the notes.

    :param report: its format is set; its encoding is used if set, else found.
    :raises Refused: when the file is too large for that, or not text.
    """
    require_memory(path, report)
    with opened(path) as stream:
        refuse_other_kind(kind_of(stream), report.source, report.format)
        text = decoded(stream, report)
    if broken := len(_SURROGATES.findall(text)):
        text = _SURROGATES.sub("\ufffd", text)
        report.notes.append(
            f"{broken:,} characters could not be read as {report.encoding} and are shown as \ufffd"
        )
    return text


def require_memory(path: Path, report: Report) -> None:
    """Refuse a file that is too large to be read as one document.

    :raises Refused: naming the limit.
    """
    size = path.stat().st_size
    if size > LIMITS.prose_bytes:
        raise Refused(
            f"{report.source} has {size:,} bytes; a {report.format} file may have "
            f"{LIMITS.prose_bytes:,}. Split it."
        )


def _title(text: str) -> str:
    """A title on one line; a very long one is cut, for it stands in lists."""
    clean = clean_text(text.replace(_SOFT_HYPHEN, ""), "the title", LIMITS.prose_characters)
    return shortened(" ".join(clean.split()), _TITLE_CHARACTERS)
