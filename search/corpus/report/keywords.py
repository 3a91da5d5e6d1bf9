"""The words and phrases that are most typical of a corpus, against the ordinary text of its language.

A term is ranked by its part of the difference between the two (pointwise Kullback-Leibler divergence;
Tomokiyo and Hurst 2003, "A language model approach to keyphrase extraction"): frequent here, and more
frequent than elsewhere. A phrase is held against what its two words would do by chance.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from search.text.languages import listed, ordinary_words
from search.text.words import has_letter

# Written without spaces between words: what stands between spaces there is a clause, not a word.
WITHOUT_SPACES = frozenset({"bo", "dz", "ja", "km", "lo", "my", "th", "wuu", "yue", "zh"})
_WORDS, _PHRASES, _NEW = 40, 25, 30
# More frequent words than this (about a hundred in English: the, of, this, would) hold sentences together and
# are nobody's terms.
_GLUE = 1e-3
_FEWEST_DOCUMENTS = 2
# In a large sample a term must stand in one document of a thousand to be typical of it.
_ONE_IN = 1_000


@dataclass(frozen=True)
class TypicalTerm:
    """A word or two-word phrase: how often it stands in the sample, and in how many of its documents.

    `times` tells how many times as frequent it is here as in ordinary text; None for a phrase, and for a
    word that ordinary text does not have.
    """

    text: str
    count: int
    documents: int
    times: float | None


@dataclass(frozen=True)
class Terms:
    """The most typical words and phrases, best first, and the most frequent words that are new.

    `against` is the code of the language they were held against; None where the main language is written
    without spaces, and no terms are told. `new_words` are unknown to the ordinary text of that language
    (names and misspellings among them); `new_share` is the share (0 to 1) of such words in the text.
    """

    against: str | None
    words: tuple[TypicalTerm, ...]
    phrases: tuple[TypicalTerm, ...]
    new_words: tuple[TypicalTerm, ...]
    new_share: float


def typical_terms(documents: Sequence[list[list[str]]], language: str | None) -> Terms:
    """The terms of a corpus; each stands in at least two documents.

    :param documents: the words of each document, parted where phrases end (see `word_runs`).
    :param language: the code of the language that most documents are in, None where it cannot be told.
        English is used where its ordinary words are not listed.
    """
    if language in WITHOUT_SPACES:
        return Terms(None, (), (), (), 0.0)
    against = listed(language)
    ordinary = _Ordinary(ordinary_words(against))
    least = max(_FEWEST_DOCUMENTS, len(documents) // _ONE_IN)
    words = _Counts.of(chain.from_iterable(runs) for runs in documents)
    known = {word for word in words.count if len(word) > 1 and has_letter(word)}
    total = sum(words.count[word] for word in known)
    typical = [word for word in known if words.spread[word] >= least]
    content = {word for word in typical if ordinary.share(word) < _GLUE}
    phrases = _Counts.of(
        [
            f"{one} {next_}"
            for run in runs
            for one, next_ in pairwise(run)
            if one in content and next_ in content
        ]
        for runs in documents
    )
    together = [phrase for phrase, number in phrases.spread.items() if number >= least]
    # 10th, 64oz and 2000chester are numbers with something behind them.
    new = [w for w in typical if not ordinary.knows(w) and not w[0].isdigit()]
    new.sort(key=lambda word: (-words.count[word], word))
    return Terms(
        against=against,
        words=words.best(content, total, ordinary)[:_WORDS],
        phrases=phrases.best(together, total, ordinary)[:_PHRASES],
        new_words=tuple(words.term(word, total, ordinary) for word in new[:_NEW]),
        new_share=sum(words.count[word] for word in new) / max(1, total),
    )


class _Ordinary:
    """How often words stand in ordinary text; an unknown one counts as the rarest known."""

    def __init__(self, shares: Mapping[str, float]) -> None:
        self._shares = shares
        self._least = min(shares.values())

    def knows(self, word: str) -> bool:
        return word in self._shares

    def share(self, term: str) -> float:
        """The share of a word; of two words, that of meeting by chance."""
        return math.prod(self._shares.get(word, self._least) for word in term.split(" "))


@dataclass(frozen=True)
class _Counts:
    """How often words or phrases stand in a sample, and in how many of its documents."""

    count: Counter[str]
    spread: Counter[str]

    @classmethod
    def of(cls, documents: Iterable[Iterable[str]]) -> "_Counts":
        made = cls(Counter(), Counter())
        for document in documents:
            one = Counter(document)
            made.count.update(one)
            made.spread.update(one.keys())
        return made

    def best(
        self, among: Iterable[str], total: int, ordinary: _Ordinary
    ) -> tuple[TypicalTerm, ...]:
        """Those that stand here more often than in ordinary text, by their part of the divergence."""
        parts = {}
        for text in among:
            share = self.count[text] / total
            parts[text] = share * math.log(share / ordinary.share(text))
        ranked = sorted(parts, key=lambda text: (-parts[text], text))
        return tuple(self.term(text, total, ordinary) for text in ranked if parts[text] > 0)

    def term(self, text: str, total: int, ordinary: _Ordinary) -> TypicalTerm:
        """One of them as it is shown."""
        times = self.count[text] / total / ordinary.share(text) if ordinary.knows(text) else None
        return TypicalTerm(text, self.count[text], self.spread[text], times)
