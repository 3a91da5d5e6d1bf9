"""Which cell of a row stands in which column, where cells are merged with ones beside and above: in HTML and in XML."""

from collections.abc import Iterable
from dataclasses import dataclass

_MOST_COLUMNS = 1_000
_REPEATED = 1_000_000


@dataclass
class Room:
    """How many letters merged cells may still add to a document: what is written once is not to become a thousand times."""

    left: int = _REPEATED


@dataclass(frozen=True)
class SpannedCell:
    """A cell and how many columns and rows it takes; `column` counts from 0, where the file names it."""

    text: str
    across: int = 1
    down: int = 1
    column: int | None = None


class MergedCells:
    """The columns of a table from row to row: what is merged downwards stands in each of its rows.

    :param room: of the document, which all its tables have together.

    >>> merged = MergedCells()
    >>> merged.line([SpannedCell("aspirin", down=2), SpannedCell("morning"), SpannedCell("100 mg")])
    ['aspirin', 'morning', '100 mg']
    >>> merged.line([SpannedCell("night"), SpannedCell("50 mg")])
    ['aspirin', 'night', '50 mg']
    """

    def __init__(self, room: Room | None = None) -> None:
        self._above: dict[int, tuple[int, str]] = {}
        self._room = room or Room()

    def __bool__(self) -> bool:
        return bool(self._above)

    def end(self) -> None:
        """Forget what is merged: another table begins."""
        self._above.clear()

    def line(self, cells: Iterable[SpannedCell]) -> list[str]:
        """The texts of a row by their columns; at the end none that are empty."""
        line: list[str] = []
        for cell in cells:
            self._go_on(line)
            while cell.column is not None and len(line) < min(cell.column, _MOST_COLUMNS):
                line.append("")
                self._go_on(line)
            for number in range(min(cell.across, _MOST_COLUMNS)):
                if cell.down > 1:
                    self._above[len(line)] = (cell.down - 1, cell.text)
                line.append(self._again(cell.text) if number else cell.text)
        self._go_on(line)
        while line and not line[-1]:
            line.pop()
        return line

    def _go_on(self, line: list[str]) -> None:
        """Fill in the cells that are merged with ones above."""
        while (column := len(line)) in self._above:
            left, text = self._above.pop(column)
            line.append(self._again(text))
            if left > 1:
                self._above[column] = (left - 1, text)
            if len(line) > _MOST_COLUMNS:
                return

    def _again(self, text: str) -> str:
        """A text that is repeated, as long as there is room."""
        self._room.left -= len(text) + 1
        return text if self._room.left > 0 else ""
