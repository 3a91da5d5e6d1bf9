"""Word2Vec and FastText from scratch on a corpus, with gensim."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.corpus import Corpus
from search.errors import Refused
from search.progress import Progress
from search.word_reading import Phrases, Pieces, Reading, Words, words_of
from search.word_vectors import WordVectors
from training.corpus_pieces import train_pieces, without_scraps
from training.recipes.word_vectors import FastText, Word2Vec, WordVectorRecipe

_READ = 500
_COMMON_SAMPLE = 5_000
_PAIR_COUNT = 5


def train_word_vectors(
    corpus: Corpus,
    settings: WordVectorRecipe,
    progress: Progress,
    after_epoch: Callable[[int, WordVectors], dict[str, float]] = lambda epoch, vectors: {},
) -> WordVectors:
    """Train word vectors on every document of a corpus (title and text).

    :param settings: `Word2Vec` or `FastText`.
    :param after_epoch: called with the epoch (from 1) and the vectors so far; returns numbers for a curve.
    :raises Refused: when no word occurs often enough to be learned.
    """
    reading, sentences = _read(corpus, settings, progress)
    model = _model(settings)
    model.build_vocab(corpus_iterable=sentences)
    if not len(model.wv):
        raise Refused(
            f"No {'word piece' if settings.tokens == 'pieces' else 'word'} of the corpus occurs "
            f"{settings.min_count} times, so there is nothing to learn. "
            "Lower min_count, or add documents."
        )
    made = _Making(model, reading, sentences, settings)
    watch = _epochs(lambda epoch: _report(epoch, made, progress, after_epoch))
    progress(0, settings.epochs, f"epoch 1 of {settings.epochs}")
    model.train(
        corpus_iterable=sentences,
        total_examples=model.corpus_count,
        epochs=settings.epochs,
        callbacks=[watch],
    )
    return made.vectors()


def _read(
    corpus: Corpus, settings: WordVectorRecipe, progress: Progress
) -> tuple[Reading, list[list[str]]]:
    """How texts are to be read, and all documents so read."""
    if settings.tokens == "pieces":
        pieces = Pieces(train_pieces(_texts(corpus, progress), settings.pieces))
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


def _model(settings: WordVectorRecipe) -> Any:
    import gensim.models

    common: dict[str, Any] = {
        "vector_size": settings.vector_size,
        "window": settings.window,
        "min_count": settings.min_count,
        "workers": settings.workers,
        "sg": int(settings.algorithm == "skip-gram"),
        "seed": settings.seed,
        "epochs": settings.epochs,
    }
    if isinstance(settings, FastText):
        return gensim.models.FastText(
            min_n=settings.min_n, max_n=settings.max_n, bucket=settings.buckets, **common
        )
    assert isinstance(settings, Word2Vec)
    return gensim.models.Word2Vec(**common)


def _epochs(call: Callable[[int], None]) -> Any:
    """A gensim callback that counts epochs; made in a function because gensim is imported late."""
    from gensim.models.callbacks import CallbackAny2Vec

    class Epochs(CallbackAny2Vec):  # type: ignore[misc]
        """Calls back after each epoch."""

        epoch = 0

        def on_epoch_end(self, model: Any) -> None:
            self.epoch += 1
            call(self.epoch)

    return Epochs()


@dataclass(frozen=True)
class _Making:
    """A gensim model in training, and what is needed to make word vectors of it at any time."""

    model: Any
    reading: Reading
    sentences: Sequence[list[str]]
    settings: WordVectorRecipe

    def vectors(self) -> WordVectors:
        """The vectors so far, with the pooling that the settings ask for."""
        learned, settings = self.model.wv, self.settings
        words = list(learned.index_to_key)
        counts = [int(learned.get_vecattr(word, "count")) for word in words]
        subwords, ngrams = None, None
        if isinstance(settings, FastText):
            learned.adjust_vectors()  # Words are sums of their n-grams; gensim settles them only at the end.
            subwords = np.array(learned.vectors_ngrams, dtype=np.float32)
            ngrams = (settings.min_n, settings.max_n)
        rows = np.array(learned.vectors, dtype=np.float32)
        common = None
        if settings.pooling == "sif":
            step = max(1, len(self.sentences) // _COMMON_SAMPLE)
            plain = WordVectors(words, counts, rows, "sif", None, subwords, ngrams, self.reading)
            common = _common_component(plain.pooled(self.sentences[::step]))
        return WordVectors(
            words, counts, rows, settings.pooling, common, subwords, ngrams, self.reading
        )


def _report(
    epoch: int,
    made: _Making,
    progress: Progress,
    after_epoch: Callable[[int, WordVectors], dict[str, float]],
) -> None:
    metrics = after_epoch(epoch, made.vectors())
    epochs = made.settings.epochs
    progress(epoch, epochs, f"epoch {min(epoch + 1, epochs)} of {epochs}", metrics or None)


def _common_component(pooled: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """The first right singular vector of the pooled texts, of length 1; None if they are all zero."""
    if not pooled.any():
        return None
    _, vectors = np.linalg.eigh((pooled.T @ pooled).astype(np.float64))
    component: NDArray[np.float32] = vectors[:, -1].astype(np.float32)
    return component
