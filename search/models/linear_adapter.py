"""A matrix over the vectors of another model: modules behind a SentenceTransformer; over what a server embeds, or word
vectors, an encoder of its own.

On disk an adapter is its matrix alone. Which model stands beneath is said by the manifest, and by the file of the matrix,
so that the fingerprint of the adapter covers it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexes.vector_index import Vectors, normalised
from search.models.encoder import Encoder, Metered

FORMAT = "matrix"
"""Over a model that is no SentenceTransformer."""
BEHIND = "adapter"
"""Behind a SentenceTransformer; models of before were stored whole, as "sentence-transformer"."""
ADAPTER_OF = "adapter_of"
"""In a manifest: the id of the model beneath."""
ADAPTER_BASE = "adapter_base"
"""In a manifest: name and fingerprint of the model beneath."""
QUERY_ONLY = "query_only"
_FILE = "matrix.safetensors"
_NAME = "linear.weight"
_UNTOUCHED = "identity"


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
        write_matrix(Path(folder), self.matrix)

    @classmethod
    def load(cls, folder: Path, base: Encoder, side: str = "both") -> "LinearAdapter":
        """What `save` wrote, over the encoder that stands beneath."""
        return cls(base, read_matrix(folder), side)

    def _turned(self, vectors: Vectors) -> Vectors:
        return normalised(np.asarray(vectors, dtype=np.float32) @ self.matrix.T)


def matrix_in(dense: Any) -> Vectors:
    """The square matrix in a Dense module: behind a base with truncate_dim, it reads the base's first numbers only."""
    weight: Vectors = dense.linear.weight.detach().cpu().numpy()
    return weight[:, : len(weight)]


def is_matrix(folder: Path) -> bool:
    """Whether a folder holds what `LinearAdapter.save` wrote."""
    return (folder / _FILE).is_file()


def write_matrix(folder: Path, matrix: Vectors, about: Mapping[str, Any] | None = None) -> None:
    """Write what an adapter learned, shape (d, d); of one that turns nothing, the size alone.

    :param about: what decides its vectors beside the matrix; it becomes a part of the file, so of the fingerprint.
    """
    from safetensors.numpy import save_file

    said = {"adapter": json.dumps(about, sort_keys=True)} if about else None
    learned = {_NAME: np.ascontiguousarray(matrix)}
    if np.array_equal(matrix, np.eye(len(matrix), dtype=matrix.dtype)):
        learned = {_UNTOUCHED: np.array([len(matrix)], dtype=np.int64)}
    save_file(learned, folder / _FILE, metadata=said)


def read_matrix(folder: Path) -> Vectors:
    """What `write_matrix` wrote."""
    from safetensors.numpy import load_file

    learned = load_file(folder / _FILE)
    if _UNTOUCHED in learned:
        return np.eye(int(learned[_UNTOUCHED][0]), dtype=np.float32)
    matrix: Vectors = learned[_NAME]
    return matrix


def with_adapter(base: Any, matrix: Vectors, side: str = "both") -> Any:
    """The base with the matrix behind it: a SentenceTransformer of built-in modules only, where the base is one.

    :param side: "both" for Dense and Normalize behind the base; "query" for a Router that turns queries and leaves
        documents as they are.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import (
        Dense,
        Normalize,
        Router,
        StaticEmbedding,
    )

    if not isinstance(base, SentenceTransformer):
        return LinearAdapter(base, matrix, side)
    cut, size = _cut_to(base, len(matrix)), len(matrix)

    def dense(numbers: Vectors) -> Any:
        return Dense(
            numbers.shape[1],
            size,
            bias=False,
            activation_function=torch.nn.Identity(),
            init_weight=torch.from_numpy(np.ascontiguousarray(numbers)),
        )

    behind: list[Any] = [dense(matrix @ cut), Normalize()]
    if side == "query":
        shortened = [] if cut.shape[1] == size else [dense(cut)]
        behind = [Router.for_query_document(behind, [*shortened, Normalize()])]
    made = SentenceTransformer(modules=[*list(base), *behind], device=str(base.device))
    if not isinstance(base[0], StaticEmbedding):  # It reads texts of any length.
        made.max_seq_length = base.max_seq_length
    made.prompts, made.default_prompt_name = base.prompts, base.default_prompt_name
    return made


def _cut_to(base: Any, size: int) -> Vectors:
    """What a base that was saved with truncate_dim does last, as a matrix: only the first numbers of its vectors stay.

    Modules put behind such a base see all of its numbers.
    """
    with base.truncate_embeddings(None):
        whole = base.get_embedding_dimension() or size
    return np.eye(size, max(whole, size), dtype=np.float32)


def matrix_of(model: Any) -> Vectors:
    """The matrix of an adapter, out of whatever `with_adapter` made of it."""
    if isinstance(model, LinearAdapter):
        return model.matrix
    if side_of(model) == "query":
        return matrix_in(model[-1].sub_modules["query"][0])
    return matrix_in(model[-2])


def side_of(model: Any) -> str:
    """Which side of a search an adapter turns: "both" or "query"."""
    if isinstance(model, LinearAdapter):
        return model.side
    return "query" if type(model[-1]).__name__ == "Router" else "both"
