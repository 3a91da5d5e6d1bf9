"""How fast a fine-tuning learns and is measured on this machine, timed on a few real steps of the engine that will do it."""

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


@dataclass(frozen=True)
class TrainingSpeed:
    """Seconds that a model takes here.

    :param pair: to learn from one pair once more.
    :param character: to encode one character of many texts, sorted by length, as the model is used.
    :param first: what a pair takes beside that when it is learned from for the first time.
    :param measured: to encode one character in a dev measurement that is not the first; None where that is `character`.

    >>> speed = TrainingSpeed(pair=0.01, character=1e-5, first=0.02)
    >>> speed.epochs(pairs=100, count=3), speed.measurement(characters=1_000)
    (5.0, 0.01)
    """

    pair: float
    character: float
    first: float = 0.0
    measured: float | None = None

    def epochs(self, pairs: int, count: int) -> float:
        """Seconds of the steps of so many epochs over so many pairs."""
        return pairs * (count * self.pair + self.first)

    def measurement(self, characters: int) -> float:
        """Seconds of a dev measurement that is not the first; the first takes `character` for each."""
        return characters * (self.character if self.measured is None else self.measured)


def characters(texts: Iterable[str]) -> int:
    """How much of some texts a model reads."""
    return sum(min(len(text), _READ) for text in texts)


def pace(
    model: "SentenceTransformer", pairs: Sequence[Pair], dev: DevSet, settings: FineTuneSettings
) -> TrainingSpeed:
    """Time two real steps and some batches of encoding; the model's weights stay as they are.

    A fine-tuning that `ends` stops keeps the best state that it measured (see `training.fine_tune.loop.fine_tune`). So
    what is planned with these figures need not fit: what is reached in time is what is kept.
    """
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
