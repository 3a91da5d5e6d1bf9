"""Words of any script."""

import re
import unicodedata
from itertools import groupby


def _combining_marks() -> str:
    r"""The combining marks of the basic plane as a character class: \w leaves out Hindi's vowel signs."""
    codes = [c for c in range(0x300, 0xFFFF) if unicodedata.category(chr(c)).startswith("M")]
    ranges = []
    for _, run in groupby(enumerate(codes), key=lambda item: item[1] - item[0]):
        members = [code for _, code in run]
        ranges.append(f"{chr(members[0])}-{chr(members[-1])}")
    return "".join(ranges)


MARKS = _combining_marks()
"""They belong to the letter before them; the inside of a character class."""
WORD = re.compile(rf"[\w{MARKS}]+", re.UNICODE)
"""Matches one word: letters, digits, underscores and the marks that belong to them."""


_PARTING = str.maketrans({chr(c): " " for c in range(128) if not WORD.match(chr(c))})


def folded_words(text: str) -> list[str]:
    """The words of a text, case folded, in order."""
    folded = text.casefold()
    # Plain English has a way five times as fast to the same words.
    return folded.translate(_PARTING).split() if folded.isascii() else WORD.findall(folded)
