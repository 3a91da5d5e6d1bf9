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
FORMATS = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
"""Signs that only say how letters are drawn, joined or broken (joiners, soft hyphens, word joiners, directions: Unicode's
Default_Ignorable_Code_Point of category Cf). They part no word; the inside of a character class."""
WORD = re.compile(rf"[\w{MARKS}]+(?:[{FORMATS}]+[\w{MARKS}]+)*", re.UNICODE)
"""Matches one word: letters, digits, underscores and the marks that belong to them, with format signs inside."""
PHRASE_END = re.compile(rf"\s[-–—]+\s|[^\w{MARKS}{FORMATS}\s'’-]+|\n")
"""What ends a phrase: punctuation, a line's end, a dash between spaces. Hyphens and apostrophes do not."""
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f"
"""Letters of scripts written without spaces, where WORD finds clauses; the inside of a character class."""

_PARTING = str.maketrans({chr(c): " " for c in range(128) if not WORD.match(chr(c))})
_FORMATS = re.compile(f"[{FORMATS}]+")


def folded_words(text: str) -> list[str]:
    """The words of a text, case folded and without format signs, in order."""
    folded = text.casefold()
    # Plain English has a way five times as fast to the same words.
    if folded.isascii():
        return folded.translate(_PARTING).split()
    return WORD.findall(without_formats(folded))


def without_formats(text: str, instead: str = "") -> str:
    """A text without the signs that only say how its letters are drawn (see `FORMATS`).

    :param instead: what stands in their stead.
    """
    return text if text.isascii() else _FORMATS.sub(instead, text)


def word_runs(text: str) -> list[list[str]]:
    """The words of a text in lower case (not case folded: people read them), parted where phrases end."""
    plain = without_formats(text.lower())
    return [words for part in PHRASE_END.split(plain) if (words := WORD.findall(part))]


def shortened(text: str, limit: int) -> str:
    """A text of at most so many characters: a longer one ends in an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def has_letter(word: str) -> bool:
    """Whether a word is more than a number."""
    return any(map(str.isalpha, word))
