"""Fields of Word: what they show where the file keeps no result, such as boxes of forms and inserted signs.

Source: ECMA-376 part 1, 17.16 (Fields and Hyperlinks); the field EQ by Microsoft's documentation.
"""

import re
from dataclasses import dataclass
from typing import Any

from search.corpus.readers.sign_fonts import UNKNOWN_SIGN, sign_of
from search.corpus.readers.word_numbering import FieldNumbers, W
from search.corpus.readers.word_styles import is_on, value

_SYMBOL = re.compile(r'SYMBOL\s+(0x[0-9a-f]+|\d+|\S)(?:.*?\\f\s*"?([^"\\]+))?', re.I)
_FRACTION = re.compile(r"\\f\s*+\(([^()\\,;]++)[,;]([^()\\,;]++)\)", re.I)
_MOVED = re.compile(r"\\s\s*+\\(up|do)\s*+\d*+\s*+\(([^()\\]++)\)", re.I)
_COUNTED = ("LISTNUM", "AUTONUM", "AUTONUMLGL", "AUTONUMOUT")
NUMBERS = "numbers that Word counts in fields (LISTNUM, AUTONUM)"
"""What is left out where a number is counted by a field, as a person reads it."""


@dataclass
class Field:
    """A field that has begun: its instruction, the data of a form, and what of it was seen so far."""

    data: Any = None
    instruction: str = ""
    separated: bool = False
    has_result: bool = False

    def shown(self, numbers: FieldNumbers) -> tuple[str, str]:
        """What a field shows that has no result in the file, and what of it is left out, if anything.

        :param numbers: counts the fields of this part of the document.
        """
        words = self.instruction.split()
        kind = words[0].upper() if words else ""
        if kind == "FORMCHECKBOX":
            return _box(self.data), ""
        if kind == "FORMDROPDOWN":
            return _choice(self.data), ""
        if kind == "SYMBOL" and (found := _SYMBOL.match(self.instruction.strip())):
            return sign_of(_code(found[1]), (found[2] or "").strip()), ""
        if kind == "EQ":
            return _equation(self.instruction.strip()[len("EQ") :]), ""
        number = numbers.number(self.instruction)
        return number, NUMBERS if kind in _COUNTED and not number else ""


def _code(written: str) -> int:
    if written[:2].lower() == "0x":
        return int(written, 16)
    return int(written) if written.isdecimal() and len(written) < 7 else ord(written[0])


def _box(data: Any) -> str:
    box = None if data is None else data.find(f"{W}checkBox")
    if box is None:
        return ""
    checked = box.find(f"{W}checked")
    return "☒" if is_on(box.find(f"{W}default") if checked is None else checked) else "☐"


def _choice(data: Any) -> str:
    choices = None if data is None else data.find(f"{W}ddList")
    if choices is None:
        return ""
    chosen = value(choices.find(f"{W}result")) or value(choices.find(f"{W}default")) or "0"
    entries = [value(entry) for entry in choices.iterchildren(f"{W}listEntry")]
    number = int(chosen) if chosen.isdecimal() else 0
    return entries[number] if number < len(entries) else ""


def _equation(code: str) -> str:
    """Fractions, raised and lowered parts as people type them; anything else is a sign that is not known."""
    text = _FRACTION.sub(lambda found: f"{found[1].strip()}/{found[2].strip()}", code)
    signs = {"up": "^", "do": "_"}
    text = _MOVED.sub(lambda found: f"{signs[found[1].lower()]}{found[2].strip()}", text)
    return UNKNOWN_SIGN if "\\" in text else text.strip()
