"""The matrix that an adapter learns (whole, or the identity and a residual of low rank), and its place behind the base."""

from typing import TYPE_CHECKING, Any

import numpy as np

from indexes.vector_index import Vectors
from search.models.linear_adapter import LinearAdapter, matrix_in

if TYPE_CHECKING:
    import torch


class LearnedMatrix:
    """A square matrix that starts as the identity.

    :param size: the dimension of the vectors.
    :param rank: 0 for a whole matrix; else I + UV with U of shape (size, rank), as in Hu et al. 2021, "LoRA: Low-Rank
        Adaptation of Large Language Models": U starts at zero, V at random.
    :param random: where V is drawn from.

    >>> import torch
    >>> matrix = LearnedMatrix(size=3, rank=1, random=torch.Generator())
    >>> matrix.numbers().tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    >>> {name: tuple(part.shape) for name, part in matrix.parameters.items()}
    {'u': (3, 1), 'v': (1, 3)}
    """

    def __init__(self, size: int, rank: int, random: "torch.Generator") -> None:
        import torch

        self._identity = torch.eye(size)
        starts = {"matrix": torch.eye(size)}
        if rank:
            drawn = torch.randn(rank, size, generator=random) / size**0.5
            starts = {"u": torch.zeros(size, rank), "v": drawn}
        self.parameters = {name: torch.nn.Parameter(start) for name, start in starts.items()}

    def turned(self, vectors: "torch.Tensor") -> "torch.Tensor":
        """Vectors after the matrix: the same shape, not of length 1."""
        if "matrix" in self.parameters:
            return vectors @ self.parameters["matrix"].T
        return vectors + (vectors @ self.parameters["v"].T) @ self.parameters["u"].T

    def numbers(self) -> Vectors:
        """The matrix as it stands, shape (size, size)."""
        import torch

        with torch.no_grad():
            whole: torch.Tensor
            if "matrix" in self.parameters:
                whole = self.parameters["matrix"]
            else:
                whole = self._identity + self.parameters["u"] @ self.parameters["v"]
            result: Vectors = whole.detach().numpy().astype(np.float32, copy=True)
        return result


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
