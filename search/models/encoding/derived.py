"""An adapter's index out of its base's: one matrix product instead of an encoding."""

from typing import Any

import numpy as np

from indexes.vector_index import Vectors
from search.models.encoder import Encoder
from search.models.encoding.index_vectors import vectors_of
from search.models.linear_adapter import ADAPTER_OF, AdaptedEncoder
from search.models.registry import ModelInfo, models
from search.projects.artifacts import Manifest
from search.projects.project import Project


def derived_vectors(
    project: Project, info: ModelInfo, encoder: Encoder, corpus: Manifest
) -> Vectors | None:
    """Vectors of a corpus under an adapter model, from the index of the model beneath it.

    :returns: shape (passages, dimension); None when the model is no adapter, or its base has no index of
        this corpus yet.
    """
    if info.kind == "generic":
        return None
    base = project.artifact("models", info.id).details.get(ADAPTER_OF)
    if base is None:
        return None
    known = {model.id: model.indexed_as[0] for model in models(project)}
    index = project.newest_where("indexes", corpus=corpus.id, model=known.get(base, base))
    if index is None:
        return None
    return np.asarray(vectors_of(project, index) @ _matrix(encoder).T, dtype=np.float32)


def _matrix(encoder: Any) -> Vectors:
    """The adapter's matrix: its own, or the Dense module before the last, which only normalises."""
    if isinstance(encoder, AdaptedEncoder):
        return encoder.matrix
    weight: Vectors = encoder[-2].linear.weight.detach().cpu().numpy()
    return weight
