"""A fine-tuning that fits into the time that is left: a few real steps are timed, and epochs and pairs follow."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from search.corpus.labels import Pair
from training.dev_set import DevSet
from training.fine_tune.losses import ranking_loss
from training.fine_tune.settings import FineTuneSettings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_ROWS = 16
_TEXTS = 64
_BATCH = 16
_READ = 1_200  # Characters of a text that a transformer reads, about.
_MOST_EPOCHS = 4
_FEWEST_PAIRS = 64
SAFETY = 0.85
"""Of the time that seems to be there: what was timed is a sample."""


@dataclass(frozen=True)
class TrainingSpeed:
    """Seconds that a model takes here.

    :param pair: to learn from one pair.
    :param character: to encode one character of many texts, sorted by length.

    >>> fitted(TrainingSpeed(pair=0.01, character=1e-5), pairs=1_000, pool=100_000, measurements=2, seconds=60)
    Fitted(epochs=4, pairs=1000, seconds=46.0)
    """

    pair: float
    character: float


def characters(texts: Iterable[str]) -> int:
    """How much of some texts a model reads."""
    return sum(min(len(text), _READ) for text in texts)


@dataclass(frozen=True)
class Fitted:
    """How many epochs over how many pairs fit, and what they take in seconds.

    >>> fitted(TrainingSpeed(pair=0.01, character=1e-5), pairs=9_000, pool=100_000, measurements=2, seconds=60)
    Fitted(epochs=1, pairs=4800, seconds=51.0)
    """

    epochs: int
    pairs: int
    seconds: float


def pace_of(
    model: "SentenceTransformer", pairs: Sequence[Pair], dev: DevSet, settings: FineTuneSettings
) -> TrainingSpeed:
    """Time two real steps and some batches of encoding; the model's weights stay as they are."""
    from sentence_transformers.util import batch_to_device

    random = np.random.default_rng(settings.seed)
    chosen = [pairs[n] for n in random.permutation(len(pairs))[: 2 * _ROWS]]
    loss = ranking_loss(model, settings)
    length = model.max_seq_length
    if length is not None:
        model.max_seq_length = min(length, settings.sequence_length)
    taken = []
    for rows in (chosen[:_ROWS], chosen[-_ROWS:]):
        started = time.perf_counter()
        features = [
            batch_to_device(model.preprocess(texts), model.device)
            for texts in ([p.query for p in rows], [p.response for p in rows])
        ]
        loss(features, None).backward()
        model.zero_grad(set_to_none=True)
        taken.append((time.perf_counter() - started) / len(rows))
    if length is not None:
        model.max_seq_length = length
    chosen_texts = [dev.texts[n] for n in random.permutation(len(dev.texts))[:_TEXTS]]
    texts = sorted(chosen_texts, key=len)
    started = time.perf_counter()
    model.encode_document(texts, batch_size=_BATCH)
    spent = time.perf_counter() - started
    # The first step warms up; the second is like all that follow.
    return TrainingSpeed(pair=taken[-1], character=spent / max(1, characters(texts)))


def fitted(
    pace: TrainingSpeed, pairs: int, pool: int, measurements: int, seconds: float
) -> Fitted | None:
    """The longest training that fits; None where not even a short one does.

    :param pool: how many characters one dev measurement encodes.
    :param measurements: how many there are beside the one after each epoch.
    :param seconds: how long it may take.
    """
    measure = pool * pace.character
    free = seconds * SAFETY - measurements * measure
    epoch = pairs * pace.pair
    epochs = min(_MOST_EPOCHS, int(free // (epoch + measure)))
    if epochs < 1:
        pairs = int((free - measure) / pace.pair)
        if pairs < _FEWEST_PAIRS:
            return None
        epochs, epoch = 1, pairs * pace.pair
    return Fitted(epochs, pairs, epochs * (epoch + measure) + measurements * measure)
