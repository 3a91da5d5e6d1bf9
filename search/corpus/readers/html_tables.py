"""Rows of tables of web pages: which of them are data, and which cell stands in which column."""

from collections.abc import Callable, Iterator
from typing import Any

from search.corpus.readers.merged_cells import MergedCells, Room, SpannedCell

_CELLS = ("td", "th")
_PARTS = ("thead", "tbody", "tfoot")
_LONGEST_CELL = 1_000
_MOST = 1_000
_OF_A_PAGE = "table, h1, h2, h3, h4, h5, h6, pre"


class Grid:
    """The columns of a table from row to row: what is merged downwards stands in each of its rows.

    :param table: the element.
    :param room: of the page.
    """

    def __init__(self, table: Any, room: Room) -> None:
        rows = [cells for row in _rows(table) if len(cells := _cells(row)) > 1]
        headed = any(all(cell.tag == "th" for cell in cells) for cells in rows)
        self._is_data = len(rows) > 1 and (headed or any(map(_is_full, rows)))
        self._merged = MergedCells(room)

    def row(self, row: Any, text_of: Callable[[Any], str]) -> str | None:
        """A row as a line, its cells parted by " | "; None for a row that is a part of a page's layout."""
        cells = _cells(row)
        if not cells or (len(cells) < 2 and not self._merged) or not all(map(_is_value, cells)):
            self._merged.end()
            return None
        texts = [text_of(cell) for cell in cells]
        if not self._is_data:
            return " | ".join(filter(None, texts))
        spanned = (
            SpannedCell(text, _span(cell, "colspan"), _span(cell, "rowspan"))
            for cell, text in zip(cells, texts, strict=True)
        )
        return " | ".join(self._merged.line(spanned))


def _cells(row: Any) -> list[Any]:
    return [child for child in row.iter() if child.tag in _CELLS]


def _rows(table: Any) -> Iterator[Any]:
    """The rows of a table, not those of tables inside it."""
    for child in table.iter():
        if child.tag == "tr":
            yield child
        elif child.tag in _PARTS:
            yield from (row for row in child.iter() if row.tag == "tr")


def _is_full(cells: list[Any]) -> bool:
    whole = all(_span(cell, "colspan") == 1 for cell in cells)
    return (
        whole and all(map(_is_value, cells)) and all((cell.text() or "").strip() for cell in cells)
    )


def _is_value(cell: Any) -> bool:
    """Whether a cell is a value, not a column of a page."""
    return cell.css_first(_OF_A_PAGE) is None and len(cell.text() or "") <= _LONGEST_CELL


def _span(cell: Any, name: str) -> int:
    value = (cell.attributes.get(name) or "1").strip()
    if not value.isdecimal() or len(value) > 4:
        return 1
    many = min(int(value), _MOST)
    return many or (_MOST if name == "rowspan" else 1)
