"""A SentenceTransformer in parts: prompts and tokens, the transformer, and the modules behind it."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from indexes.vector_index import Vectors
from search.models.encoding.batching import ahead, batched
from search.models.prompts import Role, prompt_of

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Features = dict[str, Any]
_LONGEST = 512
_DEPTH = 4


class Backend(Protocol):
    """Computes what the transformer makes of tokens, and the modules behind it of that."""

    name: str
    budget: int
    rows: int
    is_exact: bool
    """Whether its vectors may stand beside those of PyTorch, the reference."""

    def vectors(self, batches: Iterator[Features], role: Role) -> Iterator[Vectors]:
        """The vectors of each batch, in order: shape (texts of the batch, dimension)."""
        ...


class TorchBackend:
    """PyTorch on cuda, mps or the processor: what SentenceTransformer.encode itself computes.

    >>> from types import SimpleNamespace as Some
    >>> backend = TorchBackend(Some(device=Some(type="cuda")))
    >>> backend.name, backend.rows
    ('torch on cuda', 512)
    """

    def __init__(self, model: "SentenceTransformer") -> None:
        self._model = model
        self.is_exact = True
        on_processor = model.device.type == "cpu"
        self.name = "torch" if on_processor else f"torch on {model.device.type}"
        # A processor is fastest while the layers' work fits its caches, a graphics card when it is full.
        self.budget, self.rows = (1_024, 64) if on_processor else (32_768, 512)

    def vectors(self, batches: Iterator[Features], role: Role) -> Iterator[Vectors]:
        """The vectors of each batch, in order."""
        import torch
        from sentence_transformers.util import batch_to_device

        self._model.eval()
        for features in batches:
            with torch.inference_mode():
                on_device = batch_to_device(features, self._model.device)
                yield finished(self._model, self._model(on_device, task=role))


def finished(model: "SentenceTransformer", features: Features) -> Vectors:
    """The vectors out of what the last module left."""
    vectors = features["sentence_embedding"]
    if model.truncate_dim is not None:
        vectors = vectors[..., : model.truncate_dim]
    result: Vectors = vectors.float().cpu().numpy().astype(np.float32, copy=False)
    return result


def encode(
    model: "SentenceTransformer", backend: Backend, texts: Sequence[str], role: Role
) -> Iterator[tuple[list[int], Vectors]]:
    """Encode texts batch by batch; tokens are made in a thread ahead of the computing.

    :returns: the places of the batch's texts, and their vectors.
    """
    plan = batched(texts, backend.budget, model.max_seq_length or _LONGEST, backend.rows)
    prompt = prompt_of(model, role)

    def prepared() -> Iterator[Features]:
        for places in plan:
            yield model.preprocess([texts[place] for place in places], prompt=prompt, task=role)

    def numbers(rows: list[int], vectors: Vectors) -> Vectors:
        """No measurement has seen every batch: what is no number is computed by the reference, where that may stand in."""
        reference = isinstance(backend, TorchBackend) or not backend.is_exact
        if np.isfinite(vectors).all() or reference:
            return vectors
        again = [texts[row] for row in rows]
        features = model.preprocess(again, prompt=prompt, task=role)
        return next(TorchBackend(model).vectors(iter([features]), role))

    if len(plan) == 1:
        for places, vectors in zip(plan, backend.vectors(prepared(), role), strict=True):
            yield places, numbers(places, vectors)
        return
    with closing(ahead(prepared, _DEPTH)) as features:  # No thread outlives a cancel.
        for places, vectors in zip(plan, backend.vectors(features, role), strict=True):
            yield places, numbers(places, vectors)


def seen_as(model: "SentenceTransformer", role: Role) -> bytes:
    """What, beside the text, decides what a model sees: its prompt, and its role where that matters."""
    prompt = prompt_of(model, role) or ""
    first = model[0]
    special = ("query_length", "document_length", "query_expansion")
    routed = any(type(module).__name__ == "Router" for module in model)
    plain = (
        type(first).__name__ == "Transformer"
        and not routed
        and not any(getattr(first, name, None) for name in special)
    )
    return f"{'' if plain else role}\0{model.max_seq_length}\0{prompt}".encode()
