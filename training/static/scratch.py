"""A start from the corpus alone: word pieces trained on it, and vectors that Word2Vec or chance gives them."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from indexes.vector_index import Vectors
from search.models.word_vectors import SIF_A
from search.projects.errors import Refused
from search.projects.progress import Progress, Stage
from training.corpus_subwords import train_subword_tokenizer
from training.static.base import StaticBase

_EPOCHS = 15
_WINDOW = 5


def scratch(
    texts: Sequence[str], pieces: int, size: int, learned: bool, seed: int, progress: Progress
) -> StaticBase:
    """A start with a tokenizer that was trained on texts.

    Frequent pieces weigh less (SIF), as in `search.models.word_vectors`.

    :param pieces: how many word pieces to learn.
    :param size: how many numbers a vector has.
    :param learned: whether Word2Vec learns the vectors; else they are drawn at random.
    :raises Refused: when the texts have no word.
    """
    progress(0, 0, "learning word pieces")
    tokenizer = train_subword_tokenizer(texts, pieces)
    count = tokenizer.get_vocab_size()
    if not count:
        raise Refused("The documents have no words, so there is nothing to learn from.")
    read = [
        [str(i) for i in encoding.ids]
        for encoding in tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    ]
    counts = Counter(chain.from_iterable(read))
    frequency = np.array([counts[str(piece)] for piece in range(count)]) / max(counts.total(), 1)
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((count, size)).astype(np.float32) / np.float32(np.sqrt(size))
    if learned:
        _learn(vectors, read, seed, Stage(progress, 0.1, 1.0))
    weights = (SIF_A / (SIF_A + frequency)).astype(np.float32)
    return StaticBase.of(tokenizer.to_str(), vectors * weights[:, None])


def _learn(vectors: Vectors, read: Sequence[Sequence[str]], seed: int, progress: Progress) -> None:
    """Put what skip-gram learns in place of the random vectors of pieces that occur."""
    from gensim.models import Word2Vec

    model: Any = Word2Vec(
        vector_size=vectors.shape[1],
        window=_WINDOW,
        min_count=1,
        sg=1,
        workers=1,  # Two threads would make two runs differ.
        seed=seed,
    )
    model.build_vocab(corpus_iterable=read)
    for epoch in range(_EPOCHS):
        progress(epoch, _EPOCHS, f"learning the pieces' vectors, epoch {epoch + 1} of {_EPOCHS}")
        # Each epoch is a call of its own: progress is where a training can be cancelled.
        model.train(
            corpus_iterable=read,
            total_examples=model.corpus_count,
            epochs=1,
            start_alpha=_rate(epoch),
            end_alpha=_rate(epoch + 1),
        )
    # Skip-gram's vectors share a direction that says nothing (Mu and Viswanath 2018, "All-but-the-Top").
    learned = model.wv.vectors - model.wv.vectors.mean(axis=0)
    scale = float(np.linalg.norm(learned, axis=1).mean()) or 1.0
    vectors[[int(piece) for piece in model.wv.index_to_key]] = learned / scale


def _rate(epoch: int) -> float:
    """Word2Vec's learning rate, which falls in a line from .025."""
    return max(0.025 * (1 - epoch / _EPOCHS), 0.0001)
