"""How foreign a vocabulary is to a model: into how many pieces it must cut the words.

A model that was made for a language keeps its frequent words whole; jargon, names and other languages fall
into pieces that mean little on their own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from search.corpus.tokenizer import UNREAD, ModelTokenizer, generic_reader
from search.text.languages import ENGLISH, ordinary_words
from search.text.words import UNSPACED, has_letter

SHREDDED = 3
_UNSPACED = re.compile(f"[{UNSPACED}]")
_SHOWN = 30
# They are 99% of the words of running text; the other two thirds of the list would take four times as long.
_FREQUENT = 100_000


@dataclass(frozen=True)
class OversegmentedWord:
    """A word of the corpus, how often it stands there, and the pieces the model reads it as."""

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


NOTHING = TokenizerFit(0.0, 0.0, 1.0, 0.0, 0.0, 0.0, ())
"""Of a model whose tokenizer is not here."""


def tokenizer_fit(counts: Mapping[str, int], reader: ModelTokenizer | None = None) -> TokenizerFit:
    """Compare a vocabulary with ordinary English, both as one model reads them.

    :param counts: how often each word stands in the corpus, words in lower case.
    :param reader: the model; None for the one that comes with Bespoke.
    """
    model = reader or generic_reader()
    cut, mean, shredded_share = _cut(counts, model)
    ordinary, ordinary_shredded = _ordinary(model)
    shredded = sorted(
        (word for word, pieces in cut.items() if len(pieces) >= SHREDDED * _words_in(word)),
        key=lambda word: (-counts[word], word),
    )
    return TokenizerFit(
        pieces_per_word=mean,
        ordinary_pieces_per_word=ordinary,
        ratio=mean / ordinary,
        shredded_share=shredded_share,
        ordinary_shredded_share=ordinary_shredded,
        unreadable_share=_unreadable(cut, counts),
        shredded=tuple(OversegmentedWord(w, counts[w], cut[w]) for w in shredded[:_SHOWN]),
    )


def fertility(counts: Mapping[str, int], reader: ModelTokenizer) -> tuple[float, float]:
    """`pieces_per_word` and `unreadable_share` of a vocabulary alone: ordinary English takes a second to count."""
    cut, mean, _ = _cut(counts, reader)
    return mean, _unreadable(cut, counts)


def _unreadable(cut: Mapping[str, tuple[str, ...]], counts: Mapping[str, int]) -> float:
    total = sum(counts[word] for word in cut)
    return sum(counts[word] for word, pieces in cut.items() if UNREAD in pieces) / max(1, total)


@lru_cache(maxsize=4)
def _ordinary(reader: ModelTokenizer) -> tuple[float, float]:
    """Word pieces a word of ordinary English, and the share of its words in three pieces or more."""
    return _ordinary_as_cut_by(reader.tokenizer.to_str())


@lru_cache(maxsize=2)
def _ordinary_as_cut_by(written: str) -> tuple[float, float]:
    """The same by a tokenizer as it is written down: many models have the same."""
    from tokenizers import Tokenizer

    reader = ModelTokenizer("", Tokenizer.from_str(written))
    _, mean, shredded = _cut(dict(islice(ordinary_words(ENGLISH).items(), _FREQUENT)), reader)
    return mean or 1.0, shredded


def _cut(
    counts: Mapping[str, float], reader: ModelTokenizer
) -> tuple[dict[str, tuple[str, ...]], float, float]:
    """The pieces of each word, the mean number of them, and the share of words in three pieces or more."""
    words = [word for word in counts if has_letter(word)]
    cut = dict(zip(words, reader.subwords(words), strict=True))
    sizes = {word: _words_in(word) for word in words}
    total = sum(counts[word] * sizes[word] for word in words) or 1
    mean = sum(counts[word] * len(pieces) for word, pieces in cut.items()) / total
    shredded = (w for w, pieces in cut.items() if len(pieces) >= SHREDDED * sizes[w])
    return cut, mean, sum(counts[word] * sizes[word] for word in shredded) / total


def _words_in(word: str) -> int:
    """How many words a run of letters holds: in scripts without spaces about one for two letters, else one."""
    return max(1, len(word) // 2) if _UNSPACED.search(word) else 1
