"""Abbreviations that the texts explain themselves: "blood pressure (BP)", "BP (blood pressure)".

The algorithm is that of Schwartz and Hearst 2003, "A simple algorithm for identifying abbreviation
definitions in biomedical text": every letter of the short form is looked for from the right, and the first
one must begin a word. Two things differ. At least half of a short form's letters are upper case, else
"(Black)" behind a product would be one (so there are none in scripts without upper case). And where the letters are the first letters of the words, small words aside, those are
taken: theirs finds "Neurological Disorders and Stroke" for NINDS and forgets the National Institute.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from search.text.words import folded_words

_SHOWN = 100
_LONGEST_SHORT = 10
_BRACKETS = re.compile(r"\(([^()]{1,200})\)")
_BEFORE = 300
# What comes before these belongs to another clause.
_CLAUSE = re.compile(r"[()\[\];:\n]|[.!?]\s")
_QUOTES = ",\"'“”‘’«»„"
# of, and, the, for, des, und, der
_SMALL = 3
# electromyography and electromyogram are one thing.
_STEM = 5
_INSIDE_ENDS = re.compile(r"[,;]")


@dataclass(frozen=True)
class Expansion:
    """A long form as it most often stands, and how often it is given."""

    text: str
    count: int


@dataclass(frozen=True)
class Abbreviation:
    """A short form and everything it is said to stand for, most frequent first.

    `count` is how often the sample explains it, `documents` in how many documents.
    """

    short: str
    count: int
    documents: int
    expansions: tuple[Expansion, ...]

    @property
    def ambiguous(self) -> bool:
        """Whether two of its expansions have no word (or beginning of a word) in common."""
        stems = [{w[:_STEM] for w in folded_words(e.text)} for e in self.expansions]
        return any(one.isdisjoint(other) for one, other in combinations(stems, 2))


def abbreviations(texts: Sequence[str]) -> tuple[Abbreviation, ...]:
    """The abbreviations that texts explain, those explained in most documents first."""
    forms: dict[str, dict[tuple[str, ...], Counter[str]]] = {}
    spread: Counter[str] = Counter()
    for text in texts:
        found = definitions(text)
        for short, long in found:
            same = forms.setdefault(_singular(short), {}).setdefault(_key(long), Counter())
            same[long] += 1
        spread.update({_singular(short) for short, _ in found})
    ranked = sorted(forms, key=lambda short: (-spread[short], short))
    return tuple(_abbreviation(s, forms[s], spread[s]) for s in ranked[:_SHOWN])


def definitions(text: str) -> list[tuple[str, str]]:
    """The definitions of one text, in order, as (short form, long form)."""
    found = []
    for brackets in _BRACKETS.finditer(text):
        inside = _INSIDE_ENDS.split(brackets[1])[0].strip()
        before = _CLAUSE.split(text[max(0, brackets.start() - _BEFORE) : brackets.start()])[-1]
        words = before.split()
        if not words:
            continue
        if _is_short_form(inside):
            short, candidate = inside, " ".join(words[-_most_words(inside) :])
        else:
            short, candidate = words[-1].strip(_QUOTES), " ".join(inside.split())
            if not _is_short_form(short) or len(candidate.split()) > _most_words(short):
                continue
        for long in (_by_initials(short, candidate), _by_letters(short, candidate)):
            if long is not None and _explains(long, short):
                found.append((short, long))
                break
    return found


def _is_short_form(text: str) -> bool:
    return (
        2 <= len(text) <= _LONGEST_SHORT
        and len(text.split()) <= 2
        and text[0].isalnum()
        and any(letter.isupper() for letter in text)
        and sum(letter.isupper() for letter in text) * 2 >= sum(map(str.isalpha, text))
    )


def _most_words(short: str) -> int:
    """How many words the long form of a short form can have."""
    return min(len(short) + 5, len(short) * 2)


def _by_initials(short: str, candidate: str) -> str | None:
    """The end of `candidate` whose words begin with the letters of `short`, small words aside."""
    words = candidate.split()
    left = short.casefold()
    place = len(words)
    while left and place:
        place -= 1
        word = words[place].strip(_QUOTES).casefold()
        if word.startswith(left[-1]):
            left = left[:-1]
        elif len(word) > _SMALL:
            return None
    if left or len(words) - place < 2:
        return None
    return " ".join(words[place:]).strip(_QUOTES)


def _by_letters(short: str, candidate: str) -> str | None:
    """The shortest end of `candidate` that has the letters of `short` in order; None where there is none."""
    place = len(candidate)
    for position in range(len(short) - 1, -1, -1):
        letter = short[position].lower()
        if not letter.isalnum():
            continue
        place -= 1
        while place >= 0 and not (
            candidate[place].lower() == letter
            and (position > 0 or place == 0 or not candidate[place - 1].isalnum())
        ):
            place -= 1
        if place < 0:
            return None
    return candidate[candidate.rfind(" ", 0, place) + 1 :].strip(_QUOTES)


def _explains(long: str, short: str) -> bool:
    """Whether a long form is one: longer, not too long, and not with the short form in it."""
    words = folded_words(long)
    return (
        len(long) > len(short)
        and len(words) <= _most_words(short)
        and short.casefold() not in words
    )


def _abbreviation(
    short: str, forms: dict[tuple[str, ...], Counter[str]], documents: int
) -> Abbreviation:
    expansions = [
        Expansion(min(same, key=lambda text: (-same[text], text)), same.total())
        for same in forms.values()
    ]
    expansions.sort(key=lambda expansion: (-expansion.count, expansion.text))
    return Abbreviation(short, sum(e.count for e in expansions), documents, tuple(expansions))


def _singular(short: str) -> str:
    """UTIs are UTI."""
    return short[:-1] if short.endswith("s") and short[:-1].isupper() else short


def _key(long: str) -> tuple[str, ...]:
    """The same for long forms that differ in case, punctuation, or an s or 's at the end only."""
    words = folded_words(long)
    if len(words) > 1 and words[-1] == "s":
        words.pop()
    return (*words[:-1], words[-1].removesuffix("s"))
