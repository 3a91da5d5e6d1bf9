"""A corpus as word vectors read it: words, words and phrases, or pieces learned from it."""

from collections import Counter
from collections.abc import Iterator

from search.corpus.corpus import Corpus
from search.models.word_tokenizers import Phrases, Reading, SubwordTokenizer, Words, words_of
from search.projects.progress import Progress
from training.corpus_subwords import train_subword_tokenizer, without_scraps
from training.word_vectors.settings import WordVectorSettings

_READ = 500
_PAIR_COUNT = 5


def read(
    corpus: Corpus, settings: WordVectorSettings, progress: Progress
) -> tuple[Reading, list[list[str]]]:
    """How texts are to be read, and all documents so read."""
    if settings.tokens == "pieces":
        pieces = SubwordTokenizer(
            train_subword_tokenizer(_texts(corpus, progress), settings.pieces)
        )
        return pieces, without_scraps([pieces.of(text) for text in _texts(corpus, progress)])
    sentences = [words_of(text) for text in _texts(corpus, progress)]
    return _phrases(sentences, settings.min_count) if settings.phrases else (Words(), sentences)


def _phrases(sentences: list[list[str]], min_count: int) -> tuple[Phrases, list[list[str]]]:
    """The pairs of words that stand together far more often than by chance, and the sentences so read.

    Mikolov et al. 2013, "Distributed Representations of Words and Phrases and their Compositionality", section 4.
    """
    import gensim.models.phrases

    found = gensim.models.phrases.Phrases(
        sentences, min_count=max(_PAIR_COUNT, min_count), delimiter=" "
    )
    pairs = set(found.export_phrases())
    while (
        True
    ):  # A word is in one pair only, so some pairs are read less often than they stand there.
        reading = Phrases(pairs)
        joined = [list(reading.joined(words)) for words in sentences]
        counts = Counter(word for words in joined for word in words if " " in word)
        rare = {pair for pair in pairs if counts[pair] < min_count}
        if not rare:
            return reading, joined
        pairs -= rare


def _texts(corpus: Corpus, progress: Progress) -> Iterator[str]:
    total = len(corpus)
    for start in range(0, total, _READ):
        progress(0, 0, f"reading {total:,} documents")
        yield from corpus.texts(start, start + _READ)
