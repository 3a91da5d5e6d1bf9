"""Cells of tables that people open in a spreadsheet: none of them is run there, and each can be read back as it was."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

# Where a spreadsheet takes what follows for a formula: at the beginning of a cell, and behind what separates cells in some
# country, since a file with commas is taken apart at semicolons there. Signs in the widths of East Asia count, too.
# An apostrophe before the sign says "text". Where there were some, there is one more, so that both can be told apart.
_BEFORE = r"(^|[;\t\r\n])([ \u00a0\u200b\ufeff]*)"
_SIGN = r"(?=[=+\-@\uff1d\uff0b\uff0d\uff20])"
_FORMULA = re.compile(rf"{_BEFORE}('*){_SIGN}")
_GUARDED = re.compile(rf"{_BEFORE}'('*){_SIGN}")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)*")


def guarded(cell: object) -> object:
    """A cell that no spreadsheet runs: a text that could be a formula has an apostrophe before it.

    >>> [guarded(cell) for cell in ("=1+1", "-3.5", "rent", "'=1+1", "a;=b", 7)]
    ["'=1+1", '-3.5', 'rent', "''=1+1", "a;'=b", 7]
    """
    if not isinstance(cell, str) or _NUMBER.fullmatch(cell):
        return cell
    return _FORMULA.sub(r"\1\2'\3", cell)


def unguarded(text: str) -> str:
    """The text that `guarded` was given.

    >>> [unguarded(text) for text in ("'=1+1", "-3.5", "'tis", "''=1+1", "a;'=b")]
    ['=1+1', '-3.5', "'tis", "'=1+1", 'a;=b']
    """
    return _GUARDED.sub(r"\1\2\3", text)


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as CSV, every cell guarded: the only way in which one leaves."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    for row in (columns, *rows):
        writer.writerow([guarded(cell) for cell in row])
    return stream.getvalue()
