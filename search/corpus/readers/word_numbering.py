"""The numbers that Word counts for itself: clause numbers, "(a)" and "iv.", which stand in no paragraph's text.

Source of the rules: ECMA-376 part 1, 17.9 (Numbering); of the fields LISTNUM, Microsoft's article 162895 (How to use the
ListNum field).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from search.corpus.readers.sign_fonts import MARKS, signs

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
"""The namespace of Word's elements, as lxml writes it before their names."""
_LEVELS = 9
_BASED_ON = 20
_PLACE = re.compile(r"%([1-9])")
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"),
          (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip
_CARDINALS = (
    "", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_ORDINALS = (
    "", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", *(f"{word}th" for word in _CARDINALS[13:]),
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_LISTNUM = re.compile(r'\s*LISTNUM\s+"?([a-z]+)"?((?:\s+\\[ls]\s*\d{1,4})*)\s*', re.I)
_SWITCH = re.compile(r"\\([ls])\s*(\d+)", re.I)
_BUILT_IN = {
    "numberdefault": "1) a) i) (1) (a) (i) 1. a. i.",
    "outlinedefault": "I. A. 1. a) (1) (a) (i) (a) (i)",
    "legaldefault": "1. " * _LEVELS,
}
_KINDS = {
    "1": "decimal",
    "a": "lowerLetter",
    "A": "upperLetter",
    "i": "lowerRoman",
    "I": "upperRoman",
}


@dataclass(frozen=True)
class _Level:
    start: int
    kind: str
    text: str
    decimal: bool
    restart: int | None
    style: str
    font: str


@dataclass
class _List:
    """The levels of a list, and how far each has counted; None where it has not begun."""

    levels: dict[int, _Level]
    counts: list[int | None] = field(default_factory=lambda: [None] * _LEVELS)

    def count(self, level: int, first: int | None = None) -> str:
        """Count one more at a level, from `first` on where that is given; returns the number as Word shows it."""
        rule = self.levels[level]
        now = self.counts[level]
        following = rule.start if now is None else now + 1
        self.counts[level] = following if first is None else first
        for below in range(level + 1, _LEVELS):
            restart = self.levels[below].restart if below in self.levels else None
            if restart is None or (restart and level < restart):
                self.counts[below] = None
        if rule.kind == "bullet":  # of these only boxes and ticks say something
            mark = signs(rule.text, rule.font)
            return mark if mark in MARKS else ""
        return "" if rule.kind == "none" else _shown(self, rule)


class Numbering:
    """Counts the paragraphs of a document that are numbered, in their order.

    :param numbering: the root of numbering.xml, or None.
    :param styles: the root of styles.xml, whose styles may number their paragraphs.
    """

    def __init__(self, numbering: Any, styles: Any) -> None:
        self._lists: dict[str, _List] = {}
        self._of_number: dict[str, tuple[str, dict[int, int]]] = {}
        self._begun: set[tuple[str, int]] = set()
        self._styles = {
            style.get(f"{W}styleId", ""): style for style in styles.iterchildren(f"{W}style")
        }
        if numbering is not None:
            self._read(numbering)

    def number(self, paragraph: Any) -> str:
        """The number before a paragraph, as Word shows it ("2.1", "(a)"); "" for none and for bullets that are no boxes."""
        number, level = self._named(paragraph)
        identity, starts = self._of_number.get(number, ("", {}))
        found = self._lists.get(identity)
        if found is None or level not in found.levels:
            return ""
        first = None
        if level in starts and (number, level) not in self._begun:
            self._begun.add((number, level))
            first = starts[level]
        return found.count(level, first)

    def _read(self, numbering: Any) -> None:
        linked, links = {}, {}
        for abstract in numbering.iterchildren(f"{W}abstractNum"):
            identity = abstract.get(f"{W}abstractNumId", "")
            self._lists[identity] = _List(dict(_levels(abstract)))
            linked[_value(abstract.find(f"{W}styleLink"))] = identity
            links[identity] = _value(abstract.find(f"{W}numStyleLink"))
        for number in numbering.iterchildren(f"{W}num"):
            identity = _value(number.find(f"{W}abstractNumId"))
            if links.get(identity):
                identity = linked.get(links[identity], identity)
            starts: dict[int, int] = {}
            for change in number.iterchildren(f"{W}lvlOverride"):
                level = _integer(change.get(f"{W}ilvl"), 0)
                start = _value(change.find(f"{W}startOverride"))
                if start:
                    starts[level] = _integer(start, 1)
                if any(True for _ in change.iterchildren(f"{W}lvl")) and identity in self._lists:
                    own = {**self._lists[identity].levels, **dict(_levels(change))}
                    identity = f"{identity} of {number.get(f'{W}numId')}"
                    self._lists[identity] = _List(own)
            self._of_number[number.get(f"{W}numId", "")] = (identity, starts)

    def _named(self, paragraph: Any) -> tuple[str, int]:
        """The list and the level that a paragraph names, or its style, or what that is based on."""
        number, level, style = _numbered(paragraph)
        identity = style or "Normal"
        for _ in range(_BASED_ON):
            found = self._styles.get(identity)
            if found is None or (number and level is not None):
                break
            of_style, level_of_style, _ = _numbered(found)
            if not number and of_style:
                number = of_style
                if level is None and level_of_style is None:
                    level_of_style = self._linked_level(number, identity)
            level = level_of_style if level is None else level
            identity = _value(found.find(f"{W}basedOn"))
        return number, level or 0

    def _linked_level(self, number: str, style: str) -> int | None:
        levels = self._lists.get(self._of_number.get(number, ("", {}))[0])
        if levels is None:
            return None
        return next((i for i, level in levels.levels.items() if level.style == style), None)


class FieldNumbers:
    r"""Counts the fields LISTNUM of a part of a document where their numbers are certain, and otherwise none.

    They are where each names its level and the same one of Word's three built-in lists; how Word goes on from one list to
    another, or finds a level by the paragraph, is written down nowhere.

    >>> said = ["LISTNUM NumberDefault \\l 6", "LISTNUM NumberDefault \\l 6 \\s 5"]
    >>> numbers = FieldNumbers(said)
    >>> [numbers.number(one) for one in said], FieldNumbers([*said, "LISTNUM"]).number(said[0])
    (['(i)', '(v)'], '')
    """

    def __init__(self, instructions: Iterable[str] = ()) -> None:
        """:param instructions: of all fields of the part, in any order."""
        said = [
            one for one in instructions if one.split()[:1] and one.split()[0].upper() == "LISTNUM"
        ]
        names = {found[1].lower() if (found := _certain(one)) else "" for one in said}
        self._list = (
            _built_in(_BUILT_IN[names.pop()]) if len(names) == 1 and "" not in names else None
        )

    def number(self, instruction: str) -> str:
        """The number that the next field shows; "" where that is not certain."""
        found = _certain(instruction)
        if self._list is None or found is None:
            return ""
        switches = {name.lower(): int(at) for name, at in _SWITCH.findall(found[2])}
        return self._list.count(switches["l"] - 1, switches.get("s"))


def _certain(instruction: str) -> re.Match[str] | None:
    """A field LISTNUM that names a built-in list and one of its levels."""
    found = _LISTNUM.fullmatch(instruction)
    level = (
        next((int(at) for name, at in _SWITCH.findall(found[2]) if name in "lL"), 0) if found else 0
    )
    return found if found and found[1].lower() in _BUILT_IN and 0 < level <= _LEVELS else None


def _built_in(samples: str) -> _List:
    """A list of nine levels from what the first number of each looks like."""
    levels = {}
    for index, sample in enumerate(samples.split()):
        sign = sample.strip("().")
        text = sample.replace(sign, f"%{index + 1}")
        if samples == _BUILT_IN["legaldefault"]:
            text = "".join(f"%{above + 1}." for above in range(index + 1))
        levels[index] = _Level(1, _KINDS[sign], text, False, None, "", "")
    return _List(levels)


def _levels(element: Any) -> Iterator[tuple[int, _Level]]:
    for level in element.iterchildren(f"{W}lvl"):
        restart = _value(level.find(f"{W}lvlRestart"))
        index = _integer(level.get(f"{W}ilvl"), 0)
        if index < _LEVELS:
            legal = level.find(f"{W}isLgl")
            fonts = level.find(f"{W}rPr/{W}rFonts")
            yield (
                index,
                _Level(
                    start=_integer(_value(level.find(f"{W}start")), 0),
                    kind=_value(level.find(f"{W}numFmt")) or "decimal",
                    text=_value(level.find(f"{W}lvlText")),
                    decimal=legal is not None and _value(legal) not in ("0", "false"),
                    restart=_integer(restart, 0) if restart else None,
                    style=_value(level.find(f"{W}pStyle")),
                    font="" if fonts is None else str(fonts.get(f"{W}ascii", "")),
                ),
            )


def _numbered(element: Any) -> tuple[str, int | None, str]:
    """The list ("" for none named), the level and the style in the properties of a paragraph or a style."""
    number = _value(element.find(f"{W}pPr/{W}numPr/{W}numId"))
    level = _value(element.find(f"{W}pPr/{W}numPr/{W}ilvl"))
    style = _value(element.find(f"{W}pPr/{W}pStyle"))
    return number, _integer(level, 0) if level else None, style


def _shown(counted: _List, rule: _Level) -> str:
    def count(matched: re.Match[str]) -> str:
        index = int(matched[1]) - 1
        level = counted.levels.get(index)
        if level is None:
            return ""
        number = counted.counts[index]
        if number is None:
            number = counted.counts[index] = level.start
        worded = rule.decimal and level.kind != "decimalZero"
        return formatted(number, "decimal" if worded else level.kind)

    return _PLACE.sub(count, rule.text).strip()


def formatted(number: int, kind: str) -> str:
    """A number in one of Word's formats; what is none of the usual ones is decimal.

    >>> formatted(4, "lowerRoman"), formatted(28, "upperLetter"), formatted(7, "decimalZero")
    ('iv', 'BB', '07')
    """
    if kind.endswith("Letter") and number > 0:
        letters = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letters.upper() if kind.startswith("upper") else letters
    if kind.endswith("Roman") and 0 < number < 4000:
        digits = ""
        for value, letter in _ROMAN:
            digits += letter * (number // value)
            number %= value
        return digits.upper() if kind.startswith("upper") else digits
    if kind in ("bullet", "none"):
        return ""
    if kind == "ordinal":
        teen = number // 10 % 10 == 1
        return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"
    if kind in ("cardinalText", "ordinalText") and 0 < number < 100:
        return _worded(number, kind)
    return f"{number:02}" if kind == "decimalZero" else str(number)


def _worded(number: int, kind: str) -> str:
    """A number below a hundred in English words: Twenty-one, Twenty-first."""
    ones = _ORDINALS if kind == "ordinalText" else _CARDINALS
    if number < 20:
        return ones[number].capitalize()
    tens, rest = divmod(number, 10)
    ending = _TENS[tens - 2]
    if rest:
        return f"{ending}-{ones[rest]}".capitalize()
    return (ending[:-1] + "ieth" if kind == "ordinalText" else ending).capitalize()


def _value(element: Any) -> str:
    return "" if element is None else str(element.get(f"{W}val", ""))


def _integer(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.lstrip("-").isdecimal() else otherwise
