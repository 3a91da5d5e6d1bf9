"""Texts as the terms that keyword search counts: words of any script, and what is left out or cut back in English.

Measured on the shared sets (`make bench`): leaving out English function words ("what", "can", "my") is what a
question gains most by, and stems help wherever nearly everything is English; they cost code-mixed text a
hundredth. So both follow the language of the corpus, and no other language is touched.
"""

import re
import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from search.corpus.corpus import Corpus
from search.text.languages import ENGLISH, languages
from search.text.words import MARKS, UNSPACED, folded_words

if TYPE_CHECKING:
    from Stemmer import Stemmer

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
_SAMPLE = 400  # Documents by which the language of a corpus is told.
_LETTERS = 2_000
_AT_HOME = 0.1  # The share of English documents from which its function words are left out,
_THROUGHOUT = 0.9  # and from which words are cut back to their stems.
# Scripts written without spaces, and Hangul, whose words carry their particles: pairs of letters, as Lucene's
# CJKAnalyzer takes them.
_PAIRED = UNSPACED + "\u1100-\u11ff\uac00-\ud7a3"
_RUNS = re.compile(f"([{_PAIRED}][{_PAIRED}{MARKS}]*)")
_LETTER = re.compile(f"[{_PAIRED}][{MARKS}]*")
_ARABIC_SIGNS = re.compile("[\u0640\u064b-\u0652\u0670]")


@dataclass(frozen=True)
class Analysis:
    """How texts become terms; the same for the documents of an index and the queries that are asked of it.

    >>> Analysis(stop_words=True, stems=True).terms("What helps against tenants?")
    ['help', 'tenant']
    >>> Analysis().terms("東京都")
    ['東京', '京都']
    """

    stop_words: bool = False
    stems: bool = False

    def terms(self, text: str) -> list[str]:
        """The terms of a query, in order, function words left out unless it has nothing else."""
        found = [term for word in folded_words(text) for term in self.terms_of(word)]
        return [term for term in found if not self.is_stop(term)] or found

    def terms_of(self, word: str) -> Sequence[str]:
        """The terms that a case-folded word counts as: one, or pairs of letters in scripts without spaces."""
        if word.isascii():
            return (self._stem(word),)
        plain = _plain(word)
        if not _RUNS.search(plain):
            return (self._stem(plain) if plain.isascii() else plain,)
        return [term for part in _RUNS.split(plain) if part for term in _pairs(part)]

    def is_stop(self, term: str) -> bool:
        """Whether a term is a function word, which neither counts nor makes its text longer."""
        return self.stop_words and term in STOP_WORDS

    def _stem(self, word: str) -> str:
        if not self.stems or word in STOP_WORDS:
            return word
        return str(_english().stemWord(word))


def analysis_for(corpus: Corpus) -> Analysis:
    """How the texts of a corpus become terms, by the languages of a sample of its documents."""
    step = max(len(corpus) // _SAMPLE, 1)
    documents = corpus.documents_at(range(0, len(corpus), step)[:_SAMPLE])
    found = languages([document.embedded[:_LETTERS] for document in documents])
    share = sum(language.share for language in found if language.code == ENGLISH)
    return Analysis(stop_words=share >= _AT_HOME, stems=share >= _THROUGHOUT)


@lru_cache(maxsize=65_536)
def _plain(word: str) -> str:
    """A word without what people leave out when they type: accents of Latin letters, Arabic vowel signs.

    The marks of other scripts stay: Hindi's vowel signs are letters.
    """
    kept = []
    latin = False
    for letter in unicodedata.normalize("NFKD", word):
        if unicodedata.combining(letter):
            if latin and "\u0300" <= letter <= "\u036f":
                continue
        else:
            latin = letter.isascii() or "LATIN" in unicodedata.name(letter, "")
        kept.append(letter)
    plain = unicodedata.normalize("NFC", "".join(kept)).casefold()
    return _ARABIC_SIGNS.sub("", plain) or plain


def _pairs(part: str) -> list[str]:
    """Each letter with the one after it, where letters stand without spaces; any other part as it is."""
    if not _RUNS.fullmatch(part):
        return [part]
    letters = _LETTER.findall(part)
    return [a + b for a, b in pairwise(letters)] or letters


_LOCAL = threading.local()  # A stemmer keeps a cache, which two threads must not share.


def _english() -> "Stemmer":
    stemmer: Stemmer | None = getattr(_LOCAL, "english", None)
    if stemmer is None:
        from Stemmer import Stemmer as Snowball

        stemmer = _LOCAL.english = Snowball("english", 100_000)
    return stemmer
