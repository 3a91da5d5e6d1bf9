"""Lines of a page that stand beside one another: rows of tables, columns that were drawn across, numbered margins."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import mean, median

from search.corpus.readers.layout import HYPHEN, Line

_ALIGNED = 6.0  # points
_SAME_BASE = 0.25
_COLUMN_ROWS = 4
_COLUMN_CHARACTERS = 18
_RUNNING_ON = 0.3
_FULL = 0.88
_FAR = 1.8
_MARGIN_NUMBERS = 10
_FIFTHS = 4
_UNEVEN = 0.25
_MOST = 0.85
_TABLE_ROWS = 60
_CELL_LINES = 5
_CELL_PITCH = 1.5
_TABLE_COLUMNS = 3
_CLAUSE = re.compile(r"\d{1,3}(\.\d{1,3})+")
_CLAUSE_WORDS = 3
_LABEL = re.compile(r"[•◦▪‣●*–—-]|\(?\w{1,4}[.)]|§+ ?[\w.]+|.*:")

Row = list[Line]


def without_margin_numbers(lines: Sequence[Line]) -> tuple[list[Line], int]:
    """Leave out the numbers of lines that stand in the margin of a pleading.

    They are numbers that go up by one from line to line, at least ten at equal distances, or by five at every
    fifth line, left or right of text that runs on from line to line: the rows of a numbered table do not.

    :returns: the other lines, and how many numbers were left out.
    """
    numbers = [line for line in lines if line.text.isdecimal() and len(line.text) < 4]
    if len(numbers) < _FIFTHS:
        return list(lines), 0
    others = [line for line in lines if not line.text.isdecimal()]
    for edge in ("left", "right"):
        beside = [line for line in numbers if _is_beside(line, others, edge)]
        beside.sort(key=lambda line: -(line.base or 0.0))
        text = [o for o in others if any(_same_base(o, line) for line in beside)]
        if (_counts_up(beside) and _is_running(text)) or _counts_fifths(beside, others):
            gone = set(map(id, beside))
            return [line for line in lines if id(line) not in gone], len(beside)
    return list(lines), 0


def _counts_fifths(numbers: Sequence[Line], others: Sequence[Line]) -> bool:
    """Whether numbers are those of every fifth line of running text: 5, 10, 15 ..., five lines apart."""
    if len(numbers) < _FIFTHS or any(int(line.text) % 5 for line in numbers):
        return False
    gaps = [_gap(a, b) for a, b in pairwise(numbers)]
    steps = {int(b.text) - int(a.text) for a, b in pairwise(numbers)}
    pitches = sorted(_gap(a, b) for a, b in pairwise(others) if _gap(a, b) > 0)
    if steps != {5} or not pitches:
        return False
    pitch = pitches[len(pitches) // 2]
    return all(abs(gap - 5 * pitch) < _UNEVEN * gap for gap in gaps) and _is_running(others)


def _counts_up(numbers: Sequence[Line]) -> bool:
    """Whether numbers, from top to bottom, go up by one at equal distances, but for a few."""
    if len(numbers) < _MARGIN_NUMBERS:
        return False
    usual = median(_gap(a, b) for a, b in pairwise(numbers))
    steps = sum(
        int(b.text) - int(a.text) == 1 and abs(_gap(a, b) - usual) < _UNEVEN * usual
        for a, b in pairwise(numbers)
    )
    return steps >= _MARGIN_NUMBERS - 1 and steps >= _MOST * (len(numbers) - 1)


def _is_beside(number: Line, others: Sequence[Line], edge: str) -> bool:
    """Whether a number stands in the margin: no text of its height or near it reaches as far."""
    near = [
        o for o in others if abs((o.base or 0.0) - (number.base or 0.0)) < 4 * (number.size or 10)
    ]
    if edge == "left":
        return all(number.right < other.left for other in near)
    return all(number.left > other.right for other in near)


def arranged(lines: Sequence[Line]) -> list[Line]:
    """Lines in the order in which they are read: a row is one line, columns follow one another.

    Cells of a table are parted by " | "; what stands apart on one line without a table is one line.
    """
    rows = _rows(_with_whole_cells(lines))
    read: list[Row] = []
    start = 0
    while start < len(rows):
        end, gutter = _woven(rows, start)
        if gutter is None:
            read.append(rows[start])
            start += 1
            continue
        sides: tuple[list[Line], list[Line]] = ([], [])
        for row in rows[start:end]:
            for line in row:
                sides[line.left >= gutter - _ALIGNED].append(line)
        for side in sides:
            read += [[line] for line in arranged(side)]
        start = end
    return [_joined(row, read, i) for i, row in enumerate(read)]


def _with_whole_cells(lines: Sequence[Line]) -> list[Line]:
    """Lines with the cells that fill several of them as one, where a table is drawn cell by cell.

    That is seen where the next cell begins at the top of the row again. Cells of many lines are columns of prose.
    """
    whole: list[Line] = []
    start = 0
    while start < len(lines):
        end, cells = _drawn_by_cells(lines, start)
        whole += cells or lines[start:end]
        start = end
    return whole


def _drawn_by_cells(lines: Sequence[Line], start: int) -> tuple[int, list[Line]]:
    """The end of a row of whole cells that begins with a line, and its cells; none for any other line."""
    cells = [[lines[start]]]
    went_up = False
    end = start + 1
    for line in lines[start + 1 :]:
        last = cells[-1]
        if _same_base(lines[start], line) and line.left >= max(part.right for part in last):
            went_up = went_up or len(last) > 1
            cells.append([line])
        elif _goes_on(last[-1], line) and len(last) < _CELL_LINES:
            last.append(line)
        else:
            break
        end += 1
    if not went_up or len(cells) < 2:
        return start + 1, []
    return end, [_as_one(cell) for cell in cells]


def _goes_on(above: Line, below: Line) -> bool:
    """Whether a line is the next one of the same cell."""
    gap = _gap(above, below)
    return abs(above.left - below.left) <= 1 and 0 < gap <= _CELL_PITCH * (above.size or 10.0)


def _as_one(cell: Sequence[Line]) -> Line:
    text = cell[0].text
    for line in cell[1:]:
        text += line.text if text.endswith(HYPHEN) else f" {line.text}"
    return replace(cell[0], text=text, right=max(line.right for line in cell))


def _rows(lines: Sequence[Line]) -> list[Row]:
    """Lines that follow one another on one base line, each to the right of the one before."""
    rows: list[Row] = []
    for line in lines:
        last = rows[-1][-1] if rows else None
        if last is not None and _same_base(last, line) and line.left >= last.right:
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows


def _same_base(one: Line, other: Line) -> bool:
    if one.base is None or other.base is None:
        return False
    return abs(one.base - other.base) <= _SAME_BASE * (max(one.size, other.size) or 10.0)


def _woven(rows: Sequence[Row], start: int) -> tuple[int, float | None]:
    """The end of a stretch of rows that are two columns of prose, and where the right one begins."""
    if len(rows[start]) < 2:
        return start, None
    gutter = rows[start][1].left
    end = start + 1
    while end < len(rows) and _fits(rows[end], gutter):
        pitch = _gap(rows[start][0], rows[start + 1][0])
        if end > start + 1 and abs(_gap(rows[end - 1][0], rows[end][0])) > _FAR * abs(pitch):
            break
        end += 1
    left = [line for row in rows[start:end] for line in row if line.left < gutter - _ALIGNED]
    right = [line for row in rows[start:end] for line in row if line.left >= gutter - _ALIGNED]
    if min(len(left), len(right)) < _COLUMN_ROWS or not (_is_prose(left) and _is_prose(right)):
        return start, None
    return end, gutter


def _fits(row: Row, gutter: float) -> bool:
    """Whether a row stands in two columns: nothing in it reaches over the gutter."""
    return not any(line.left < gutter - _ALIGNED and line.right > gutter for line in row)


def _is_prose(side: Sequence[Line]) -> bool:
    """Whether lines run on into one another, as prose does and cells do not."""
    if mean(len(line.text) for line in side) < _COLUMN_CHARACTERS:
        return False
    letters = "".join(line.text for line in side)
    if letters.lower() == letters.upper():  # a script without capitals: prose fills its lines
        width = max(line.right for line in side)
        return mean(line.right >= _FULL * width for line in side) >= 2 / 3
    return _is_running(side)


def _is_running(side: Sequence[Line]) -> bool:
    """Whether enough lines go on in the middle of a sentence."""
    running = [
        above.text.endswith((HYPHEN, "-")) or below.text[:1].islower()
        for above, below in pairwise(side)
    ]
    return bool(running) and mean(running) >= _RUNNING_ON


def _gap(above: Line, below: Line) -> float:
    return (above.base or 0.0) - (below.base or 0.0)


def _joined(row: Row, rows: Sequence[Row], i: int) -> Line:
    if len(row) == 1:
        return row[0]
    cells = _in_columns(row, _columns(rows, i))
    beside = [rows[j] for j in (i - 1, i + 1) if 0 <= j < len(rows)]
    table = cells is not None or any(_are_aligned(row, other) for other in beside)
    text = row[0].text
    for before, line in pairwise(cells or row):
        text += " | " if table and not _is_label(before, line) else " "
        text += line.text if line else ""
    return replace(
        row[0], text=text.rstrip(" |"), right=row[-1].right, is_row=table and " | " in text
    )


def _is_label(cell: Line | None, after: Line | None) -> bool:
    """Whether a cell is the number or the name of what stands beside it."""
    if cell is None or after is None:
        return False
    clause = _CLAUSE.fullmatch(cell.text) and len(after.text.split()) >= _CLAUSE_WORDS
    return bool(clause or _LABEL.fullmatch(cell.text))


def _columns(rows: Sequence[Row], i: int) -> Row:
    """The row of the same table that has the most cells: it says which columns there are."""
    widest = rows[i]
    for step in (-1, 1):
        for j in range(i + step, i + step * _TABLE_ROWS, step):
            if not 0 <= j < len(rows):
                break
            fewer, more = sorted((widest, rows[j]), key=len)
            if _in_columns(fewer, more) is None:
                break
            widest = more if len(more) > len(widest) else widest
    return widest


def _in_columns(row: Row, columns: Row) -> list[Line | None] | None:
    """The cells of a row under those of a wider one, None for empty ones; None where any stands elsewhere."""
    if len(columns) < _TABLE_COLUMNS or len(row) > len(columns):
        return None
    cells: list[Line | None] = []
    waiting = list(row)
    for column, after in zip(columns, [*columns[1:], None], strict=True):
        fits = bool(waiting) and _is_under(waiting[0], column)
        if fits and after is not None and waiting[0].right > after.left:
            return None
        cells.append(waiting.pop(0) if fits else None)
    return None if waiting else cells


def _is_under(cell: Line, column: Line) -> bool:
    apart = (cell.left - column.left, cell.right - column.right)
    return min(abs(apart[0]), abs(apart[1]), abs(sum(apart)) / 2) <= _ALIGNED


def _are_aligned(one: Row, other: Row) -> bool:
    """Whether the cells of two rows stand under one another, by their left or their right edges."""
    edges = [
        (abs(a.left - b.left) <= _ALIGNED or abs(a.right - b.right) <= _ALIGNED)
        for b in other
        for a in one
    ]
    return len(other) > 1 and sum(edges) >= 2
