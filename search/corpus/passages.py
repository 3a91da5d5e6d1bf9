"""Long documents cut into passages, on heading and sentence borders.

A model reads only the beginning of a long text (all-MiniLM-L6-v2: 256 of its word pieces). So a document that is
longer is cut, its passages are embedded, and a search finds the document by its best passage.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from search.corpus.document import Document, Heading
from search.corpus.tokenizer import LONGEST_RUN, SubwordCounter, generic_subwords
from search.projects.errors import Refused
from search.text.sentences import sentence_bounds

MOST_TOKENS = 8_192
_FEWEST_TOKENS = 16
_BUILT_IN, _BUILT_IN_TITLE = "generic", "all-MiniLM-L6-v2"
_RUN = re.compile(rf"\S{{1,{LONGEST_RUN}}}")


@dataclass(frozen=True)
class Passage:
    """A slice of a document's text, from `start` up to `stop`, and the heading and page it stands under.

    `prefix` is what a model sees before it: title and heading, cut off where they would fill half of the
    passage; None stands for the whole title, where a document is one passage.
    """

    start: int
    stop: int
    heading: str = ""
    page: int | None = None
    prefix: str | None = None


@dataclass(frozen=True)
class Chunking:
    """How documents are cut: into passages of at most `tokens` word pieces, title and heading included.

    Up to `overlap` word pieces of whole sentences are repeated at the start of the next passage; the last one
    of a section, where it would be a scrap, repeats more. Without overlap nothing is repeated. With 0 tokens
    each document is one passage. `counted_by` is the id of the model whose word pieces these are, `counted_as` its name.
    """

    tokens: int = 250
    overlap: int = 30
    counted_by: str = _BUILT_IN
    counted_as: str = _BUILT_IN_TITLE

    def __post_init__(self) -> None:
        if self.tokens and not _FEWEST_TOKENS <= self.tokens <= MOST_TOKENS:
            raise Refused(
                f"Passages of {self.tokens} tokens: give {_FEWEST_TOKENS} to {MOST_TOKENS:,}, or 0 to "
                "keep each document whole."
            )
        if not 0 <= self.overlap <= self.tokens // 2:
            raise Refused(
                f"An overlap of {self.overlap} tokens: give 0 to {self.tokens // 2} (half a passage)."
            )


WHOLE = Chunking(tokens=0, overlap=0)
"""Each document is one passage."""


def chunking_of(base: Chunking, tokens: int | None, overlap: int | None) -> Chunking:
    """A way of cutting of which only a part is given.

    :param base: where the rest comes from.
    :raises Refused: when the two do not go together.
    """
    size = base.tokens if tokens is None else tokens
    if not size:
        return (
            WHOLE
            if overlap is None or tokens == 0
            else replace(base, tokens=Chunking().tokens, overlap=overlap)
        )
    usual = base.overlap if base.tokens else Chunking().overlap
    return replace(base, tokens=size, overlap=min(usual, size // 4) if overlap is None else overlap)


@dataclass(frozen=True)
class _Piece:
    """A sentence, or a part of one that is too long: where it stands, and its word pieces."""

    start: int
    stop: int
    tokens: int


class Chunker:
    """Cuts documents into passages by one setting.

    :param pieces: counts the word pieces of the model that the setting names; None for the built-in one's.
    """

    def __init__(self, chunking: Chunking, pieces: SubwordCounter | None = None) -> None:
        if chunking.tokens and pieces is None and chunking.counted_by != _BUILT_IN:
            raise ValueError(f"what counts the word pieces of {chunking.counted_as} is needed")
        self.chunking = chunking
        self._pieces: SubwordCounter | None = None
        if chunking.tokens:
            self._pieces = generic_subwords() if pieces is None else pieces

    def cut(self, document: Document) -> list[Passage]:
        """The passages of a document, in order; together they hold all of its text."""
        whole = Passage(0, len(document.text), page=_mark_at(document.marks, 0).page)
        pieces, limit = self._pieces, self.chunking.tokens
        if pieces is None or not document.text.strip():
            return [whole]
        embedded = document.embedded  # In plain English a word piece has at least one letter.
        if (len(embedded) <= limit and embedded.isascii()) or pieces.of(embedded) <= limit:
            return [whole]
        found: list[Passage] = []
        for section in self._sections(document, pieces):
            found += self._packed(document, section, pieces)
        return found if len(found) > 1 else [whole]

    def _sections(self, document: Document, pieces: SubwordCounter) -> Iterator[list[_Piece]]:
        """The sentences of the text, parted where a new heading begins.

        A section that fills less than a quarter of a passage goes together with the next: a heading and one
        line say little on their own.
        """
        borders = [mark.start for mark in _new_headings(document.marks)]
        section: list[_Piece] = []
        room = 0
        for start, stop in pairwise(sorted({0, *borders, len(document.text)})):
            enough = sum(piece.tokens for piece in section) >= self.chunking.tokens // 4
            if section and enough:
                yield section
                section = []
            if not section:
                room = self.chunking.tokens - pieces.of(self._prefix(document, start, pieces))
            section = [*section, *_sentences(document.text, start, stop, pieces, room)]
        if section:
            yield section

    def _prefix(self, document: Document, position: int, pieces: SubwordCounter) -> str:
        """Title and heading before a passage, as many words of them as fill half of it."""
        words, used = list[str](), 0
        for word in f"{document.title} {_mark_at(document.marks, position).heading}".split():
            used += pieces.of(word)
            if used > self.chunking.tokens // 2:
                break
            words.append(word)
        return " ".join(words)

    def _packed(
        self, document: Document, section: Sequence[_Piece], pieces: SubwordCounter
    ) -> list[Passage]:
        """As many sentences to a passage as fit, the last ones repeated in the next."""
        prefix = self._prefix(document, section[0].start, pieces)
        room = self.chunking.tokens - pieces.of(prefix)
        found: list[Passage] = []
        first = 0
        while first < len(section):
            last, used = first, 0
            while last < len(section) and (last == first or used + section[last].tokens <= room):
                used += section[last].tokens
                last += 1
            if last == len(section) and self.chunking.overlap:
                first = self._fuller(section, first, used, room)
            start, stop = section[first].start, section[last - 1].stop
            mark = _mark_at(document.marks, start)
            under = document.text.startswith(mark.heading.rsplit(" > ", 1)[-1], start)
            found.append(
                Passage(
                    start,
                    stop,
                    mark.heading,
                    mark.page,
                    " ".join(document.title.split())[: len(prefix)] if under else prefix,
                )
            )
            if last == len(section):
                break
            first = self._overlapping(section, first, last)
        return found

    def _overlapping(self, section: Sequence[_Piece], first: int, last: int) -> int:
        """Where the next passage begins: up to `overlap` word pieces before the end of this one."""
        begin, repeated = last, 0
        while begin - 1 > first and repeated + section[begin - 1].tokens <= self.chunking.overlap:
            begin -= 1
            repeated += section[begin].tokens
        return begin

    def _fuller(self, section: Sequence[_Piece], first: int, used: int, room: int) -> int:
        """Where a short last passage begins: rather more overlap than a scrap of text."""
        while first > 0 and used < room // 4 and used + section[first - 1].tokens <= room:
            first -= 1
            used += section[first].tokens
        return first


def embedded_passage(title: str, text: str, passage: Passage) -> str:
    """What a model sees of a passage."""
    prefix = title if passage.prefix is None else passage.prefix
    return f"{prefix} {text[passage.start : passage.stop]}".strip()


def _sentences(
    text: str, start: int, stop: int, pieces: SubwordCounter, room: int
) -> Iterator[_Piece]:
    """The sentences between two places of a text; one that has more than `room` word pieces is parted."""
    for first, last in sentence_bounds(text[start:stop]):
        begin, end = start + first, start + last
        tokens = pieces.of(text[begin:end])
        if tokens <= room:
            yield _Piece(begin, end, tokens)
        else:
            yield from _parted(text, begin, end, pieces, room)


def _parted(
    text: str, start: int, stop: int, pieces: SubwordCounter, room: int
) -> Iterator[_Piece]:
    """A very long sentence in parts of at most `room` word pieces, on word borders where there are any."""
    part: list[_Piece] = []
    used = 0
    for match in _RUN.finditer(text, start, stop):
        for piece in _run(match, pieces, room):
            if part and used + piece.tokens > room:
                yield _Piece(part[0].start, part[-1].stop, used)
                part, used = [], 0
            part.append(piece)
            used += piece.tokens
    if part:
        yield _Piece(part[0].start, part[-1].stop, used)


def _run(match: re.Match[str], pieces: SubwordCounter, room: int) -> Iterator[_Piece]:
    """A run of letters without a space; cut between word pieces when it alone is too long."""
    run, at = match.group(), match.start()
    tokens = pieces.of(run)
    if tokens <= room:
        yield _Piece(at, match.end(), tokens)
        return
    starts = [start for start, _ in pieces.spans(run)][::room]
    starts[0] = 0
    for start, end in zip(starts, [*starts[1:], len(run)], strict=True):
        yield _Piece(at + start, at + end, pieces.of(run[start:end]))


def _new_headings(marks: Sequence[Heading]) -> Iterator[Heading]:
    """The marks where another heading begins (and not only another page)."""
    current = ""
    for mark in marks:
        if mark.heading != current:
            current = mark.heading
            yield mark


def _mark_at(marks: Sequence[Heading], position: int) -> Heading:
    """The heading and page that hold at a place of the text; before the first mark there is neither."""
    number = bisect_right(marks, position, key=lambda mark: mark.start) - 1
    return marks[number] if number >= 0 else Heading(0)
