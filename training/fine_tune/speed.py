"""How fast a fine-tuning learns and is measured on this machine, timed on a few real steps of the engine that will do it."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from search.corpus.labels import Pair
from training.dev_set import DevSet
from training.fine_tune.batches import rows_of
from training.fine_tune.engines import Engine, engine_of
from training.fine_tune.settings import FineTuneSettings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_ROWS = 16
_TEXTS = 32
_READ = 1_200  # Characters of a text that a transformer reads, about.


@dataclass(frozen=True)
class TrainingSpeed:
    """Seconds that a model takes here.

    :param pair: to learn from one pair once more.
    :param character: to encode one character of many texts, sorted by length, as the model is used.
    :param first: what a pair takes beside that when it is learned from for the first time: what its frozen layers make
        of it is kept.
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
    """Time a few real steps and a batch of the dev pool; the model's weights stay as they are.

    What is planned with these figures need not fit: a fine-tuning that `ends` stops keeps the best that it measured (see
    `training.fine_tune.loop.fine_tune`), so what it needs at the least is its first few steps and two measurements.
    """
    random = np.random.default_rng(settings.seed)
    rows = rows_of([pairs[n] for n in random.permutation(len(pairs))[: 2 * _ROWS]], 1)
    texts = [dev.texts[n] for n in random.permutation(len(dev.texts))[:_TEXTS]]
    read = max(1, characters(texts))
    character = _timed(lambda: model.encode_document(texts)) / read
    with trial_steps(model, settings) as engine:
        engine.encoder.encode_document(texts)
        measured = _timed(lambda: engine.encoder.encode_document(texts)) / read
        if model.max_seq_length is not None:  # It is put back when the steps end.
            model.max_seq_length = min(model.max_seq_length, settings.sequence_length)
        engine.learn(rows[:_ROWS])  # This warms up; the next is like all that follow.
        new = rows[-_ROWS:]
        first = _timed(lambda: engine.learn(new)) / len(new)
        again = _timed(lambda: engine.learn(new)) / len(new)
    return TrainingSpeed(again, character, max(0.0, first - again), measured)


@contextmanager
def trial_steps(model: "SentenceTransformer", settings: FineTuneSettings) -> Iterator[Engine]:
    """The engine of a training, to take steps with that change nothing: gradients alone, and none are left behind."""
    length = model.max_seq_length
    engine = engine_of(model, settings)
    for module in engine.frozen:
        module.requires_grad_(False)
    try:
        yield engine
    finally:
        if length is not None:
            model.max_seq_length = length
        model.eval().requires_grad_(True)
        model.zero_grad(set_to_none=True)


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
