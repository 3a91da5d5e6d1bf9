"""What a server answered before, by the text that was sent."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class Scratch:
    """Remembers vectors for as long as the process lives."""

    def __init__(self) -> None:
        self._known: dict[str, Vectors] = {}

    def get(self, texts: Sequence[str]) -> dict[str, Vectors]:
        """See `Memory.get`."""
        return {text: self._known[text] for text in texts if text in self._known}

    def put(self, texts: Sequence[str], vectors: Vectors) -> None:
        """See `Memory.put`."""
        self._known |= dict(zip(texts, vectors, strict=True))
