"""What every model is, whatever computes it: texts into vectors."""

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

from indexes.vector_index import Vectors


class Encoder(Protocol):
    """Texts into vectors. A SentenceTransformer satisfies it unwrapped.

    >>> import numpy as np
    >>> from search.models.word_vectors import WordVectors
    >>> encoder: Encoder = WordVectors(["rent", "due"], [1, 1], np.eye(2, dtype=np.float32), "mean")
    >>> encoder.encode_query(["Rent due", "unknown"]).tolist()
    [[0.5, 0.5], [0.0, 0.0]]
    """

    def encode_query(self, inputs: Sequence[str]) -> Vectors:
        """Vectors of queries: float32, finite, shape (n, dimension)."""
        ...

    def encode_document(self, inputs: Sequence[str]) -> Vectors:
        """Vectors of documents: float32, finite, shape (n, dimension)."""
        ...


@runtime_checkable
class Metered(Protocol):
    """An encoder that costs something for each text, such as a server that is paid by tokens.

    It remembers by itself what it encoded, on disk and before it is used.

    >>> from search.models.api.encoder import ApiEncoder
    >>> from search.models.word_vectors import WordVectors
    >>> issubclass(ApiEncoder, Metered), issubclass(WordVectors, Metered)
    (True, False)
    """

    def admit(self, documents: Iterable[str]) -> None:
        """Be told of all documents before the first is encoded.

        :raises Refused: when they are more than may be sent, with what they would cost.
        """
        ...
