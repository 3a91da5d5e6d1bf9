"""Letters and abbreviations in capitals that would fall to the function words: hepatitis A, WHO, ALL, schedule I.

Only the function words are looked at; of any other word it does not matter how it is written. What decides is the text
around, since "A" may be an article at the beginning of a sentence or in a title, and "I" a pronoun: no case proves
anything where all letters are capitals. People who search write in lower case, so a letter with the word before it is a
term of its own: "hepatitis a" finds hepatitis A, and "buy a house" finds nothing else than before.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from search.text.words import FORMATS, MARKS

# The words that NLTK and scikit-learn's predecessors leave out: pronouns, articles, auxiliaries, prepositions,
# question words, and what an apostrophe leaves behind.
STOP_WORDS = frozenset([
    "a", "about", "above", "after", "again", "against", "ain", "all", "am", "an", "and", "any", "are", "aren",
    "as", "at", "be", "because", "been", "before", "being", "below", "between", "both", "but", "by", "can",
    "couldn", "d", "did", "didn", "do", "does", "doesn", "doing", "don", "down", "during", "each", "few",
    "for", "from", "further", "had", "hadn", "has", "hasn", "have", "haven", "having", "he", "her", "here",
    "hers", "herself", "him", "himself", "his", "how", "i", "if", "in", "into", "is", "isn", "it", "its",
    "itself", "just", "ll", "m", "ma", "me", "mightn", "more", "most", "mustn", "my", "myself", "needn", "no",
    "nor", "not", "now", "o", "of", "off", "on", "once", "only", "or", "other", "our", "ours", "ourselves",
    "out", "over", "own", "re", "s", "same", "shan", "she", "should", "shouldn", "so", "some", "such", "t",
    "than", "that", "the", "their", "theirs", "them", "themselves", "then", "there", "these", "they", "this",
    "those", "through", "to", "too", "under", "until", "up", "ve", "very", "was", "wasn", "we", "were",
    "weren", "what", "when", "where", "which", "while", "who", "whom", "why", "will", "with", "won", "wouldn",
    "y", "you", "your", "yours", "yourself", "yourselves",
])  # fmt: skip

_OPERATORS = frozenset(["and", "or", "not"])
_DETERMINERS = frozenset(["the", "this", "that", "each", "no", "any"])
_BARE_LETTERS = (
    "dmoty"  # What an apostrophe left behind, or else letters: English has no such words.
)
# A noun before which "i" is the number 1: as often as not a lower-case question has it so.
_NUMBERED = frozenset([
    "act", "angiotensin", "annex", "appendix", "article", "axis", "bipolar", "book", "category", "chapter", "class",
    "complex", "count", "degree", "division", "edition", "exhibit", "factor", "grade", "group", "level", "mhc", "nyha",
    "paragraph", "part", "phase", "schedule", "section", "stage", "subpart", "subtitle", "table", "tier", "title",
    "topoisomerase", "type", "vol", "volume", "war",
])  # fmt: skip
_START = rf"(?<![\w{MARKS}])(?<![\w{MARKS}][{FORMATS}])"
_STOP = rf"(?![{FORMATS}]?[\w{MARKS}])"
_NO_NOUN = (
    r"\s*(?:[,;:.!?)\]/]|[-–]\w|$)|\s+(?:in|of|and|or|is|are|was|were|for|with|to|from|by|on|at|vs|versus|than|as"
    r"|during|after|before|between|without)(?![\w'’-])"
)
# Which words in capitals are function words a set tells faster than a pattern.
_IN_DOCUMENTS = re.compile(
    f"{_START}(?:[AIDMOSTY]|[A-Z]{{2,10}}|[{_BARE_LETTERS}i]|a(?={_NO_NOUN})){_STOP}"
)
_IN_QUERIES = re.compile(f"{_START}(?:[AIDMOSTYaidmoty]|[A-Z]{{2,10}}){_STOP}")
_NO_NOUN_FOLLOWS = re.compile(_NO_NOUN, re.IGNORECASE)
_WORD_BEFORE = re.compile(rf"([\w{MARKS}]+)([^\w{MARKS}]*)$")
_AROUND = 80
_JOINS = re.compile(r"[ \t\u00a0]*+,?+[ \t\u00a0]*+|[ \t\u00a0]?[-–/&+][ \t\u00a0]?")
_NUMERALS_FOLLOW = re.compile(
    r"\s*(?:,|/|-|–|&|\band\b|\bor\b|\bto\b|\bthrough\b)\s*(?:II|III|IV|V|VI)\b|[-–]\d"
)
_PHRASE_ENDS = re.compile(r"\s*(?:[,;:.)\]/]|$)")
_DOT = re.compile(r"\s?\.\s?")
_DOTTED = re.compile(r"\s?\.\s?[^\W\d_]\s?\.")
_TITLE = re.compile(r"\w (?:To|Of|The|For|In|On|And|Is|Are|Do|With|My|From|An|By|At) ")
_TOKEN = re.compile(r"[^\W\d_]+|\S")
_LONG = re.compile(r"[^\W\d_]{6}")  # Longer than abbreviations are.


class Capital(NamedTuple):
    """A letter or abbreviation from character `start` up to `stop`, in capitals, and the word `before` it, if any.

    `sure` says that it is no function word. Where it is not, only the two words together tell.

    >>> list(capitals("A test for hepatitis A."))
    [Capital(start=21, stop=22, letters='A', before='hepatitis', sure=True)]
    """

    start: int
    stop: int
    letters: str
    before: str
    sure: bool


def capitals(text: str, asked: bool = False) -> Iterator[Capital]:
    """The function words of a text that are, or may be, a letter or an abbreviation, in order.

    :param asked: the text is a query: what may be a letter counts, too, as far as documents have it after that word.

    >>> [one.letters for one in capitals("A test for hepatitis A by WHO. I had it.") if one.sure]
    ['A', 'WHO']
    """
    loud = text.isupper() and _LONG.search(text) is not None
    for match in (_IN_QUERIES if asked else _IN_DOCUMENTS).finditer(text):
        if match.group().lower() not in STOP_WORDS:
            continue
        one = _Met(text, match.start(), match.end(), loud)
        sure = one.verdict(asked)
        before = one.before if one.joined and not one.after_function_word else ""
        # Of longer words in capitals there are too many that are shouted: only letters are worth a pair.
        if sure or (sure is None and before and len(match.group()) == 1):
            yield Capital(match.start(), match.end(), match.group().upper(), before, bool(sure))


class _Met:
    """A function word where it stands."""

    def __init__(self, text: str, start: int, stop: int, loud: bool) -> None:
        self.text, self.start, self.stop, self.loud = text, start, stop, loud
        self.word = text[start:stop]
        self.after = text[stop : stop + _AROUND]
        met = _WORD_BEFORE.search(text, max(0, start - _AROUND), start)
        self.before, gap = met.groups() if met else ("", "")
        self.before_at = met.start() if met else start
        self.gap = gap
        self.joined = met is not None and _JOINS.fullmatch(gap) is not None
        self.after_function_word = self.before.lower() in STOP_WORDS

    def verdict(self, asked: bool) -> bool | None:
        """Whether it is a word of its own; None where its letters do not tell."""
        if self._contracted() or self._initial():
            return False
        if len(self.word) > 1:
            found = self._abbreviation(asked)
        elif self.word in "aA":
            found = self._letter_a()
        elif self.word in "iI":
            found = self._number_one()
        else:
            found = self._letter()
        return found

    def _contracted(self) -> bool:
        """Whether an apostrophe joins it to a word: I'm, don't, O'Brien."""
        if self.start and self.text[self.start - 1] in "'’":
            return True
        after = self.after[:2]
        return after[:1] in ("'", "’") and after[1:].isalpha() and after[1:] not in "sS"

    def _initial(self) -> bool:
        """Whether it is one of several letters with dots between them: U.S., a.m., P. T. Barnum."""
        if len(self.word) > 1:
            return False
        follows = len(self.before) == 1 and self.before.isalpha() and _DOT.fullmatch(self.gap)
        return bool(follows or _DOTTED.match(self.after))

    def _abbreviation(self, asked: bool) -> bool | None:
        if (
            self.before.isdecimal() and self.gap.isspace()
        ):  # 6 AM, 12 IN: a unit, however it is written.
            return False
        if self._shouted():
            return None
        follows = _TOKEN.match(self.after.lstrip())
        between = self.joined and not self.after_function_word and follows is not None
        operator = asked and between and self.word.lower() in _OPERATORS
        return not (operator and follows is not None and follows.group().isalpha())

    def _letter(self) -> bool:
        typed_apart = self.after_function_word and self.gap == " "  # "don t", "i m"
        loud = self.before.isupper() and len(self.before) > 1
        return not (typed_apart and (self.word.islower() or loud))

    def _letter_a(self) -> bool | None:
        alone = _NO_NOUN_FOLLOWS.match(self.after) is not None
        follows_word = self.joined and not self.after_function_word
        if self.word == "a":
            if follows_word and alone:
                return not self.before.isdecimal()  # 8 a.m.
            # Who uses capitals elsewhere means an article.
            return None if self.text[1:].islower() or self.text.isupper() else False
        if self.loud or self._shouted():
            return None
        if alone:
            return self.joined or not self.after.startswith(".")
        if not self.joined:
            return False
        if self.after_function_word:
            lower = self.before.islower() or self.before.lower() in _DETERMINERS
            return lower
        return None if self._in_title() else True

    def _number_one(self) -> bool | None:
        if _NUMERALS_FOLLOW.match(self.after) or (self.joined and self.before.lower() in _NUMBERED):
            return True
        if not self.joined or self.after_function_word:
            return False
        if self.word == "i" or self.loud or self._shouted():
            return None
        inside = re.search(r"[\w,] $", self.text[max(0, self.before_at - 2) : self.before_at])
        named = inside is not None and self.before[0].isupper()
        return named or _PHRASE_ENDS.match(self.after) is not None or None

    def _shouted(self) -> bool:
        """Whether it stands among words in capitals, where capitals prove nothing."""
        if self.loud:
            return True
        line = self.text[max(0, self.start - _AROUND) : self.start].rpartition("\n")[2]
        rest = self.after.partition("\n")[0]
        run = [self.word]
        for side in (reversed(_TOKEN.findall(line)), _TOKEN.findall(rest)):
            for token in side:
                if not token.isupper():
                    break
                run.append(token)
        functions = sum(len(word) > 1 and word.lower() in STOP_WORDS for word in run)
        return functions > 1 or any(_LONG.match(word) for word in run)

    def _in_title(self) -> bool:
        """Whether all words begin with a capital here, the articles included."""
        following = self.after.lstrip()[:1]
        around = self.text[max(0, self.start - _AROUND) : self.stop + _AROUND]
        return following.isupper() and _TITLE.search(around) is not None
