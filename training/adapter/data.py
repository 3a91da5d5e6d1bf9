"""What an adapter learns from: vectors of its base, computed once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Embedded:
    """Everything the training sees, as vectors of the base model.

    `queries` and `responses` have one row a pair; `negatives`, of shape (pairs, most of a pair, dimension), the
    wrong answers that came with them, zero where a pair has fewer. `documents` has one row a passage of the
    corpus, and `owners` the position of its document. `answers` is the position of a pair's document, or -1.
    `texts` tells equal queries by equal numbers. `mined`, of shape (pairs, most of a pair), are the rows of `documents`
    that are hard negatives of a pair, -1 where it has fewer; None where none were looked for.
    """

    queries: Vectors
    responses: Vectors
    negatives: Vectors
    answers: NDArray[np.int64]
    texts: NDArray[np.int64]
    documents: Vectors
    owners: NDArray[np.int64]
    dev_queries: Vectors
    mined: NDArray[np.int64] | None = None


def numbered(texts: Sequence[str]) -> NDArray[np.int64]:
    """The same number for the same text."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(text, len(numbers)) for text in texts], dtype=np.int64)
