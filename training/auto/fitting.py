"""A fine-tuning that fits into the time that is left: epochs, pairs, and what it steers by follow from how fast it is here."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from training.dev_set import DevSet
from training.fine_tune.speed import TrainingSpeed

_FEWEST_PAIRS = 64
_LOOKS = 0.15
"""Of the time may go into measuring the start and the blends: where texts are long, it steers by fewer of them."""
_CHECKS = 0.25
"""Of an epoch's steps go into measuring as it learns, where that is cheap (see `training.fine_tune.schedule`)."""
_LEAST_SHARE = 0.6
"""Of the pairs: rather one epoch more that sees a part of them than time that is not used."""
STEERING = (1_000, 500, 250, 125)
"""Passages that a fine-tuning steers by; what it ends with is measured on all of the dev pool."""
_ASKED = 30
"""Dev queries that it steers by at the least."""
SAFETY = 0.97
"""Of the time that seems to be there. What was timed is a sample; but what takes longer is ended, and is what it is by then."""


@dataclass(frozen=True)
class Fitted:
    """How many epochs over how many pairs fit, steering by so many passages, and what they take in seconds.

    >>> speed = TrainingSpeed(pair=0.01, character=1e-5)
    >>> fitted(speed, 9_000, {500: 100_000}, blends=1, seconds=60.01)
    Fitted(epochs=1, pairs=4496, seconds=58.2, passages=500)
    >>> fitted(speed, 1_000, {500: 100_000}, blends=1, seconds=60).seen  # Four epochs.
    4000
    """

    epochs: int
    pairs: int
    seconds: float
    passages: int

    @property
    def seen(self) -> int:
        """How many pairs it learns from, each time counted."""
        return self.epochs * self.pairs


def steered_by(dev: DevSet, passages: int) -> DevSet:
    """A part of a dev set to steer by: at most so many passages, half of them answers; fewer queries where they have more."""
    names = sorted(dev.query_set.queries)
    judged = {document for query in names for document in dev.query_set.relevant(query)}
    answers = max(1, sum(identity in judged for identity in dev.ids))
    asked = max(_ASKED, int(len(names) * passages / 2 / answers))
    # The names of queries are hashes, or in the order of a file: every so many-th is as good as any.
    step = max(1.0, len(names) / asked)
    chosen = [names[int(position * step)] for position in range(min(asked, len(names)))]
    return replace(dev, query_set=dev.query_set.only(chosen)).narrowed(passages)


def fitted(
    speed: TrainingSpeed,
    pairs: int,
    pools: Mapping[int, int],
    blends: int,
    seconds: float,
    most: int = 4,
) -> Fitted | None:
    """The longest training that fits; None where not even a short one does.

    :param pools: by how many passages it steers, how many characters one dev measurement then encodes.
    :param blends: how many measurements there are after the last epoch.
    :param seconds: how long it may take.
    :param most: epochs.
    """
    free = seconds * SAFETY

    def looks(passages: int) -> float:
        """Measuring the start and the blends."""
        pool = pools[passages]
        return pool * speed.character + blends * speed.measurement(pool)

    affordable = [n for n in pools if looks(n) <= _LOOKS * free]
    passages = max(affordable, default=min(pools))
    measure = speed.measurement(pools[passages])
    free -= looks(passages)

    def spent(epochs: int, seen: int) -> float:
        """An epoch measures itself once, and where that is cheap as often as costs a quarter of it."""
        return speed.epochs(seen, epochs) + epochs * max(measure, _CHECKS * seen * speed.pair)

    epoch = spent(2, pairs) - spent(1, pairs)
    whole = (free - pairs * speed.first) / epoch
    epochs = max(1, min(most, math.ceil(whole)))
    if epochs > 1 and whole / epochs < _LEAST_SHARE:
        epochs -= 1
    seen = (free - epochs * measure) / (epochs * speed.pair + speed.first)
    seen = min(seen, free / (epochs * (1 + _CHECKS) * speed.pair + speed.first))
    seen = min(pairs, int(seen))
    if seen < min(_FEWEST_PAIRS, pairs):
        return None
    return Fitted(epochs, seen, spent(epochs, seen) + looks(passages), passages)
