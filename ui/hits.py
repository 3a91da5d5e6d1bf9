"""Texts of hits: the words of a query marked, and the part of a long text that has most of them."""

from bisect import bisect_left
from functools import lru_cache

from search.retrieval.results import Hit
from search.text.words import WORD, without_formats
from ui.rendering import render

Segments = list[tuple[str, bool]]
"""A text in parts, each with whether it is marked."""

_SHOWN = 280
_UNFOLDED = 6_000
_AROUND = 1_500
_COMMON = frozenset([
    "a", "an", "and", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "has", "have", "how",
    "i", "if", "in", "is", "it", "its", "me", "my", "of", "on", "or", "that", "the", "their", "they", "this",
    "to", "was", "we", "what", "when", "where", "which", "who", "why", "will", "with", "without", "you",
    "your",
])  # fmt: skip


def query_words(query: str) -> frozenset[str]:
    """The words of a query worth marking, without plural endings."""
    words = [without_formats(word.casefold()) for word in WORD.findall(query)]
    telling = [word for word in words if word not in _COMMON]
    return frozenset(_stem(word) for word in telling or words)


def segments(text: str, words: frozenset[str]) -> Segments:
    """The text in parts, with the query's words marked."""
    parts = []
    end = 0
    for match in WORD.finditer(text):
        if _matched(match.group()) in words:
            parts += [(text[end : match.start()], False), (match.group(), True)]
            end = match.end()
    return [*parts, (text[end:], False)]


def marked(text: str, words: frozenset[str]) -> str:
    """The text as HTML with the query's words marked."""
    return render("marked.html", segments=segments(text, words))


def shortened(text: str, length: int) -> str:
    """A text in one line, cut after a word where it is longer than there is room for."""
    flat = " ".join(text.split())
    return flat if len(flat) <= length else flat[:length].rsplit(" ", 1)[0] + " …"


def excerpt(text: str, words: frozenset[str], length: int = _SHOWN) -> str:
    """The part of a long text with the most of the query's words, cut at word borders."""
    if len(text) <= length:
        return text
    starts = [m.start() for m in WORD.finditer(text) if _matched(m.group()) in words]
    within = [bisect_left(starts, start + length) - i for i, start in enumerate(starts)]
    best = starts[within.index(max(within))] if starts else 0
    start = 0
    if best >= length // 2:  # Begin at a word border, where one is near: not every script has them.
        near = max(best - 40, 1)
        start = text.rfind(" ", max(near - 40, 0), near) + 1 or near
    end = text.find(" ", start + length, start + length + 40)
    end = min(start + length, len(text)) if end == -1 else end
    return ("… " if start else "") + text[start:end] + (" …" if end < len(text) else "")


def rest_of(hit: Hit, short: str) -> tuple[bool, str]:
    """What there is to read beyond an excerpt: the text, of a very long one the part around the best passage.

    :returns: whether it is the whole text, and the text in one line; empty where the excerpt says it all.
    """
    best, text = hit.passage, hit.text
    if len(text) <= _UNFOLDED:
        flat = " ".join(text.split())
        return True, "" if short == flat else flat
    part = text[max(best.start - _AROUND, 0) : best.start + len(best.text) + _AROUND]
    return False, f"… {' '.join(part.split())} …"


def _matched(word: str) -> str:
    """A word of a text as words of queries are compared with it."""
    return _remembered(word) if len(word) < 64 else _plain(word)


def _plain(word: str) -> str:
    return _stem(without_formats(word).casefold())


# A board has ten thousand words, and most of them often.
_remembered = lru_cache(65_536)(_plain)


def _stem(word: str) -> str:
    """The word without an English plural ending: enough to mark "foot" and "foots", not a linguist."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word
