"""How far a training of word vectors came, kept after the first epoch, and then after one now and then.

gensim's own files are pickles. What its training goes on from is little: the vectors, those of the output layer, the
state of its random numbers, and how far the learning rate came down; the vocabulary follows from the corpus again. A
training that was killed ends as the same vectors (with one thread).
"""

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.checkpoints import Checkpoints

_NAME = "epoch"
_KEEP_EVERY = 10.0  # Seconds between two checkpoints, where epochs are shorter.
_RANDOM = "random"


@dataclass(frozen=True)
class Epoch:
    """What was measured after an epoch (from 1)."""

    number: int
    metrics: dict[str, float]


class EpochCheckpointer:
    """Keeps a gensim model in training; `epochs` are those that it made so far."""

    def __init__(self, checkpoints: Checkpoints) -> None:
        self._checkpoints = checkpoints
        self._saved = -math.inf
        self._model: Any = None
        self.epochs: list[Epoch] = []

    def load(self, model: Any, of: int) -> list[Epoch]:
        """Bring a model to where an earlier try came; the epochs of that, none where there was no such try.

        :param model: with its vocabulary built.
        :param of: how many epochs there will be in all.
        """
        self._model = model
        found = self._checkpoints.load(_NAME)
        own = self._tensors()
        if found is None or any(
            name not in found.tensors or found.tensors[name].shape != own[name].shape
            for name in own
        ):
            return []
        for name, tensor in own.items():
            if name != _RANDOM:
                tensor[...] = found.tensors[name]
        state = list(model.random.get_state())
        state[1], state[2] = found.tensors[_RANDOM], int(found.state["position"])
        model.random.set_state(tuple(state))
        self.epochs = [Epoch(int(number), metrics) for number, metrics in found.state["epochs"]]
        _slow_down_from(model, len(self.epochs), of)
        return list(self.epochs)

    def ended(self, epoch: Epoch) -> None:
        """An epoch is over: keep the model, unless that was done a moment ago."""
        self.epochs.append(epoch)
        if time.monotonic() - self._saved < _KEEP_EVERY:
            return
        state = {
            "position": int(self._model.random.get_state()[2]),
            "epochs": [[one.number, one.metrics] for one in self.epochs],
        }
        self._checkpoints.save(_NAME, self._tensors(), state)
        self._saved = time.monotonic()

    def _tensors(self) -> dict[str, NDArray[Any]]:
        vectors = self._model.wv
        found: dict[str, NDArray[Any]] = {
            "vectors": vectors.vectors,
            "output": self._model.syn1neg,
            _RANDOM: np.asarray(self._model.random.get_state()[1]),
        }
        for name in ("vectors_vocab", "vectors_ngrams"):
            if getattr(vectors, name, None) is not None:
                found[name] = getattr(vectors, name)
        return found


def _slow_down_from(model: Any, done: int, of: int) -> None:
    """Let the learning rate go on from where it was: gensim counts the epochs of one call only."""

    def rate(share: float, epoch: int) -> float:
        gone = (done + epoch + share) / of
        model.min_alpha_yet_reached = max(
            model.min_alpha, model.alpha - (model.alpha - model.min_alpha) * gone
        )
        return float(model.min_alpha_yet_reached)

    model._get_next_alpha = rate
