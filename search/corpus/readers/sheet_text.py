"""Texts of a sheet as it shows them: powers set as raised characters, signs of special fonts; headers of two rows."""

from collections.abc import Iterator, Sequence
from typing import Any

from search.corpus.readers.sign_fonts import is_sign_font, signs
from search.corpus.readers.typography import fractions, lowered, raised


def rows_of(sheet: Any, hidden: set[int]) -> Iterator[tuple[Any, ...]]:
    """The rows of a sheet of openpyxl that is read once, from the first, whatever it says of its own size.

    As its `iter_rows`, which reads parts that are set differently only from the texts that cells share, not
    from those that stand in the cells themselves.

    :param hidden: takes the numbers of rows that the sheet hides, by hand or by a filter.
    """
    from openpyxl.worksheet._reader import WorkSheetParser

    book = sheet.parent
    with sheet._get_source() as source:
        parser = WorkSheetParser(
            source,
            sheet._shared_strings,
            data_only=book.data_only,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
            rich_text=True,
        )
        expected = 1
        for number, row in parser.parse():
            for _ in range(expected, number):
                yield ()
            if (parser.row_dimensions.pop(str(number), None) or {}).get("hidden") in _TRUE:
                hidden.add(number)
            if expected <= number:
                yield sheet._get_row(row)
            expected = max(expected, number + 1)


def text_of(cell: Any) -> Any:
    """What a cell of openpyxl holds; a text with the signs, powers and fractions that its letters are set as."""
    held = cell.value
    if isinstance(held, list):  # parts that are set differently
        return _joined(held)
    # What is set in one font throughout: ticks in a column of Wingdings.
    if isinstance(held, str) and len(held) < _SHORT and cell.has_style:
        font = cell.font.name or ""
        return signs(held, font) if is_sign_font(font) else held
    return held


def _joined(parts: Sequence[Any]) -> str:
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += part
            continue
        name = part.font.rFont or ""
        shown = signs(part.text, name) if is_sign_font(name) else part.text
        if part.font.vertAlign == "superscript":
            shown = raised(shown, text)
        elif part.font.vertAlign == "subscript":
            shown = lowered(shown)
        text += shown
    return fractions(text)


def two_rows_of_names(upper: Sequence[str], lower: Sequence[Any]) -> list[str] | None:
    """The names of columns whose header has two rows: "Dose" over "morning" and "night" is "Dose morning"; else None.

    The lower row has texts under the names that reach over several columns, and nothing under any other.
    """
    below = [value.strip() if isinstance(value, str) else value for value in lower]
    below += [""] * (len(upper) - len(below))
    width = max((i for i, value in enumerate(below, start=1) if value), default=0)
    above = [*upper, *[""] * (width - len(upper))]
    names: list[str] = []
    group = ""
    for i, name in enumerate(above):
        reaches_over = i + 1 < len(above) and not above[i + 1]
        group = name or group
        lower_name = below[i] or ""
        if not isinstance(lower_name, str) or bool(lower_name) != (not name or reaches_over):
            return None
        names.append(f"{group} {lower_name}".strip() if lower_name else name)
    return names if any(below) else None


_TRUE = ("1", "true")
_SHORT = 20
