"""What cosine costs a model that was made for another similarity, measured on the dev queries."""

from collections.abc import Sequence

import numpy as np

from indexes.vector_index import Vectors
from search.corpus.corpus import current_corpus
from search.models.load import load_encoder
from search.models.registry import ModelInfo
from search.models.similarity import SIMILARITY
from search.projects.progress import Progress, silent
from search.projects.project import Project
from search.retrieval.columns import chosen_columns, models_in
from training.data.pair_sets import PairSet
from training.dev_set import DevSet

_DOT = "dot"


def similarity_notes(
    project: Project, names: Sequence[str], progress: Progress = silent
) -> list[str]:
    """For each model that was made for another similarity than cosine: a sentence on what cosine costs it.

    :param names: columns by name; none means those of an evaluation.
    :raises Refused: for an unknown model.
    """
    found = []
    for info in models_in(project, chosen_columns(project, names)):
        if info.kind == "generic" and info.reference is not None:
            made_for = project.artifact("models", info.id).details.get(SIMILARITY)
            if made_for is not None:
                found.append(_note(project, info, str(made_for), progress))
    return found


def _note(project: Project, info: ModelInfo, made_for: str, progress: Progress) -> str:
    start = f"{info.name!r} was made for {made_for} similarity and is compared by cosine here"
    dev = dev_of(project)
    if dev is None:
        return f"{start}; without dev queries (they come with pairs), what that costs is not known."
    if made_for != _DOT:
        return f"{start}; what that costs is not measured."
    encoder = load_encoder(project, info)
    queries, documents = dev.encoded(encoder, info, progress)
    cosine = float(np.mean(dev.scores_of_vectors(queries, documents)))
    dot = float(
        np.mean(dev.scores_of_vectors(np.pad(queries, ((0, 0), (0, 1))), lengthened(documents)))
    )
    count = len(dev.query_set.queries)
    return f"{start}: {cosine:.3f} nDCG@10 by cosine on {count:,} dev queries, {dot:.3f} by dot product."


def lengthened(vectors: Vectors) -> Vectors:
    """Vectors of one length whose cosines to a query rank as the dot products of these do.

    One number more brings all to the length of the longest (Bachrach et al. 2014, "Speeding Up the Xbox Recommender System
    Using a Euclidean Transformation for Inner-Product Spaces"): shape (n, d) becomes (n, d + 1).

    >>> lengthened(np.array([[3.0, 0.0], [0.0, 5.0]])).tolist()
    [[3.0, 0.0, 4.0], [0.0, 5.0, 0.0]]
    """
    squares = np.sum(np.asarray(vectors, dtype=np.float64) ** 2, axis=1)
    more = np.sqrt(np.maximum(squares.max(initial=0.0) - squares, 0.0))
    return np.hstack([vectors, more[:, None]]).astype(np.float32)


def dev_of(project: Project) -> DevSet | None:
    """The dev queries of the newest pairs over the newest corpus; None where none has an answer there."""
    pairs = project.newest("pairs")
    if pairs is None:
        return None
    _, corpus = current_corpus(project)
    dev = DevSet.of(corpus, PairSet.load(project, pairs).dev)
    return dev if dev.query_set.queries else None
