"""An adapter's place: its matrix behind the base, as one model."""

from typing import Any

from indexes.vector_index import Vectors
from search.models.linear_adapter import LinearAdapter


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
    size = len(matrix)
    dense = Dense(
        size,
        size,
        bias=False,
        activation_function=torch.nn.Identity(),
        init_weight=torch.from_numpy(matrix),
    )
    behind: list[Any] = [dense, Normalize()]
    if side == "query":
        behind = [Router.for_query_document(behind, [Normalize()])]
    made = SentenceTransformer(modules=[*list(base), *behind], device=str(base.device))
    if not isinstance(base[0], StaticEmbedding):  # It reads texts of any length.
        made.max_seq_length = base.max_seq_length
    made.prompts, made.default_prompt_name = base.prompts, base.default_prompt_name
    return made


def matrix_of(model: Any) -> Vectors:
    """The matrix of an adapter, out of whatever `with_adapter` made of it."""
    if isinstance(model, LinearAdapter):
        return model.matrix
    last = model[-1]
    dense = last.sub_modules["query"][0] if side_of(model) == "query" else model[-2]
    weight: Vectors = dense.linear.weight.detach().cpu().numpy()
    return weight


def side_of(model: Any) -> str:
    """Which side of a search an adapter turns: "both" or "query"."""
    if isinstance(model, LinearAdapter):
        return model.side
    return "query" if type(model[-1]).__name__ == "Router" else "both"
