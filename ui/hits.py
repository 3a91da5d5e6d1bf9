"""Result cards: rank, title, text with the query's words marked, and how far the document moved."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from html import escape

from search.hits import Hit, SearchResult
from search.text import WORD

_SHOWN = 280
_UNFOLDED = 6_000
_AROUND = 1_500
_FACT = 60
_COMMON = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "by",
        "can",
        "do",
        "does",
        "for",
        "from",
        "has",
        "have",
        "how",
        "i",
        "if",
        "in",
        "is",
        "it",
        "its",
        "me",
        "my",
        "of",
        "on",
        "or",
        "that",
        "the",
        "their",
        "they",
        "this",
        "to",
        "was",
        "we",
        "what",
        "when",
        "where",
        "which",
        "who",
        "why",
        "will",
        "with",
        "without",
        "you",
        "your",
    ]
)


def column_html(
    result: SearchResult,
    others: Sequence[SearchResult],
    first: SearchResult,
    query: str,
    judged: Mapping[str, int],
    colour: str,
) -> str:
    """All cards of one column.

    :param result: what this column's model found.
    :param others: what the other columns found.
    :param first: the first column, against which movement is told.
    :param judged: documents judged relevant for this query.
    :param colour: the model's colour, as CSS.
    """
    elsewhere = {hit.id for other in others for hit in other.hits}
    ranks = {hit.id: hit.rank for hit in first.hits}
    words = query_words(query)
    cards = []
    for hit in result.hits:
        only = hit.id not in elsewhere and bool(others)
        move = _movement(hit, ranks, result is first, only)
        cards.append(_card(hit, words, move, only, hit.id in judged))
    return f'<div style="--b-own:{colour}">{"".join(cards)}</div>'


def query_words(query: str) -> frozenset[str]:
    """The words of a query worth marking, without plural endings."""
    words = [word.casefold() for word in WORD.findall(query)]
    telling = [word for word in words if word not in _COMMON]
    return frozenset(_stem(word) for word in telling or words)


def marked(text: str, words: frozenset[str]) -> str:
    """The text as HTML with the query's words marked."""
    parts = []
    end = 0
    for match in WORD.finditer(text):
        if _stem(match.group().casefold()) in words:
            parts.append(escape(text[end : match.start()]))
            parts.append(f"<mark>{escape(match.group())}</mark>")
            end = match.end()
    parts.append(escape(text[end:]))
    return "".join(parts)


def excerpt(text: str, words: frozenset[str], length: int = _SHOWN) -> str:
    """The part of a long text with the most of the query's words, cut at word borders."""
    if len(text) <= length:
        return text
    places = [m.start() for m in WORD.finditer(text) if _stem(m.group().casefold()) in words]
    within = [bisect_left(places, place + length) - i for i, place in enumerate(places)]
    best = places[within.index(max(within))] if places else 0
    start = 0
    if best >= length // 2:  # Begin at a word border, where one is near: not every script has them.
        near = max(best - 40, 1)
        start = text.rfind(" ", max(near - 40, 0), near) + 1 or near
    end = text.find(" ", start + length, start + length + 40)
    end = min(start + length, len(text)) if end == -1 else end
    return ("… " if start else "") + text[start:end] + (" …" if end < len(text) else "")


def _card(hit: Hit, words: frozenset[str], move: str, only: bool, judged: bool) -> str:
    classes = "b-card b-hit" + (" b-only" if only and not judged else "")
    classes += " b-judged" if judged else ""
    text = " ".join(hit.passage.text.split())
    short = excerpt(text, words)
    title = f'<span class="b-title">{marked(hit.title, words)}</span>' if hit.title else ""
    if not title:
        title = f'<span class="b-move">{escape(hit.id)}</span>'
    answer = '<span class="b-up">✓ judged relevant</span>' if judged else ""
    facts = "".join(f"<span>{escape(fact)}</span>" for fact in _facts(hit))
    tier = f'<span class="b-tier">{escape(hit.tier)}</span>' if hit.tier else ""
    return (
        f'<div class="{classes}"><span class="b-rank">{hit.rank}</span>'
        f'<div class="b-head">{title}<span class="b-move">{move}</span></div>'
        f'<div class="b-text">{marked(short, words)}{_more(hit, short, words)}</div>'
        f'<div class="b-foot">{answer}{tier}{facts}<span>score {hit.score:.3f}</span></div></div>'
    )


def _facts(hit: Hit) -> list[str]:
    """Where the best passage stands, and the first of the metadata."""
    best = hit.passage
    facts = [f"page {best.page}"] if best.page is not None else []
    facts += [best.heading] if best.heading else []
    facts += [f"passage {best.number} of {best.of}"] if best.of > 1 else []
    return facts + [_brief(value) for value in hit.metadata.values() if value != hit.tier][:3]


def _brief(value: str) -> str:
    return value if len(value) <= _FACT else value[:_FACT].rsplit(" ", 1)[0] + " …"


def _more(hit: Hit, short: str, words: frozenset[str]) -> str:
    """The whole text to unfold; of a very long one the part around the best passage."""
    if len(hit.text) <= _UNFOLDED:
        flat = " ".join(hit.text.split())
        if short == flat:
            return ""
        return f"<details><summary>whole text</summary>{marked(flat, words)}</details>"
    best = hit.passage
    start = max(best.start - _AROUND, 0)
    part = hit.text[start : best.start + len(best.text) + _AROUND]
    around = f"… {marked(' '.join(part.split()), words)} …"
    return f"<details><summary>what stands around it</summary>{around}</details>"


def _movement(hit: Hit, ranks: Mapping[str, int], is_first: bool, only: bool) -> str:
    if only:
        return "only here" if is_first else '<span class="b-up">new</span>'
    if is_first:
        return ""
    if hit.id not in ranks:
        return '<span class="b-up">new</span>'
    change = ranks[hit.id] - hit.rank
    if change > 0:
        return f'<span class="b-up">▲ {change}</span>'
    if change < 0:
        return f'<span class="b-down">▼ {-change}</span>'
    return "same rank"


def _stem(word: str) -> str:
    """The word without an English plural ending: enough to mark "foot" and "foots", not a linguist."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word
