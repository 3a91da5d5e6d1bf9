"""The columns side by side: a row for each rank, so that equal ranks stand level and read one after another."""

from html import escape

from search.evaluation.rank_similarity import Agreement
from ui.comparing import cards
from ui.comparing.agreement import brief
from ui.comparing.sides import Board
from ui.hits import query_words

_SKELETON_ROWS = 5
_ACTIONS = {"more": ("More like this", "Search for documents like this one")}


def table(board: Board, likenesses: list[Agreement], explains: bool) -> str:
    """All columns as HTML: heads, one row a rank, and what fell out of the first column.

    :param likenesses: how much each further column agrees with the first, in order.
    :param explains: whether a card offers to say why the document moved.
    """
    # Documents like one have no question of words to mark.
    words = query_words("" if board.like else board.query)
    rows = [_heads(board, likenesses)]
    for row in range(max(board.rows, 1)):
        cells = []
        for place, result in enumerate(board.results):
            if row < len(result.hits):
                hit = result.hits[row]
                acts = _actions(board, hit.id, explains)
                cells.append(_cell(cards.card(board, place, hit, words, acts)))
            else:
                cells.append(_cell(_nothing(board, place) if not row and not result.hits else ""))
        rows.append(_row(cells))
    if any(board.gone(place) for place in range(len(board.results))):
        rows.append(_row([_cell(_gone(board, place)) for place in range(len(board.results))]))
    return _table("".join(rows), len(board.results), "Results, a row for each rank")


def skeleton(count: int) -> str:
    """The columns before anything was found, as high as they will be."""
    blank = '<div class="b-card b-hit b-skeleton"></div>'
    rows = _row([_cell('<div class="b-column b-waiting"></div>') for _ in range(count)])
    rows += _row([_cell(blank) for _ in range(count)]) * _SKELETON_ROWS
    return f'<div class="b-compare b-{count}" style="--b-count:{count}" aria-hidden="true">{rows}</div>'


def _table(rows: str, count: int, label: str) -> str:
    return (
        f'<div class="b-compare b-{count}" style="--b-count:{count}" role="table" '
        f'aria-label="{label}">{rows}</div>'
    )


def _row(cells: list[str], kind: str = "") -> str:
    return f'<div class="b-line{kind}" role="row">{"".join(cells)}</div>'


def _cell(html: str) -> str:
    return f'<div class="b-cell{"" if html else " b-none"}" role="cell">{html}</div>'


def _heads(board: Board, likenesses: list[Agreement]) -> str:
    cells = []
    for place, side in enumerate(board.sides):
        like = brief(likenesses[place - 1]) if place and len(board.sides) > 2 else ""
        result = board.results[place]
        took = f"read in {result.encode_ms:.0f} ms · " if result.encode_ms else ""
        cells.append(
            f'<div class="b-column" role="columnheader" style="--b-own:{side.colour}">'
            f'<span class="b-dot"></span><b>{escape(side.title)}</b>'
            f'<span class="b-soft">{escape(side.subtitle)}</span>'
            f'<span class="b-soft b-took" title="Time to turn the question into numbers, and to search with '
            f'them">{took}searched in {result.search_ms:.0f} ms</span>'
            f'<span class="b-soft b-like">{escape(like)}</span>'
            f"{_standing(board, place)}</div>"
        )
    return _row(cells, " b-heads")


def _standing(board: Board, place: int) -> str:
    """Where this column has the best judged answer."""
    if not board.judged:
        return ""
    rank = next((h.rank for h in board.results[place].hits if h.id in board.judged), None)
    if rank is None:
        return f'<span class="b-standing">judged answer not in the first {board.k}</span>'
    best = " b-standing-first" if rank == 1 else ""
    return f'<span class="b-standing{best}">judged answer at rank {rank}</span>'


def _nothing(board: Board, place: int) -> str:
    note = (board.results[place].note or "nothing fits").capitalize()
    return (
        '<div class="b-card b-empty"><div class="b-say">Nothing found</div>'
        f'<div class="b-soft">{escape(note)}.</div></div>'
    )


def _gone(board: Board, place: int) -> str:
    """What the first column found and this one did not."""
    gone = board.gone(place)
    if not gone:
        return ""
    first = escape(board.sides[0].title)
    items = "".join(
        f'<li data-doc="{board.numbers[hit.id]}" tabindex="0"><b>{hit.rank}</b> '
        f'<span dir="auto">{escape(cards.name_of(hit))}</span></li>'
        for hit in gone
    )
    return (
        f'<div class="b-gone"><div class="b-soft">Gone: in the first {board.k} of {first}, but not here '
        f"(with the rank there)</div><ul>{items}</ul></div>"
    )


def _actions(board: Board, identity: str, explains: bool) -> str:
    """The buttons of a card; the page's script tells the page which was pressed."""
    number = board.numbers[identity]
    offered = dict(_ACTIONS)
    if explains:
        offered = {"why": ("Why?", "See which words drew this document"), **offered}
    return (
        '<span class="b-acts">'
        + "".join(
            f'<button type="button" data-act="{act}" data-of="{number}" title="{tip}">{label}</button>'
            for act, (label, tip) in offered.items()
        )
        + "</span>"
    )
