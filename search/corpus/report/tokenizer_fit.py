"""How foreign a vocabulary is to the generic model: into how many pieces it must cut the words.

A model that was made for a language keeps its frequent words whole; jargon, names and other languages fall
into pieces that mean little on their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from search.corpus.tokenizer import subwords_of
from search.text.languages import ENGLISH, ordinary_words
from search.text.words import has_letter

SHREDDED = 3
_UNKNOWN = "[UNK]"
_SHOWN = 30
# They are 99% of the words of running text; the other two thirds of the list would take four times as long.
_FREQUENT = 100_000


@dataclass(frozen=True)
class OversegmentedWord:
    """A word of the corpus, how often it stands there, and the pieces the generic model reads it as."""

    word: str
    count: int
    pieces: tuple[str, ...]


@dataclass(frozen=True)
class TokenizerFit:
    """Word pieces of a corpus and of ordinary English; numbers are no words here.

    `pieces_per_word` and `ordinary_pieces_per_word` are means over running words, `ratio` the first over
    the second (1 is ordinary English). `shredded_share` is the share (0 to 1) of running words that are cut
    into three pieces or more, `unreadable_share` the share of those of which the model sees nothing at all.
    `shredded` are the most frequent words in three pieces or more.
    """

    pieces_per_word: float
    ordinary_pieces_per_word: float
    ratio: float
    shredded_share: float
    ordinary_shredded_share: float
    unreadable_share: float
    shredded: tuple[OversegmentedWord, ...]


def tokenizer_fit(counts: Mapping[str, int]) -> TokenizerFit:
    """Compare a vocabulary with ordinary English.

    :param counts: how often each word stands in the corpus, words in lower case.
    """
    cut, mean, shredded_share = _cut(counts)
    ordinary, ordinary_shredded = _ordinary()
    total = sum(counts[word] for word in cut)
    unreadable = sum(counts[word] for word, pieces in cut.items() if _UNKNOWN in pieces)
    shredded = sorted(
        (word for word, pieces in cut.items() if len(pieces) >= SHREDDED),
        key=lambda word: (-counts[word], word),
    )
    return TokenizerFit(
        pieces_per_word=mean,
        ordinary_pieces_per_word=ordinary,
        ratio=mean / ordinary,
        shredded_share=shredded_share,
        ordinary_shredded_share=ordinary_shredded,
        unreadable_share=unreadable / max(1, total),
        shredded=tuple(OversegmentedWord(w, counts[w], cut[w]) for w in shredded[:_SHOWN]),
    )


@lru_cache(maxsize=1)
def _ordinary() -> tuple[float, float]:
    """Word pieces a word of ordinary English, and the share of its words in three pieces or more."""
    _, mean, shredded = _cut(dict(islice(ordinary_words(ENGLISH).items(), _FREQUENT)))
    return mean, shredded


def _cut(counts: Mapping[str, float]) -> tuple[dict[str, tuple[str, ...]], float, float]:
    """The pieces of each word, the mean number of them, and the share of words in three pieces or more."""
    words = [word for word in counts if has_letter(word)]
    cut = dict(zip(words, subwords_of(words), strict=True))
    total = sum(counts[word] for word in words) or 1
    mean = sum(counts[word] * len(pieces) for word, pieces in cut.items()) / total
    shredded = sum(counts[word] for word, pieces in cut.items() if len(pieces) >= SHREDDED)
    return cut, mean, shredded / total
