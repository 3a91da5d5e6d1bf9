"""A fine-tuning that fits into the time that is left: a few real steps are timed, and epochs and pairs follow."""

from dataclasses import dataclass

from training.fine_tune.speed import TrainingSpeed

_MOST_EPOCHS = 4
_FEWEST_PAIRS = 64
SAFETY = 0.85
"""Of the time that seems to be there: what was timed is a sample."""


@dataclass(frozen=True)
class Fitted:
    """How many epochs over how many pairs fit, and what they take in seconds.

    >>> fitted(TrainingSpeed(pair=0.01, character=1e-5), pairs=9_000, pool=100_000, measurements=2, seconds=60)
    Fitted(epochs=1, pairs=4800, seconds=51.0)
    """

    epochs: int
    pairs: int
    seconds: float


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
