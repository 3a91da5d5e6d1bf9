"""One hit as a card: rank, title, passage with the question's words marked, how far it moved, what is known of it."""

from html import escape
from urllib.parse import urlsplit

from search.retrieval.results import Hit
from ui.comparing.sides import Board, Side, movement
from ui.hits import excerpt, marked

_UNFOLDED = 6_000
_AROUND = 1_500
_FACT = 60
_NAME = 90
_SPOKEN = {"up": "moved up {}", "down": "moved down {}", "same": "same rank", "new": "new here"}


def card(board: Board, place: int, hit: Hit, words: frozenset[str], actions: str = "") -> str:
    """The card of one hit, as HTML.

    :param place: the number of its column, from 0.
    :param words: the words to mark (`ui.hits.query_words`).
    :param actions: HTML of the buttons at its foot.
    """
    side = board.sides[place]
    kind, move = movement(board, place, hit)
    grade = board.judged.get(hit.id)
    classes = ["b-card", "b-hit"]
    if grade is not None:
        classes.append("b-judged")
    elif kind in ("only", "new") and board.found_by[hit.id] == 1:
        classes.append("b-only")
    text = " ".join(hit.passage.text.split())
    short = excerpt(text, words)
    title = f'<span class="b-title" dir="auto">{marked(hit.title, words)}</span>'
    moved = f'<span class="b-move b-move-{kind}">{escape(move)}</span>' if move else ""
    return (
        f'<div class="{" ".join(classes)}" style="--b-own:{side.colour}" tabindex="0" role="group" '
        f'data-doc="{board.numbers[hit.id]}" data-side="{place}" data-rank="{hit.rank}" '
        f'aria-label="{escape(_spoken(board, side, hit, kind, move))}">'
        f'<span class="b-rank">{hit.rank}</span>'
        f'<div class="b-head"><span class="b-side">{escape(side.title)}</span>'
        f"{title if hit.title else ''}{moved}</div>"
        f'<div class="b-text" dir="auto">{marked(short, words)}</div>'
        f'<div class="b-foot">{_answer(board, grade)}{_facts(hit)}'
        f"{_bar(hit, board.results[place].hits[0].score)}</div>"
        f'{_more(hit, short, words)}<div class="b-tail">{actions}</div></div>'
    )


def name_of(hit: Hit, length: int = _NAME) -> str:
    """What a document is called where there is room for a line: its title, or how its text begins."""
    flat = " ".join((hit.title or hit.text).split())
    return flat if len(flat) <= length else flat[:length].rsplit(" ", 1)[0] + " …"


def _spoken(board: Board, side: Side, hit: Hit, kind: str, move: str) -> str:
    """The card in words, for who cannot see it."""
    said = [f"{side.title}, rank {hit.rank}: {name_of(hit)}"]
    if kind == "only":
        said.append("found only here")
    elif kind in _SPOKEN:
        said.append(_SPOKEN[kind].format(move[2:]))
    if hit.id in board.judged:
        said.append("judged relevant")
    return ", ".join(said)


def _answer(board: Board, grade: int | None) -> str:
    """The mark of a known answer; its grade where grades differ or are above 1."""
    if grade is None:
        return ""
    graded = f" · grade {grade}" if max(board.judged.values()) > 1 else ""
    return f'<span class="b-answer">✓ judged relevant{graded}</span>'


def _bar(hit: Hit, best: float) -> str:
    """The score as a share of the column's best, quietly: it says nothing about another column."""
    share = min(max(hit.score / best, 0.0), 1.0) if best > 0 else 0.0
    said = f"score {hit.score:.3f}, {share:.0%} of this column's best; another column's scores are on another scale"
    return (
        f'<span class="b-score" role="img" title="{said}" aria-label="{said}">'
        f'<span style="width:{100 * share:.0f}%"></span></span>'
    )


def _facts(hit: Hit) -> str:
    """The source tier, where the best passage stands, and the first of the metadata."""
    best = hit.passage
    facts = [f"page {best.page}"] if best.page is not None else []
    facts += [best.heading] if best.heading else []
    facts += [f"passage {best.number} of {best.of}"] if best.of > 1 else []
    parts = [f'<span class="b-tier">{escape(hit.tier)}</span>'] if hit.tier else []
    parts += [f'<span dir="auto">{escape(fact)}</span>' for fact in facts]
    told = [(name, value) for name, value in hit.metadata.items() if value != hit.tier]
    parts += [_fact(name, value) for name, value in told[:3]]
    return "".join(parts)


def _fact(name: str, value: str) -> str:
    """One value of the metadata; an address of the web as a link that says where it leads."""
    tip = f'title="{escape(name)}"'
    try:
        address = urlsplit(value.strip())
    except ValueError:  # Such as an address with half of a bracket.
        address = urlsplit("")
    if address.scheme in ("http", "https") and address.hostname:
        link = escape(value.strip())
        return f'<a {tip} href="{link}" target="_blank">{escape(address.hostname)} ↗</a>'
    told = (
        value if any(map(str.isalpha, value)) else f"{name} {value}"
    )  # A bare number says nothing.
    brief = told if len(told) <= _FACT else told[:_FACT].rsplit(" ", 1)[0] + " …"
    return f'<span {tip} dir="auto">{escape(brief)}</span>'


def _more(hit: Hit, short: str, words: frozenset[str]) -> str:
    """The whole text to unfold; of a very long one the part around the best passage."""
    if len(hit.text) <= _UNFOLDED:
        flat = " ".join(hit.text.split())
        if short == flat:
            return ""
        return _unfold("whole text", marked(flat, words))
    best = hit.passage
    start = max(best.start - _AROUND, 0)
    part = hit.text[start : best.start + len(best.text) + _AROUND]
    return _unfold("what stands around it", f"… {marked(' '.join(part.split()), words)} …")


def _unfold(label: str, html: str) -> str:
    return f'<details><summary>{label}</summary><div dir="auto">{html}</div></details>'
