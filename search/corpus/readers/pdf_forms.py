"""What was typed into a PDF: the values of its form, and text that was put over its pages."""

import ctypes
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from search.corpus.readers.layout import Line

_HIDDEN = 0x2 | 0x20  # annotation flags: hidden, no view
_SECRET = 1 << 13  # field flag: a password
_STRIKES = "strokes through text (the text is read)"
_SIZE = 10.0
_MOST_OPTIONS = 10_000
_LONGEST = 100_000
_CHECKED, _OPEN = "☒", "☐"


def with_values(lines: Sequence[Line], page: Any, form: Any, left_out: Counter[str]) -> list[Line]:
    """The lines of a page with what was typed into it, each value behind the line that it stands beside.

    Ticked boxes are ☒, others ☐. Passwords and hidden fields are left out. Comments are counted.

    :param lines: of the page, as drawn.
    :param form: the form environment of pypdfium2, or None for a file without a form.
    """
    result = list(lines)
    for value in _values(page, form, left_out):
        before = [i for i, line in enumerate(result) if _goes_before(line, value)]
        beside = [i for i in before if _is_beside(result[i], value)]
        at = (beside or before or [-1])[-1] + 1
        base = result[beside[-1]].base if beside else value.base
        result.insert(at, Line(value.text, base, value.size, value.left, value.right))
    return result


def _goes_before(line: Line, value: Line) -> bool:
    return line.base is not None and value.base is not None and line.base >= value.base - _SIZE / 2


def _is_beside(line: Line, value: Line) -> bool:
    close = abs((line.base or 0.0) - (value.base or 0.0)) <= _SIZE
    return close and line.right <= value.left + 1


def _values(page: Any, form: Any, left_out: Counter[str]) -> Iterator[Line]:
    from pypdfium2 import raw

    for number in range(raw.FPDFPage_GetAnnotCount(page)):
        note = raw.FPDFPage_GetAnnot(page, number)
        try:
            if raw.FPDFAnnot_GetFlags(note) & _HIDDEN:
                continue
            kind = raw.FPDFAnnot_GetSubtype(note)
            if kind == raw.FPDF_ANNOT_WIDGET and form is not None:
                text = _field(form, note)
            elif kind == raw.FPDF_ANNOT_FREETEXT:
                text = _string(
                    lambda *to, n=note: raw.FPDFAnnot_GetStringValue(n, b"Contents", *to)
                )
            else:
                left_out["comments"] += kind == raw.FPDF_ANNOT_TEXT
                left_out[_STRIKES] += kind == raw.FPDF_ANNOT_STRIKEOUT
                continue
            rectangle = raw.FS_RECTF()
            if text.strip() and raw.FPDFAnnot_GetRect(note, rectangle):
                yield from _lines(text, rectangle)
        finally:
            raw.FPDFPage_CloseAnnot(note)


def _field(form: Any, note: Any) -> str:
    from pypdfium2 import raw

    kind = raw.FPDFAnnot_GetFormFieldType(form, note)
    if kind in (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON):
        return _CHECKED if raw.FPDFAnnot_IsChecked(form, note) else _OPEN
    written = (
        raw.FPDF_FORMFIELD_TEXTFIELD,
        raw.FPDF_FORMFIELD_COMBOBOX,
        raw.FPDF_FORMFIELD_LISTBOX,
    )
    if kind not in written or raw.FPDFAnnot_GetFormFieldFlags(form, note) & _SECRET:
        return ""
    if kind != raw.FPDF_FORMFIELD_TEXTFIELD and (chosen := list(_chosen(form, note))):
        return ", ".join(chosen)
    return _string(lambda *to: raw.FPDFAnnot_GetFormFieldValue(form, note, *to))


def _chosen(form: Any, note: Any) -> Iterator[str]:
    """What is chosen of a list as people see it; the value that is stored may be a code."""
    from pypdfium2 import raw

    for number in range(min(raw.FPDFAnnot_GetOptionCount(form, note), _MOST_OPTIONS)):
        if raw.FPDFAnnot_IsOptionSelected(form, note, number):
            yield _string(lambda *to, n=number: raw.FPDFAnnot_GetOptionLabel(form, note, n, *to))


def _string(read: Callable[..., int]) -> str:
    """A text out of PDFium, which is asked for its length first (in bytes of UTF-16, with the end)."""
    length = min(read(None, 0), _LONGEST)
    buffer = ctypes.create_string_buffer(length + 2)
    read(ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), length)
    return buffer.raw[:length].decode("utf-16-le", "replace").rstrip("\0")


def _lines(text: str, rectangle: Any) -> Iterator[Line]:
    """The lines of a value, from the top of its rectangle down; one line stands in its middle."""
    parts = [
        part for part in text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if part.strip()
    ]
    height = rectangle.top - rectangle.bottom
    first = rectangle.top - (_SIZE if len(parts) > 1 else (height + _SIZE) / 2)
    for number, part in enumerate(parts):
        base = first - 1.2 * _SIZE * number
        yield Line(part.strip(), base, _SIZE, rectangle.left, rectangle.right)
