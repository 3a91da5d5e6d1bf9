"""What a server answered before, by the text that was sent: nothing is paid for twice."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from search.corpus.corpus import embedded_key
from search.models.encoding.cache import EmbeddingStore, store_key

Vectors = NDArray[np.float32]


class Remembered:
    """The vectors of one server's model in the embedding store of the workspace.

    Every request's answer is on disk before it is used. Used by one thread at a time.

    :param fingerprint: of the model: address, name, dimensions, prompts and longest text.
    :param dimension: of its vectors.
    """

    def __init__(self, fingerprint: str, dimension: int) -> None:
        self._fingerprint = fingerprint
        self._dimension = dimension
        self._store: EmbeddingStore | None = None
        self._added: set[bytes] = set()

    def get(self, texts: Sequence[str]) -> dict[str, Vectors]:
        """See `Memory.get`."""
        keys = [store_key(embedded_key(text)) for text in texts]
        if not self._added.isdisjoint(keys):
            self.close()  # A store finds what was there when it was opened.
        vectors = np.empty((len(keys), self._dimension), dtype=np.float32)
        known = self._opened().fill(keys, vectors)
        return {text: vectors[place] for place, text in enumerate(texts) if known[place]}

    def put(self, texts: Sequence[str], vectors: Vectors) -> None:
        """See `Memory.put`."""
        keys = [store_key(embedded_key(text)) for text in texts]
        self._opened().add(keys, vectors)
        self._added.update(keys)

    def close(self) -> None:
        """Let go of the files; the next call opens them again."""
        if self._store is not None:
            self._store.close()
            self._store = None
        self._added.clear()

    def _opened(self) -> EmbeddingStore:
        if self._store is None:
            self._store = EmbeddingStore.of(self._fingerprint, self._dimension)
        return self._store
