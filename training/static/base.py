"""A start: a tokenizer and a vector for each of its pieces, as large on average whatever it came from."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from indexes.vector_index import Vectors
from training.checkpoints import Checkpointer

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_NAME = "start"


@dataclass(frozen=True)
class StaticBase:
    """What a static model is before it learns from pairs.

    :param tokenizer: as JSON, as tokenizers writes it.
    :param vectors: one row a piece, by its id: shape (pieces, dimension).

    >>> StaticBase.of("{}", np.array([[3, 4], [0, 5]])).vectors.tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 1.0]]
    """

    tokenizer: str
    vectors: Vectors

    @classmethod
    def of(cls, tokenizer: str, vectors: Vectors) -> "StaticBase":
        """A start with vectors of length 1 in the mean, so that one learning rate fits every start.

        A factor for all changes no cosine.
        """
        lengths = np.linalg.norm(vectors, axis=1)
        mean = float(lengths[lengths > 0].mean()) if lengths.any() else 1.0
        return cls(tokenizer, np.ascontiguousarray(vectors / mean, dtype=np.float32))

    def model(self, device: str) -> "SentenceTransformer":
        """The start as a SentenceTransformer of built-in modules."""
        import torch
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import StaticEmbedding
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_str(self.tokenizer)
        tokenizer.no_truncation()
        module = StaticEmbedding(tokenizer, embedding_weights=torch.from_numpy(self.vectors.copy()))
        return SentenceTransformer(modules=[module], device=device)

    @classmethod
    def from_checkpoint(cls, checkpointer: Checkpointer) -> "StaticBase | None":
        """The start that an earlier try of the same training made, or None."""
        found = checkpointer.load(_NAME)
        return cls(found.state["tokenizer"], found.tensors["vectors"]) if found else None

    def keep(self, checkpointer: Checkpointer) -> None:
        """Remember it, so that a resumed training has the very same start."""
        checkpointer.save(_NAME, {"vectors": self.vectors}, {"tokenizer": self.tokenizer})
