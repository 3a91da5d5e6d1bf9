"""Texts as the terms that keyword search counts: words of any script, what is left out, and what is cut back to a stem.

Measured on the shared sets (`make bench`): leaving out English function words ("what", "can", "my") is what a
question gains most by, and stems help wherever nearly everything is English; they cost code-mixed text a
hundredth. So both follow the languages of the corpus (`languages`): a query is too short to tell its own.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from search.corpus.corpus import Corpus
from search.retrieval.bm25.capitals import capitals
from search.retrieval.bm25.languages import function_words, has_stems, stem
from search.retrieval.bm25.letters import spellings
from search.text.languages import ENGLISH, languages
from search.text.words import MARKS, UNSPACED, folded_words

_SAMPLE = 400  # Documents by which the language of a corpus is told.
_LETTERS = 2_000
_AT_HOME = 0.1  # The share of documents in a language from which its function words are left out;
_THROUGHOUT = (
    0.9  # that of all such languages together from which words are cut back to their stems.
)
# Scripts written without spaces, and Hangul, whose words carry their particles: pairs of letters, as Lucene's
# CJKAnalyzer takes them.
_PAIRED = UNSPACED + "\u1100-\u11ff\uac00-\ud7a3"
_RUNS = re.compile(f"([{_PAIRED}][{_PAIRED}{MARKS}]*)")
_LETTER = re.compile(f"[{_PAIRED}][{MARKS}]*")


@dataclass(frozen=True)
class Analysis:
    """How texts become terms; the same for the documents of an index and the queries that are asked of it.

    `stop_words` and `stems` are codes of languages: whose function words are left out, and whose words are cut to stems.
    Where there are several, a word has the stems of each.

    >>> Analysis(stop_words=("en",), stems=("en",)).terms("What helps against tenants?")
    ['help', 'tenant']
    >>> Analysis(stop_words=("de",), stems=("de",)).terms("Was steht in den Verträgen?")
    ['steht', 'vertrag']
    >>> Analysis().terms("東京都")
    ['東京', '京都']
    """

    stop_words: tuple[str, ...] = ()
    stems: tuple[str, ...] = ()

    def terms(self, text: str) -> list[str]:
        """The terms of a query, in order, function words left out unless it has nothing else."""
        words = [term for word in folded_words(text) for term in self.terms_of(word)]
        capitals = list(self.capitals(text, asked=True))
        telling = [term for term in words if not self.is_stop(term)]
        if not telling and capitals:  # What is ALL?
            telling = [text[start:stop].casefold() for start, stop, _ in capitals]
        return (telling or words) + [term for _, _, terms in capitals for term in terms]

    def terms_of(self, word: str) -> Sequence[str]:
        """The terms that a case-folded word of a query counts as: one, or pairs of letters in scripts without spaces."""
        return self._of(word, indexed=False)

    def indexed_terms_of(self, word: str) -> Sequence[str]:
        """The terms that a case-folded word of a document counts as: each letter of such scripts, too."""
        return self._of(word, indexed=True)

    def capitals(self, text: str, asked: bool = False) -> Iterator[tuple[int, int, list[str]]]:
        """Letters and abbreviations that are no function words though they look like one: start, stop and terms of each.

        :param asked: whether the text is a query.
        """
        for one in capitals(text, asked) if ENGLISH in self.stop_words else ():
            terms = [one.letters] if one.sure else []
            # Of "A" and "I" documents have more than letters; of the others the letter alone tells.
            if one.before and not (asked and one.sure and one.letters not in "AI"):
                terms += [f"{term} {one.letters}" for term in self._last_term(one.before)]
            yield one.start, one.stop, terms

    def is_stop(self, term: str) -> bool:
        """Whether a term is a function word, which neither counts nor makes its text longer."""
        return bool(self.stop_words) and term in function_words(self.stop_words)

    def is_light(self, term: str) -> bool:
        """Whether a term makes its text no longer: a function word, or one that repeats what other terms say."""
        capital = "A" <= term[-1:] <= "Z"
        repeats = capital or _LETTER.fullmatch(term) is not None
        return self.is_stop(term) or repeats

    def _of(self, word: str, indexed: bool) -> Sequence[str]:
        if word.isascii():
            return self._stems(word, word)
        found: list[str] = []
        known = spellings(word)
        for plain in known:
            if _RUNS.search(plain):
                parts = [part for part in _RUNS.split(plain) if part]
                found += [term for part in parts for term in _pairs(part, indexed)]
            else:
                found += self._stems(plain, word if len(known) == 1 else plain)
        return found

    def _last_term(self, word: str) -> Sequence[str]:
        return [term for folded in folded_words(word) for term in self.terms_of(folded)][-1:]

    def _stems(self, plain: str, written: str) -> Sequence[str]:
        """The stems of a word without its accents, and of the word as it is written.

        Endings have accents, and people leave them out: "informações" is found by "informação" through the stem of what is
        written, and by "informacoes" through that of what is left of it.
        """
        if not self.stems or plain in function_words(self.stems):
            return (plain,)
        found = []
        for code in self.stems:
            if code == ENGLISH:  # Its accents are foreign.
                found.append(stem(code, plain) if plain.isascii() else plain)
            else:
                found.append(stem(code, plain))
                found += spellings(stem(code, written)) if written != plain else ()
        return list(dict.fromkeys(found))


def analysis_for(corpus: Corpus) -> Analysis:
    """How the texts of a corpus become terms, by the languages of a sample of its documents."""
    step = max(len(corpus) // _SAMPLE, 1)
    documents = corpus.documents_at(range(0, len(corpus), step)[:_SAMPLE])
    found = languages([document.embedded[:_LETTERS] for document in documents])
    at_home = [one for one in found if one.share >= _AT_HOME and has_stems(one.code)]
    codes = tuple(sorted(one.code for one in at_home))
    throughout = sum(one.share for one in at_home) >= _THROUGHOUT
    return Analysis(stop_words=codes, stems=codes if throughout else ())


def _pairs(part: str, single: bool) -> list[str]:
    """Each letter with the one after it, where letters stand without spaces; any other part as it is.

    :param single: each letter on its own, too.
    """
    if not _RUNS.fullmatch(part):
        return [part]
    letters = _LETTER.findall(part)
    pairs = [a + b for a, b in pairwise(letters)]
    return [*pairs, *letters] if single else pairs or letters
