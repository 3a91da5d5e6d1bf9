"""The similarity that a model was made for. Here it is cosine everywhere; what that costs a model is told, not hidden."""

import re

import numpy as np

from indexes.vector_index import Vectors

COSINE = "cosine"
SIMILARITY = "similarity"
"""Where a manifest says which other similarity a model was made for."""
# Models whose older checkpoints do not say so in their settings, from their cards on the Hugging Face hub.
_DOT_NAMES = re.compile(r"(^|[-_.])(dot|contriever|tas-?b|dpr|ance|dragon)([-_.]|$)", re.IGNORECASE)
_UNIT = 1e-3


def made_for(said: str | None, reference: str, vectors: Vectors) -> str | None:
    """The similarity that a model was made for, where that gives other ranks than cosine; None for cosine.

    :param said: the similarity_fn_name of its settings.
    :param reference: what it is called: some models say it in their names only.
    :param vectors: a few of its vectors: where all are of length 1, nothing is lost.
    """
    lengths = np.linalg.norm(np.asarray(vectors, dtype=np.float32), axis=1)
    if bool((np.abs(lengths - 1) < _UNIT).all()):
        return None
    if said is not None:
        return None if said == COSINE else said
    last = reference.rstrip("/").rsplit("/", maxsplit=1)[-1]
    return "dot" if _DOT_NAMES.search(last) else None


def note_of(similarity: str) -> str:
    """What a person should know of a model that was made for another similarity."""
    kind = "dot products" if similarity == "dot" else f"{similarity} distances"
    return (
        f"It was made for {kind}, in which the length of a vector counts. Here all vectors are brought to length 1 and "
        "compared by cosine; what that costs is measured on the dev queries when it is indexed and evaluated."
    )
