"""The text layer of a PDF page as lines: each character where it stands, not where the file happens to draw it.

PDFium gives the characters in the order of drawing, parted into lines. That order is kept between lines, for it
mostly is the order of reading; inside a line characters are put in the order of their places, so that a sign that
was drawn last ("≥") stands where it is seen.
"""

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from unicodedata import bidirectional, category

from search.corpus.readers.layout import HYPHEN, Line
from search.corpus.readers.sign_fonts import signs
from search.corpus.readers.typography import fractions, is_legacy_font, lowered, raised

_SAME_BASE = 0.2  # of the size: how far base lines of one line of text may lie apart
_WORD_GAP = 0.2
_INDIC_GAP = 0.22
_FAR_GAP = 0.4
_CELL_GAP = 1.4  # wider than the widest space of a justified line
_SMALL = 0.85
_RAISED = (0.15, 1.0)
_LOWERED = (-0.5, -0.08)
_BREAKS = "\r\n"
_RTL = ("R", "AL")
_FONT_NAME = 128
_UNKNOWN_SIZE = 10.0


class _Layer:
    """The text page of pypdfium2, asked character by character."""

    def __init__(self, page: Any) -> None:
        from pypdfium2 import raw

        self._raw, self._page, self._matrix = raw, page, raw.FS_MATRIX()
        self._x, self._y, self._left, self._right, self._bottom, self._top = (
            ctypes.c_double() for _ in range(6)
        )

    def turns(self, number: int) -> int:
        """By how many quarters, counterclockwise, a character is turned."""
        matrix = self._matrix
        self._raw.FPDFText_GetMatrix(self._page, number, matrix)
        if abs(matrix.a) >= abs(matrix.b):
            return 2 if matrix.a < 0 and matrix.d < 0 else 0
        return 1 if matrix.b > 0 else 3

    def origin(self, number: int) -> tuple[float, float]:
        """Where a character is set: x, and the height of its base line, in points."""
        self._raw.FPDFText_GetCharOrigin(self._page, number, self._x, self._y)
        return self._x.value, self._y.value

    def right(self, number: int, turns: int) -> float:
        """The right edge of the ink of a character, when the page is held so that it stands upright."""
        self._raw.FPDFText_GetCharBox(
            self._page, number, self._left, self._right, self._bottom, self._top
        )
        edges = (self._right.value, self._top.value, -self._left.value, -self._bottom.value)
        return edges[turns]

    def size(self, number: int) -> float:
        """The font size of a character; PDFium gives 1 to fonts that are scaled, which says nothing."""
        size = self._raw.FPDFText_GetFontSize(self._page, number)
        return float(size) if size > 1 else _UNKNOWN_SIZE

    def is_generated(self, number: int) -> bool:
        """Whether PDFium made a character up: a space between words, the end of a line."""
        return bool(self._raw.FPDFText_IsGenerated(self._page, number))

    def font(self, number: int) -> str:
        """The name of the font of a character, without the letters that say it is only a part of it."""
        name = ctypes.create_string_buffer(_FONT_NAME)
        self._raw.FPDFText_GetFontInfo(self._page, number, name, _FONT_NAME, None)
        return name.value.decode("utf-8", "replace").rpartition("+")[2]

    def characters(self) -> Iterator[tuple[int, str]]:
        """The characters and their numbers; what takes two numbers (UTF-16) has that of the second."""
        high = ""
        for number in range(self._raw.FPDFText_CountChars(self._page)):
            code = self._raw.FPDFText_GetUnicode(self._page, number)
            character = HYPHEN if code in (0x2, 0xFFFE) else chr(code)
            if 0xD800 <= code < 0xDC00:
                high = character
            elif high:
                both = (high + character).encode("utf-16", "surrogatepass")
                yield number, both.decode("utf-16", "replace")
                high = ""
            elif code and character not in _BREAKS:
                private = 0xF000 <= code < 0xF100
                yield number, signs(character, self.font(number)) if private else character


class _Glyph:
    """A character with the marks that stand on it; its right edge and its size are asked for when needed."""

    __slots__ = (
        "_layer",
        "_right",
        "_size",
        "base",
        "is_script",
        "left",
        "made_up",
        "number",
        "text",
        "turns",
    )

    def __init__(
        self, layer: _Layer, number: int, text: str, at: tuple[float, float], turns: int
    ) -> None:
        self._layer, self.number, self.text, self.turns = layer, number, text, turns
        self.left, self.base = at
        self.made_up = text == " " and layer.is_generated(number)
        self.is_script = False
        self._right: float | None = None
        self._size: float | None = None

    @property
    def right(self) -> float:
        """The right edge, in points."""
        if self._right is None:
            self._right = max(self.left, self._layer.right(self.number, self.turns))
        return self._right

    @property
    def size(self) -> float:
        """The font size, in points."""
        if self._size is None:
            self._size = self._layer.size(self.number)
        return self._size

    def bear(self, mark: "_Glyph") -> None:
        """Take a mark that stands on this letter."""
        self.text += mark.text
        self._right = max(self.right, mark.right)

    def as_script(self, text: str, home: "_Run", right: float) -> "_Glyph":
        """The same place as a raised or lowered part of a line."""
        made = _Glyph(self._layer, self.number, text, (self.left, home.base), self.turns)
        made.is_script, made._right, made._size = True, right, home.size
        return made


class _Run:
    """Characters of one base line without a wide gap between them."""

    def __init__(self, first: _Glyph) -> None:
        self.glyphs = [first]
        self.last = first  # that has a place of its own
        self.size = first.size
        self.base = first.base

    def append(self, glyph: _Glyph) -> None:
        """Go on with a character."""
        self.glyphs.append(glyph)
        if not glyph.made_up:
            self.last = glyph

    @property
    def left(self) -> float:
        """The left edge, in points."""
        return min(glyph.left for glyph in self.glyphs)

    @property
    def right(self) -> float:
        """The right edge, in points: of the last character, or of those of a script that goes left."""
        ends = self.glyphs if self.is_rtl() else (max(self.glyphs, key=lambda g: g.left), self.last)
        return max(glyph.right for glyph in ends)

    def is_rtl(self) -> bool:
        """Whether letters of a script that is written to the left are in it."""
        return any(not g.text.isascii() and _is_rtl(g.text) for g in self.glyphs)

    def is_space(self) -> bool:
        """Whether there is nothing to see."""
        return all(glyph.text.isspace() for glyph in self.glyphs)


def page_lines(layer: Any, box: tuple[float, float, float, float], legacy: set[str]) -> list[Line]:
    """The lines of a page in the order in which it is drawn; cells of a row are lines with the same base.

    :param layer: the text page of pypdfium2.
    :param box: left, bottom, right and top of what is visible of the page, in points.
    :param legacy: filled with the names of fonts whose letters are not what Unicode says.
    """
    asked = _Layer(layer)
    turned: dict[int, list[_Glyph]] = {}
    for glyph in _glyphs(asked, box):
        turned.setdefault(glyph.turns, []).append(glyph)
    lines: list[Line] = []
    # Pages are mostly of one direction; what stands in another (a stamp at the edge) is read after it.
    for glyphs in sorted(turned.values(), key=len, reverse=True):
        # Twice: what stood too far from a long run may stand beside what has become part of it.
        runs = _with_strays(_with_strays(_runs(iter(glyphs))))
        legacy.update(filter(is_legacy_font, (asked.font(run.glyphs[0].number) for run in runs)))
        if glyphs[0].turns:  # PDFium's order is that of the page as it lies
            runs.sort(key=lambda run: (-round(run.base), run.left))
        whole = [line for run in runs if (line := _line(run)).text.strip()]
        lines += [replace(line, base=None) for line in whole] if lines else whole
    return lines


def _glyphs(layer: _Layer, box: tuple[float, float, float, float]) -> Iterator[_Glyph]:
    turns = 0
    for number, character in layer.characters():
        x, y = layer.origin(number)
        if box[0] <= x <= box[2] and box[1] <= y <= box[3]:
            if character != " " or not layer.is_generated(number):
                turns = layer.turns(number)
            upright = ((x, y), (y, -x), (-x, -y), (-y, x))[turns]
            yield _Glyph(layer, number, character, upright, turns)


def _runs(glyphs: Iterator[_Glyph]) -> list[_Run]:
    """What is drawn one after the other on one base line, each to the side of the one before."""
    runs: list[_Run] = []
    run: _Run | None = None
    for glyph in glyphs:
        if run is None:
            run = _Run(glyph)
        elif _is_mark(glyph.text) and _same_base(run, glyph):
            run.last.bear(glyph)
        # By far the most: a letter right behind the one before, for which nothing else must be asked.
        elif (glyph.base == run.base and 0 < glyph.left - run.last.left < run.size) or _follows(
            run, glyph
        ):
            run.append(glyph)
        else:
            runs.append(run)
            run = _Run(glyph)
    runs += [run] if run else []
    return [run for run in runs if not all(glyph.made_up for glyph in run.glyphs)]


def _is_mark(text: str) -> bool:
    return not text.isascii() and category(text[0]) in ("Mn", "Mc")


def _same_base(run: _Run, glyph: _Glyph) -> bool:
    return abs(run.base - glyph.base) <= _SAME_BASE * max(
        run.size, 1.0 if glyph.made_up else glyph.size
    )


def _follows(run: _Run, glyph: _Glyph) -> bool:
    """Whether a character goes on where the run ends; spaces that are made up have no place of their own."""
    if not _same_base(run, glyph):
        return False
    if glyph.made_up:
        return True
    before, size = run.last, run.size
    if glyph.base != run.base and not glyph.text.isspace():
        small, large = sorted((run.size, glyph.size))
        if small <= _SMALL * large:
            return False
    if _is_rtl(glyph.text) or _is_rtl(before.text):
        apart = min(abs(glyph.right - before.left), abs(glyph.left - before.right))
        return apart < _CELL_GAP * size
    return -size < glyph.left - before.right < _CELL_GAP * size


def _is_rtl(text: str) -> bool:
    return bidirectional(text[0]) in _RTL


def _with_strays(runs: list[_Run]) -> list[_Run]:
    """Runs that stand inside or beside another one on its line, or above and below it, become part of it."""
    order = sorted(runs, key=lambda run: -len(run.glyphs))
    lines: list[_Run] = []
    for run in order:
        home = None if run.is_rtl() else _home(run, lines)
        if home is None:
            lines.append(run)
        else:
            home.glyphs += _set_as(run, home)
    whole = [run for run in lines if not run.is_space()]
    return sorted(whole, key=lambda run: run.glyphs[0].number)


def _home(run: _Run, lines: Sequence[_Run]) -> _Run | None:
    """The line that a run belongs to: on the same base line, or as a raised or lowered part of it."""
    for line in lines:
        size = line.size
        rise = run.base - line.base
        if abs(rise) > size:
            continue
        apart = max(run.left - line.right, line.left - run.right)
        if (abs(rise) <= _SAME_BASE * size and run.size > _SMALL * size) or run.is_space():
            near = _CELL_GAP if not run.is_space() else _WORD_GAP
            if abs(rise) <= _SAME_BASE * size and apart < near * size:
                return line
        elif run.size < _SMALL * size and _is_script(rise / size) and apart < _WORD_GAP * size:
            return line
    return None


def _is_script(rise: float) -> bool:
    """Whether something small that is so much higher or lower (in sizes) is a raised or lowered part."""
    return _RAISED[0] <= rise <= _RAISED[1] or _LOWERED[0] <= rise <= _LOWERED[1]


def _set_as(run: _Run, home: _Run) -> list[_Glyph]:
    """The characters of a run as part of a line: one glyph for a raised or lowered part."""
    rise = (run.base - home.base) / home.size
    if run.is_space() or (abs(rise) <= _SAME_BASE and run.size > _SMALL * home.size):
        return run.glyphs
    written = "".join(glyph.text for glyph in _ordered(run))
    text = written.strip()
    before = "".join(g.text for g in _ordered(home) if g.left < run.left)
    shown = raised(text, before) if rise > 0 else lowered(text)
    behind = " " if written[-1:].isspace() else ""
    return [run.glyphs[0].as_script(shown + behind, home, run.right)]


def _ordered(run: _Run) -> list[_Glyph]:
    """The characters of a line from left to right; of a script that goes the other way, as PDFium read it."""
    if run.is_rtl():
        return _unreversed(run.glyphs)
    return sorted(run.glyphs, key=lambda glyph: glyph.left)


def _unreversed(glyphs: list[_Glyph]) -> list[_Glyph]:
    """Letters that share one drawn ligature (lam-alef), which PDFium turned round with the rest of the line."""
    ordered: list[_Glyph] = []
    start = 0
    for end in range(1, len(glyphs) + 1):
        if end < len(glyphs) and _shared(glyphs[start], glyphs[end]):
            continue
        ordered += reversed(glyphs[start:end])
        start = end
    return ordered


def _shared(one: _Glyph, other: _Glyph) -> bool:
    same = (one.left, one.right, one.base) == (other.left, other.right, other.base)
    return same and one.right > one.left and _is_rtl(one.text) and _is_rtl(other.text)


def _line(run: _Run) -> Line:
    ordered = _ordered(run)
    parts: list[str] = []
    for before, glyph in zip([None, *ordered], ordered, strict=False):
        if before is not None and _word_begins(before, glyph):
            parts.append(" ")
        parts.append(glyph.text)
    text = " ".join("".join(parts).replace("\xa0", " ").split())
    return Line(fractions(text), run.base, run.size, run.left, run.right)


def _word_begins(before: _Glyph, glyph: _Glyph) -> bool:
    """Whether a space stands between two characters where the file has none.

    PDFium sees to it between characters that are drawn one after the other, but for those of Indian
    scripts, whose ligatures mislead it. Behind a raised part the next letter stands off anyway.
    """
    indic = _is_indic(before.text) and _is_indic(glyph.text)
    if abs(glyph.number - before.number) == 1 and not indic:
        return False
    if before.text.isspace() or glyph.text.isspace():
        return False
    if _is_rtl(before.text) or _is_rtl(glyph.text):
        return False
    gap = (glyph.left - before.right) / glyph.size
    if indic:
        return gap > _INDIC_GAP
    return gap > (_FAR_GAP if before.is_script or glyph.is_script else _WORD_GAP)


def _is_indic(text: str) -> bool:
    return "\u0900" <= text[0] <= "\u0dff"
