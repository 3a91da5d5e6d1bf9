"""The vectors that an index keeps, for whatever else is made of them: an adapter's index, maps, training."""

import numpy as np

from indexes.opening import stored_vectors
from indexes.vector_index import BrokenIndex, Vectors
from search.models.encoder import Encoder
from search.models.linear_adapter import matrix_of
from search.models.registry import ModelInfo, base_of
from search.projects.artifacts import Manifest
from search.projects.errors import Damaged
from search.projects.project import Project


def vectors_of(project: Project, index: Manifest) -> Vectors:
    """All vectors of an index, by position, of length 1 or zero: shape (n, d). Mapped, not read.

    :raises Damaged: when the index is damaged, or older than the way in which vectors are kept.
    """
    folder = project.checked(index)
    try:
        return stored_vectors(folder)
    except BrokenIndex as error:
        raise Damaged(f"{error}.", folder) from error


def derived_vectors(
    project: Project, info: ModelInfo, encoder: Encoder, corpus: Manifest
) -> Vectors | None:
    """Vectors of a corpus under an adapter model, from the index of the model beneath it.

    :returns: shape (passages, dimension); None when the model is no adapter, or its base has no index of
        this corpus yet.
    """
    if info.kind == "generic":
        return None
    base = base_of(project, project.artifact("models", info.id))
    if base is None:
        return None
    index = project.newest_where("indexes", corpus=corpus.id, model=base.indexed_as[0])
    if index is None:
        return None
    return np.asarray(vectors_of(project, index) @ matrix_of(encoder).T, dtype=np.float32)


def how_encoded(project: Project, info: ModelInfo) -> str | None:
    """In a sentence: what computed the vectors, how fast, and why it was chosen; None before the first index."""
    identity, fingerprint = info.indexed_as
    for index in project.all_where("indexes", {"fingerprint": fingerprint}, model=identity):
        facts = index.details.get("encoding", {})
        if info.documents_as is not None:
            return f"It turns queries only: the index of {index.details['model']} serves as it is."
        if facts.get("backend") == "matrix":
            return f"Ready to search at once: its vectors come from those of its start, in {facts['seconds']:.1f} s."
        if "backend" in facts:
            why = f": {facts['why']}" if "why" in facts else ""
            return (
                f"Encoded with {facts['backend']}, {facts['passages_a_second']:,.0f} passages a second"
                f"{why}."
            )
    return None
