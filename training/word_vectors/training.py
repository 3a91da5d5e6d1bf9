"""Word2Vec and FastText from scratch on a corpus, with gensim.

gensim's own files are pickles. What its training goes on from is little: the vectors, those of the output layer, the
state of its random numbers, and how far the learning rate came down; the vocabulary follows from the corpus again. A
training that was killed ends as the same vectors (with one thread).
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexes.vector_index import Vectors
from search.corpus.corpus import Corpus
from search.models.word_tokenizers import Phrases, Reading, SubwordTokenizer, Words, words_of
from search.models.word_vectors import WordVectors
from search.projects.errors import Refused
from search.projects.progress import Progress
from training.checkpoints import Checkpoint, Checkpointer
from training.corpus_subwords import train_subword_tokenizer, without_scraps
from training.word_vectors.settings import FastTextSettings, Word2VecSettings, WordVectorSettings

_COMMON_SAMPLE = 5_000
_READ = 500  # Documents at once.
_PAIR_COUNT = 5
_NAME, _RANDOM = "epoch", "random"
_KEEP_EVERY = 10.0  # Seconds between two checkpoints, where epochs are shorter.


@dataclass(frozen=True)
class Epoch:
    """What was measured after an epoch (from 1).

    >>> Epoch(1, {"dev ndcg@10": 0.5}).metrics
    {'dev ndcg@10': 0.5}
    """

    number: int
    metrics: dict[str, float]


def train_word_vectors(
    corpus: Corpus,
    settings: WordVectorSettings,
    progress: Progress,
    after_epoch: Callable[[int, WordVectors], dict[str, float]] = lambda epoch, vectors: {},
    checkpointer: Checkpointer | None = None,
) -> tuple[WordVectors, list[Epoch]]:
    """Train word vectors on every document of a corpus (title and text).

    :param settings: `Word2VecSettings` or `FastTextSettings`.
    :param after_epoch: called with the epoch (from 1) and the vectors so far; returns numbers for a curve.
    :param checkpointer: keeps how far it came, and knows how far an earlier try came.
    :returns: the vectors, and the epochs, those of an earlier try too.
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
    vectors = partial(_word_vectors, model, reading, sentences, settings)
    checkpointer = checkpointer or Checkpointer()
    epochs = _resumed(model, checkpointer.load(_NAME), settings.epochs)
    before = len(epochs)
    if before and isinstance(settings, FastTextSettings):
        model.wv.adjust_vectors()
    for epoch in (Epoch(0, {}), *epochs):
        _tell(epoch, settings.epochs, progress)

    def ended(number: int) -> None:
        epochs.append(epoch := Epoch(number, after_epoch(number, vectors())))
        if number == before + 1 or checkpointer.is_due(_KEEP_EVERY):
            state = {
                "position": int(model.random.get_state()[2]),
                "epochs": [[one.number, one.metrics] for one in epochs],
            }
            checkpointer.save(_NAME, _tensors(model), state)
        _tell(epoch, settings.epochs, progress)

    if before < settings.epochs:
        model.train(
            corpus_iterable=sentences,
            total_examples=model.corpus_count,
            epochs=settings.epochs - before,
            callbacks=[_epochs(ended, before)],
        )
    return vectors(), epochs


def _tensors(model: Any) -> dict[str, NDArray[Any]]:
    """The arrays of a gensim model that training changes, and those of its random numbers."""
    tensors: dict[str, NDArray[Any]] = {
        "vectors": model.wv.vectors,
        "output": model.syn1neg,
        _RANDOM: np.asarray(model.random.get_state()[1]),
    }
    for name in ("vectors_vocab", "vectors_ngrams"):
        if getattr(model.wv, name, None) is not None:
            tensors[name] = getattr(model.wv, name)
    return tensors


def _resumed(model: Any, saved: Checkpoint | None, of: int) -> list[Epoch]:
    """Bring a model to where an earlier try came; the epochs of that, none where there was no such try.

    :param model: with its vocabulary built.
    :param of: how many epochs there will be in all.
    """
    own = _tensors(model)
    if saved is None or any(
        name not in saved.tensors or saved.tensors[name].shape != own[name].shape for name in own
    ):
        return []
    for name, tensor in own.items():
        if name != _RANDOM:
            tensor[...] = saved.tensors[name]
    state = list(model.random.get_state())
    state[1], state[2] = saved.tensors[_RANDOM], int(saved.state["position"])
    model.random.set_state(tuple(state))
    epochs = [Epoch(int(number), metrics) for number, metrics in saved.state["epochs"]]
    _slow_down_from(model, len(epochs), of)
    return epochs


def _slow_down_from(model: Any, done: int, of: int) -> None:
    """Let the learning rate go on from where it was: gensim counts the epochs of one call only."""

    def rate(share: float, epoch: int) -> float:
        gone = (done + epoch + share) / of
        low, high = model.min_alpha, model.alpha
        model.min_alpha_yet_reached = max(low, high - (high - low) * gone)
        return float(model.min_alpha_yet_reached)

    model._get_next_alpha = rate


def _tell(epoch: Epoch, epochs: int, progress: Progress) -> None:
    message = f"epoch {min(epoch.number + 1, epochs)} of {epochs}"
    progress(epoch.number, epochs, message, epoch.metrics or None)


def _model(settings: WordVectorSettings) -> Any:
    import gensim.models

    shared = {"vector_size", "window", "min_count", "workers", "seed", "epochs"}
    common = settings.model_dump(include=shared) | {"sg": int(settings.algorithm == "skip-gram")}
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


def _word_vectors(
    model: Any, reading: Reading, sentences: Sequence[list[str]], settings: WordVectorSettings
) -> WordVectors:
    """The vectors of a gensim model as they stand, with the pooling that the settings ask for."""
    learned = model.wv
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
        step = max(1, len(sentences) // _COMMON_SAMPLE)
        plain = WordVectors(words, counts, rows, "sif", None, subwords, ngrams, reading)
        common = _common_component(plain.pooled(sentences[::step]))
    return WordVectors(words, counts, rows, settings.pooling, common, subwords, ngrams, reading)


def _common_component(pooled: Vectors) -> Vectors | None:
    """The first right singular vector of the pooled texts, of length 1; None if they are all zero."""
    if not pooled.any():
        return None
    _, vectors = np.linalg.eigh((pooled.T @ pooled).astype(np.float64))
    component: Vectors = vectors[:, -1].astype(np.float32)
    return component


def _read(
    corpus: Corpus, settings: WordVectorSettings, progress: Progress
) -> tuple[Reading, list[list[str]]]:
    """How texts are to be read, and all documents so read."""
    if settings.tokens == "pieces":
        trained = train_subword_tokenizer(_texts(corpus, progress), settings.pieces)
        pieces = SubwordTokenizer(trained)
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
    # A word is in one pair only, so some pairs are read less often than they stand there.
    while True:
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
