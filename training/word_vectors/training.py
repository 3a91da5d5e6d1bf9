"""Word2Vec and FastText from scratch on a corpus, with gensim."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from indexes.vector_index import Vectors
from search.corpus.corpus import Corpus
from search.models.word_tokenizers import Reading
from search.models.word_vectors import WordVectors
from search.projects.errors import Refused
from search.projects.progress import Progress
from training.checkpoints import Checkpoints
from training.word_vectors.checkpoint import Epoch, EpochCheckpointer
from training.word_vectors.reading import read
from training.word_vectors.settings import FastTextSettings, Word2VecSettings, WordVectorSettings

_COMMON_SAMPLE = 5_000


def train_word_vectors(
    corpus: Corpus,
    settings: WordVectorSettings,
    progress: Progress,
    after_epoch: Callable[[int, WordVectors], dict[str, float]] = lambda epoch, vectors: {},
    keeper: EpochCheckpointer | None = None,
) -> WordVectors:
    """Train word vectors on every document of a corpus (title and text).

    :param settings: `Word2VecSettings` or `FastTextSettings`.
    :param after_epoch: called with the epoch (from 1) and the vectors so far; returns numbers for a curve.
    :param keeper: keeps how far it came, and knows how far an earlier try came; has the epochs when it is over.
    :raises Refused: when no word occurs often enough to be learned.
    """
    reading, sentences = read(corpus, settings, progress)
    model = _model(settings)
    model.build_vocab(corpus_iterable=sentences)
    if not len(model.wv):
        raise Refused(
            f"No {'word piece' if settings.tokens == 'pieces' else 'word'} of the corpus occurs "
            f"{settings.min_count} times, so there is nothing to learn. "
            "Lower min_count, or add documents."
        )
    made = _Making(model, reading, sentences, settings)
    keeper = keeper or EpochCheckpointer(Checkpoints())
    before = keeper.load(model, settings.epochs)
    if before and isinstance(settings, FastTextSettings):
        model.wv.adjust_vectors()
    progress(0, settings.epochs, _going_on(0, settings.epochs))
    for epoch in before:
        _tell(epoch, settings.epochs, progress)

    def ended(number: int) -> None:
        epoch = Epoch(number, after_epoch(number, made.vectors()))
        keeper.ended(epoch)
        _tell(epoch, settings.epochs, progress)

    if len(before) < settings.epochs:
        model.train(
            corpus_iterable=sentences,
            total_examples=model.corpus_count,
            epochs=settings.epochs - len(before),
            callbacks=[_epochs(ended, len(before))],
        )
    return made.vectors()


def _tell(epoch: Epoch, epochs: int, progress: Progress) -> None:
    progress(epoch.number, epochs, _going_on(epoch.number, epochs), epoch.metrics or None)


def _going_on(done: int, epochs: int) -> str:
    return f"epoch {min(done + 1, epochs)} of {epochs}"


def _model(settings: WordVectorSettings) -> Any:
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
    if isinstance(settings, FastTextSettings):
        return gensim.models.FastText(
            min_n=settings.min_n, max_n=settings.max_n, bucket=settings.buckets, **common
        )
    assert isinstance(settings, Word2VecSettings)
    return gensim.models.Word2Vec(**common)


def _epochs(call: Callable[[int], None], done: int) -> Any:
    """A gensim callback that counts epochs on from `done`; made in a function because gensim is imported late."""
    from gensim.models.callbacks import CallbackAny2Vec

    class Epochs(CallbackAny2Vec):  # type: ignore[misc]
        """Calls back after each epoch."""

        epoch = done

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
    settings: WordVectorSettings

    def vectors(self) -> WordVectors:
        """The vectors so far, with the pooling that the settings ask for."""
        learned, settings = self.model.wv, self.settings
        words = list(learned.index_to_key)
        counts = [int(learned.get_vecattr(word, "count")) for word in words]
        subwords, ngrams = None, None
        if isinstance(settings, FastTextSettings):
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


def _common_component(pooled: Vectors) -> Vectors | None:
    """The first right singular vector of the pooled texts, of length 1; None if they are all zero."""
    if not pooled.any():
        return None
    _, vectors = np.linalg.eigh((pooled.T @ pooled).astype(np.float64))
    component: Vectors = vectors[:, -1].astype(np.float32)
    return component
