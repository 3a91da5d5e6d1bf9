"""The matrix that an adapter learns: whole, or the identity and a residual of low rank."""

from typing import TYPE_CHECKING

import numpy as np

from indexes.vector_index import Vectors

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
