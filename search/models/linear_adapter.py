"""A matrix over the vectors of a model that is no SentenceTransformer: an adapter on what a server embeds, or on word
vectors.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexes.vector_index import Vectors, normalised
from search.models.encoder import Encoder, Metered

FORMAT = "matrix"
ADAPTER_OF = "adapter_of"
QUERY_ONLY = "query_only"
_FILE = "matrix.safetensors"
_NAME = "linear.weight"


class LinearAdapter:
    """Another encoder's vectors, turned by a matrix and brought to length 1; a zero vector stays zero.

    :param base: the encoder beneath.
    :param matrix: shape (dimension, dimension of the base).
    :param side: "both", or "query" where documents keep the vectors of the base.

    >>> from search.models.word_vectors import WordVectors
    >>> words = WordVectors(["rent", "due"], [1, 1], np.eye(2, dtype=np.float32), "mean")
    >>> swapped = LinearAdapter(words, np.array([[0, 1], [1, 0]], dtype=np.float32), side="query")
    >>> swapped.encode_query(["rent"]).tolist(), swapped.encode_document(["rent"]).tolist()
    ([[0.0, 1.0]], [[1.0, 0.0]])
    """

    def __init__(self, base: Encoder, matrix: Vectors, side: str = "both") -> None:
        self.base = base
        self.matrix = matrix
        self.side = side

    def encode_query(self, inputs: Sequence[str]) -> Vectors:
        """See `Encoder.encode_query`."""
        return self._turned(self.base.encode_query(inputs))

    def encode_document(self, inputs: Sequence[str]) -> Vectors:
        """See `Encoder.encode_document`."""
        vectors = self.base.encode_document(inputs)
        if self.side == "query":
            return normalised(np.asarray(vectors, dtype=np.float32))
        return self._turned(vectors)

    def admit(self, documents: Iterable[str]) -> None:
        """See `Metered.admit`."""
        if isinstance(self.base, Metered):
            self.base.admit(documents)

    def get_embedding_dimension(self) -> int:
        """How many dimensions its vectors have."""
        return len(self.matrix)

    def save(self, folder: str, **_: Any) -> None:
        """Write the matrix; the model beneath is named by the manifest."""
        from safetensors.numpy import save_file

        save_file({_NAME: np.ascontiguousarray(self.matrix)}, Path(folder) / _FILE)

    @classmethod
    def load(cls, folder: Path, base: Encoder, side: str = "both") -> "LinearAdapter":
        """What `save` wrote, over the encoder that stands beneath."""
        from safetensors.numpy import load_file

        return cls(base, load_file(folder / _FILE)[_NAME], side)

    def _turned(self, vectors: Vectors) -> Vectors:
        return normalised(np.asarray(vectors, dtype=np.float32) @ self.matrix.T)


def matrix_in(dense: Any) -> Vectors:
    """The square matrix in a Dense module: behind a base with truncate_dim, it reads the base's first numbers only."""
    weight: Vectors = dense.linear.weight.detach().cpu().numpy()
    return weight[:, : len(weight)]


def is_matrix(folder: Path) -> bool:
    """Whether a folder holds what `LinearAdapter.save` wrote."""
    return (folder / _FILE).is_file()
