"""What stands around a table in a file: a title or notes above its header, remarks below its last row.

Spreadsheets are made for people, and so is what is exported from them. What is passed over is said.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from search.corpus.readers.headers import folded_name, is_row
from search.corpus.readers.report import Report

Numbered = tuple[int, Sequence[Any]]
"""The number of a row in its file, and its cells."""
_MOST_ABOVE = 20
_MOST_BELOW = 20
_SHOWN = 200
_AGREEING = 0.8
# A first row that says one of these alone is a header, however much the rows below it hold.
_NAMES = frozenset(
    {"text", "texts", "body", "content", "contents", "document", "documents", "passage", "abstract", "description", "answer",
     "question", "query", "note", "notes", "title", "name", "id", "_id", "sentence", "summary", "response", "term", "definition"}
)  # fmt: skip


def is_filled(value: Any) -> bool:
    """Whether a cell says anything."""
    return bool(value.strip()) if isinstance(value, str) else value is not None


def header_at(rows: Sequence[Numbered]) -> int:
    """Which of the first rows that are not empty is the header: the first, or one of far more cells below a title.

    Above it stand rows of one cell, or any of at most half as many cells that an empty row parts from it.

    >>> header_at([(1, ["Matters"]), (3, ["id", "text"]), (4, ["1", "rent"])])
    1
    >>> header_at([(1, ["by", "Ann"]), (3, ["id", "text", "court", "year"]), (4, ["1", "rent", "", ""])])
    1
    >>> header_at([(1, ["id", "text"]), (2, ["1", "rent"])])
    0
    """
    counts = [sum(map(is_filled, cells)) for _, cells in rows]
    widest = max(counts, default=0)
    if widest < 2:
        return 0
    wide = [i for i, count in enumerate(counts) if count > 1 and 2 * count >= widest]
    for i in range(1, min(len(rows), _MOST_ABOVE + 1)):
        is_apart = rows[i][0] > rows[i - 1][0] + 1
        if i in wide and is_apart and 2 * max(counts[:i]) <= counts[i]:
            return i
    return wide[0] if wide[0] <= _MOST_ABOVE and max(counts[: wide[0]], default=0) <= 1 else 0


def header_of_text_at(rows: Sequence[tuple[int, Sequence[str]]]) -> int:
    """The same of a file of text between delimiters, where a comma may be one of a sentence.

    Below the header most rows are as wide as it is, and it does not look like one of them.

    >>> header_of_text_at([(1, ["text"]), (2, ["late", "or never"]), (3, ["due", "and paid"])])
    0
    """
    start = header_at(rows)
    if not start:
        return 0
    header, body = list(rows[start][1]), [list(cells) for _, cells in rows[start + 1 :]]
    wide = sum(len(cells) == len(header) for cells in body)
    above = [cell for _, cells in rows[:start] for cell in cells if is_filled(cell)]
    is_named = len(above) == 1 and folded_name(above[0]) in _NAMES
    prose = any(name[:1] == " " for name in header)
    remarks = sum(sum(map(is_filled, cells)) <= 1 for cells in body)
    agrees = wide > 0 and wide >= _AGREEING * (len(body) - min(remarks, _MOST_BELOW))
    return start if agrees and not (is_named or prose or is_row(header, body, ())) else 0


def note_above(rows: Sequence[Numbered], report: Report) -> None:
    """Note what stands above the header, where something does."""
    said = "; ".join(str(cell).strip() for _, cells in rows for cell in cells if is_filled(cell))
    if said:
        report.notes.append(f"above the header, and not read: {said[:_SHOWN]}")


def without_remarks(rows: Iterator[Numbered], width: int, report: Report) -> Iterator[Numbered]:
    """The rows of a table without the remarks at its end: rows of one cell that an empty row parts from all others.

    :param rows: those that are not empty.
    :param width: how many columns the table has; one of one column has no remarks.
    """
    held: list[Numbered] = []
    last = None
    for number, cells in rows:
        is_apart = last is not None and number > last + 1
        last = number
        if (
            width > 1
            and sum(map(is_filled, cells)) == 1
            and (held or is_apart)
            and len(held) < _MOST_BELOW
        ):
            held.append((number, cells))
            continue
        yield from held
        held = []
        yield number, cells
    if held:
        said = "; ".join(str(c).strip() for _, cells in held for c in cells if is_filled(c))
        report.notes.append(f"below the table, and not read: {said[:_SHOWN]}")
