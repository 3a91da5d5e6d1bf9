"""Where the words, phrases and sentences of a text stand: the parts that an explanation leaves out in turn."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from search.text.sentences import sentence_bounds
from search.text.words import MARKS, UNSPACED, WORD

# Where WORD finds a clause, it is taken two letters at a time.
_SYLLABLES = re.compile(rf"[{UNSPACED}][{MARKS}]*(?:[{UNSPACED}][{MARKS}]*)?")
_HAS_UNSPACED = re.compile(f"[{UNSPACED}]")


class Span(NamedTuple):
    """A part of a text: from the character `start` up to `stop`."""

    start: int
    stop: int


def word_spans(text: str) -> list[Span]:
    """The words of a text, in order; scripts without spaces two letters at a time."""
    return [span for match in WORD.finditer(text) for span in _word(match)]


def plain_words(text: str) -> list[Span]:
    """The words of a text as keyword search cuts them, in order."""
    return [Span(match.start(), match.end()) for match in WORD.finditer(text)]


def sentence_spans(text: str) -> list[Span]:
    """The sentences of a text, in order, without the white space around them; lines end sentences, too."""
    return [
        Span(line.start() + start, line.start() + stop)
        for line in re.finditer(r"[^\n]+", text)
        for start, stop in sentence_bounds(line.group())
        if WORD.search(line.group(), start, stop)
    ]


def within(spans: Sequence[Span], part: Span) -> list[Span]:
    """Those spans that lie inside a part."""
    return [span for span in spans if part.start <= span.start and span.stop <= part.stop]


def grouped(spans: Sequence[Span], most: int) -> list[Span]:
    """At most `most` phrases of neighbouring spans, all of about the same number of spans."""
    if len(spans) <= most:
        return list(spans)
    edges = [round(place * len(spans) / most) for place in range(most + 1)]
    parts = [spans[a:b] for a, b in pairwise(edges) if b > a]
    return [Span(part[0].start, part[-1].stop) for part in parts]


def without(text: str, span: Span) -> str:
    """The text with a part left out."""
    return f"{text[: span.start].rstrip()} {text[span.stop :].lstrip()}".strip()


def _word(match: re.Match[str]) -> Iterator[Span]:
    if len(match.group()) <= 2 or not _HAS_UNSPACED.search(match.group()):
        yield Span(match.start(), match.end())
        return
    place = match.start()
    for part in _SYLLABLES.finditer(match.string, match.start(), match.end()):
        if part.start() > place:
            yield Span(place, part.start())
        yield Span(part.start(), part.end())
        place = part.end()
    if place < match.end():
        yield Span(place, match.end())
