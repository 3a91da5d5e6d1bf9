"""Where sentences begin and end: sentencex's rules, and none ends inside a citation or a prescription."""

import re
import unicodedata

from search.text.abbreviations import (
    ALSO_WORDS,
    BEFORE_NUMBERS,
    COPULAS,
    NEVER_LAST,
    SOMETIMES_LAST,
)
from search.text.words import MARKS

_LETTERS = rf"[^\W\d_](?:[^\W\d_]|[{MARKS}'’])*"
_LAST = re.compile(rf"(?:^|[\s(\[{{\"“‘'—–/-])({_LETTERS}\.(?:{_LETTERS}\.)*)$")
_NEXT = re.compile(rf"{_LETTERS}\.(?:{_LETTERS}\.)*(?=\s|$)")
_NUMBER = re.compile(r"[(\[]?(?:\d|[IVXLC]+\b|[A-Z]\b)|[§¶]")
_LOOKED_AT = 60
_DANDA = "।"
_INDIC = re.compile("[\u0900-\u0dff]")
_VIRAMA = 9  # Its combining class, in every script.
_CHAINS = SOMETIMES_LAST - ALSO_WORDS


def sentence_bounds(text: str) -> list[tuple[int, int]]:
    """Start and stop of each sentence of a text, in order, without the white space around it.

    >>> text = "See Fed. R. Civ. P. 12(b)(6). He left."
    >>> [text[start:stop] for start, stop in sentence_bounds(text)]
    ['See Fed. R. Civ. P. 12(b)(6).', 'He left.']
    """
    from sentencex import get_sentence_boundaries

    danda = _DANDA in text
    found: list[tuple[int, int]] = []
    # Its rules for English hold the ends of sentences of other scripts too.
    for one in get_sentence_boundaries("en", text):
        sentence = one["text"]
        if not sentence.strip():
            continue
        start = one["start_index"] + len(sentence) - len(sentence.lstrip())
        stop = one["start_index"] + len(sentence.rstrip())
        if found and _goes_on(text, found[-1][1], start, danda):
            start = found.pop()[0]
        found.append((start, stop))
    return found


def _goes_on(text: str, stop: int, start: int, danda: bool) -> bool:
    """Whether what ends at `stop` and what begins at `start` are one sentence.

    :param danda: whether the text ends sentences with that sign: then a point after one syllable shortens a word.
    """
    before, gap = text[max(0, stop - _LOOKED_AT) : stop], text[stop:start]
    after = text[start : start + _LOOKED_AT]
    if gap.count("\n") > 1:
        return False
    if not gap and before[-1] in ".'’" and (after[0].islower() or after[0].isdecimal()):
        return True  # Def.'s
    last = _LAST.search(before)
    if last is None:
        return False
    token = last.group(1)
    known = _key(token)
    if token.islower() and after[0].isalpha() and known in ALSO_WORDS:
        return False
    if _INDIC.match(token):
        last_part = known.rpartition(".")[2]
        if last_part in NEVER_LAST or ((danda or not gap) and _is_syllable(last_part)):
            return True
    numbered = known in BEFORE_NUMBERS and (len(known) > 1 or token.islower())
    if known in NEVER_LAST or (numbered and _NUMBER.match(after)):
        return True
    small = after[0].islower() or after[0] in "(&,;§¶"
    if len(known) == 1:
        earlier = _LAST.search(before[: last.start(1)].rstrip())
        leading = _key(earlier.group(1)) if earlier else ""
        return small or leading in NEVER_LAST or (_is_short(leading) and after[0].isdecimal())
    if not _is_short(known):
        return False
    following = _NEXT.match(after)
    chained = following is not None and "." not in known and _key(following.group()) in _CHAINS
    return small or after[0].isdecimal() or chained


def _is_syllable(word: str) -> bool:
    """Whether a word of an Indic script is one syllable, and none that ends sentences.

    >>> [_is_syllable(word) for word in ("ग्रा", "स्व", "है", "आया")]
    [True, True, False, False]
    """
    begun = [
        at
        for at, sign in enumerate(word)
        if unicodedata.category(sign) == "Lo"
        and (at == 0 or unicodedata.combining(word[at - 1]) != _VIRAMA)
    ]
    return len(begun) == 1 and word not in COPULAS


def _is_short(known: str) -> bool:
    """Whether something before a point is an abbreviation or an initial."""
    lists = (NEVER_LAST, BEFORE_NUMBERS, SOMETIMES_LAST)
    return len(known) == 1 or "." in known or any(known in one for one in lists)


def _key(token: str) -> str:
    return token.casefold().replace("’", "'").removesuffix(".")
