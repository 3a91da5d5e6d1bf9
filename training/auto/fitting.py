"""A fine-tuning that fits into the time that is left: a few real steps are timed, and epochs and pairs follow."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from search.readers.pairs import Pair
from training.dev import DevSet
from training.fine_tune.losses import ranking_loss
from training.recipes.fine_tune import FineTune

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_ROWS = 16
_TEXTS = 32
_MOST_EPOCHS = 4
_FEWEST_PAIRS = 64
SAFETY = 0.85
"""Of the time that seems to be there: what was timed is a sample."""


@dataclass(frozen=True)
class Pace:
    """Seconds that a model takes here.

    :param pair: to learn from one pair.
    :param text: to encode one text of the dev pool.
    """

    pair: float
    text: float


@dataclass(frozen=True)
class Fitted:
    """How many epochs over how many pairs fit, and what they take in seconds."""

    epochs: int
    pairs: int
    seconds: float


def pace_of(
    model: "SentenceTransformer", pairs: Sequence[Pair], dev: DevSet, settings: FineTune
) -> Pace:
    """Time two real steps and one batch of encoding; the model's weights stay as they are."""
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
    texts = [dev.texts[n] for n in random.permutation(len(dev.texts))[:_TEXTS]]
    started = time.perf_counter()
    model.encode_document(texts)
    # The first step warms up; the second is like all that follow.
    return Pace(pair=taken[-1], text=(time.perf_counter() - started) / len(texts))


def fitted(pace: Pace, pairs: int, pool: int, measurements: int, seconds: float) -> Fitted | None:
    """The longest training that fits; None where not even a short one does.

    :param pool: how many texts one dev measurement encodes.
    :param measurements: how many there are beside the one after each epoch.
    :param seconds: how long it may take.
    """
    measure = pool * pace.text
    free = seconds * SAFETY - measurements * measure
    epoch = pairs * pace.pair
    epochs = min(_MOST_EPOCHS, int(free // (epoch + measure)))
    if epochs < 1:
        pairs = int((free - measure) / pace.pair)
        if pairs < _FEWEST_PAIRS:
            return None
        epochs, epoch = 1, pairs * pace.pair
    return Fitted(epochs, pairs, epochs * (epoch + measure) + measurements * measure)
