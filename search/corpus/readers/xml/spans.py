"""Merged cells of tables in XML: HTML's `rowspan` and `colspan`, and the CALS model's `morerows`, `namest` and `nameend`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from search.corpus.readers.merged_cells import SpannedCell
from search.corpus.readers.xml.parsing import local_name

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

TABLE_PARTS = frozenset(("table", "tgroup", "thead", "tbody", "tfoot"))
"""Elements over whose ends no cell is merged."""
_MOST = 1_000


def columns_of(element: "Element") -> dict[str, int]:
    """The places of the columns that a table of the CALS model gives names, from 0; none for any other element."""
    named = [child for child in element if local_name(child).lower() == "colspec"]
    return {name: i for i, one in enumerate(named) if (name := one.get("colname"))}


def spanned_cell(cell: "Element", text: str, columns: Mapping[str, int]) -> SpannedCell:
    """A cell with how many columns and rows it takes.

    :param columns: those of the table, as `columns_of` gives them.
    """
    across, column = _number(cell, "colspan", 1), columns.get(cell.get("colname", ""))
    first, last = (columns.get(cell.get(key, "")) for key in ("namest", "nameend"))
    if first is not None and last is not None and last >= first:
        across, column = last - first + 1, first
    down = max(_number(cell, "rowspan", 1), _number(cell, "morerows", 0) + 1)
    return SpannedCell(text, max(across, 1), max(down, 1), column)


def _number(cell: "Element", name: str, otherwise: int) -> int:
    value = (cell.get(name) or "").strip()
    return min(int(value), _MOST) if value.isdecimal() and len(value) < 7 else otherwise
