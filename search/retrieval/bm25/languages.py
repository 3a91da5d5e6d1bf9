"""Function words and stems by language: Snowball's stemmers (PyStemmer), and how often words stand in ordinary text.

There is a list of English function words; of other languages those words are left out that ordinary text is full of, by
the frequencies of the package wordfreq (a stop list by frequency: Luhn 1958; Fox 1989, "A Stop List for General Text").
"""

import threading
from collections.abc import Collection
from functools import lru_cache
from typing import TYPE_CHECKING

from search.retrieval.bm25.capitals import STOP_WORDS
from search.retrieval.bm25.letters import spellings
from search.text.languages import ENGLISH, language_name, listed, ordinary_words
from search.text.words import has_letter

if TYPE_CHECKING:
    from Stemmer import Stemmer

_FREQUENT = 0.0015
"""The share of all words above which one counts as a function word: see docs/benchmarks.md."""
_LOCAL = threading.local()  # A stemmer keeps a cache, which two threads must not share.


def has_stems(code: str) -> bool:
    """Whether words of a language (ISO 639) can be cut to stems."""
    return language_name(code).lower() in _algorithms()


def stem(code: str, word: str) -> str:
    """The stem of a case-folded word of a language that has stems.

    >>> stem("de", "verträge"), stem("es", "hipotecas")
    ('vertrag', 'hipotec')
    """
    known: dict[str, Stemmer] = _LOCAL.__dict__.setdefault("stemmers", {})
    if code not in known:
        from Stemmer import Stemmer as Snowball

        known[code] = Snowball(language_name(code).lower(), 100_000)
    return str(known[code].stemWord(word))


@lru_cache(maxsize=16)
def function_words(codes: Collection[str]) -> frozenset[str]:
    """The function words of languages, as they are matched: without accents.

    >>> sorted({"und", "fur", "vertrag"} & function_words(("de",)))
    ['fur', 'und']
    """
    words: set[str] = set()
    for code in codes:
        if code == ENGLISH:
            words |= STOP_WORDS
        elif listed(code) != ENGLISH:
            frequent = [
                w for w, share in ordinary_words(listed(code)).items() if share >= _FREQUENT
            ]
            words |= {part for word in frequent if has_letter(word) for part in spellings(word)}
    return frozenset(words)


@lru_cache(maxsize=1)
def _algorithms() -> frozenset[str]:
    from Stemmer import algorithms

    return frozenset(algorithms())
