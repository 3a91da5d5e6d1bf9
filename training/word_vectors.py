"""Word2Vec and FastText from scratch on a corpus, with gensim."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.corpus import Corpus
from search.errors import Refused
from search.progress import Progress
from search.word_vectors import WordVectors, words_of
from training.recipes.word_vectors import FastText, Word2Vec, WordVectorRecipe

_READ = 500
_COMMON_SAMPLE = 5_000


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
    sentences = [words_of(text) for text in _texts(corpus, progress)]
    model = _model(settings)
    model.build_vocab(corpus_iterable=sentences)
    if not len(model.wv):
        raise Refused(
            f"No word of the corpus occurs {settings.min_count} times, so there is nothing to learn. "
            "Lower min_count, or add documents."
        )
    watch = _epochs(lambda epoch: _report(epoch, model, sentences, settings, progress, after_epoch))
    progress(0, settings.epochs, f"epoch 1 of {settings.epochs}")
    model.train(
        corpus_iterable=sentences,
        total_examples=model.corpus_count,
        epochs=settings.epochs,
        callbacks=[watch],
    )
    return _pooled(model, sentences, settings)


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


def _report(
    epoch: int,
    model: Any,
    sentences: Sequence[list[str]],
    settings: WordVectorRecipe,
    progress: Progress,
    after_epoch: Callable[[int, WordVectors], dict[str, float]],
) -> None:
    if isinstance(settings, FastText):
        model.wv.adjust_vectors()  # Words are sums of their n-grams; gensim settles them only at the end.
    metrics = after_epoch(epoch, _pooled(model, sentences, settings))
    following = min(epoch + 1, settings.epochs)
    progress(epoch, settings.epochs, f"epoch {following} of {settings.epochs}", metrics or None)


def _pooled(model: Any, sentences: Sequence[list[str]], settings: WordVectorRecipe) -> WordVectors:
    """The vectors of a gensim model, with the pooling that the settings ask for."""
    words = list(model.wv.index_to_key)
    counts = [int(model.wv.get_vecattr(word, "count")) for word in words]
    subwords, ngrams = None, None
    if isinstance(settings, FastText):
        subwords = np.array(model.wv.vectors_ngrams, dtype=np.float32)
        ngrams = (settings.min_n, settings.max_n)
    vectors = np.array(model.wv.vectors, dtype=np.float32)
    plain = WordVectors(words, counts, vectors, settings.pooling, None, subwords, ngrams)
    if settings.pooling == "mean":
        return plain
    step = max(1, len(sentences) // _COMMON_SAMPLE)
    texts = [" ".join(sentence) for sentence in sentences[::step]]
    common = _common_component(plain.encode_document(texts))
    return WordVectors(words, counts, vectors, settings.pooling, common, subwords, ngrams)


def _common_component(pooled: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """The first right singular vector of the pooled texts, of length 1; None if they are all zero."""
    if not pooled.any():
        return None
    _, vectors = np.linalg.eigh((pooled.T @ pooled).astype(np.float64))
    component: NDArray[np.float32] = vectors[:, -1].astype(np.float32)
    return component
