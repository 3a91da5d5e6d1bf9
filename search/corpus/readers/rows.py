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
    rows = _rows(lines)
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
    beside = [rows[j] for j in (i - 1, i + 1) if 0 <= j < len(rows)]
    table = any(_are_aligned(row, other) for other in beside)
    text = row[0].text
    for before, line in pairwise(row):
        text += (" | " if table and not _LABEL.fullmatch(before.text) else " ") + line.text
    return replace(row[0], text=text, right=row[-1].right, is_row=table and " | " in text)


def _are_aligned(one: Row, other: Row) -> bool:
    """Whether the cells of two rows stand under one another, by their left or their right edges."""
    edges = [
        (abs(a.left - b.left) <= _ALIGNED or abs(a.right - b.right) <= _ALIGNED)
        for b in other
        for a in one
    ]
    return len(other) > 1 and sum(edges) >= 2
