"""Vectors on a plane: what is near stays near."""

import warnings

import numpy as np

from indexes.vector_index import Vectors
from search.insight.procrustes import Points

LANDMARKS = 2_000
"""So many points are laid out by t-SNE; the others are placed among them. All 10,000 would take minutes."""
_COMPONENTS = 50
_PERPLEXITY = 30
_STEPS = 500
_AMONG = 10
_FEWEST = 8
_CHUNK = 1_000


def laid_out(vectors: Vectors, landmarks: np.ndarray, start: Points | None = None) -> Points:
    """Places on a plane for vectors of length 1.

    t-SNE (van der Maaten and Hinton 2008) of the first 50 principal components of the landmarks, begun from the
    first two (Kobak and Berens 2019, "The art of using t-SNE for single-cell transcriptomics") or from given
    places; then each other point is set among its ten nearest landmarks, as they do with new points.

    :param vectors: shape (n, d).
    :param landmarks: the positions of those that are laid out, at least one.
    :param start: places to begin from, shape (n, 2), so that two layouts of the same documents look alike.
    :returns: shape (n, 2).
    """
    chosen = np.asarray(vectors[landmarks], dtype=np.float64)
    places = _tsne(chosen, None if start is None else start[landmarks])
    if len(landmarks) == len(vectors):
        laid = np.empty((len(vectors), 2))
        laid[landmarks] = places
        return laid
    laid = set_among(vectors, np.asarray(vectors[landmarks]), places)
    laid[landmarks] = places
    return laid


def set_among(vectors: Vectors, known: Vectors, places: Points) -> Points:
    """Places for vectors among known ones: the mean place of the ten nearest, the nearer the more.

    :param vectors: shape (n, d), of length 1 or zero.
    :param known: shape (m, d), of length 1.
    :param places: those of the known ones, shape (m, 2).
    """
    count = min(_AMONG, len(known))
    made = np.zeros((len(vectors), 2))
    for at in range(0, len(vectors), _CHUNK):
        cosines = np.asarray(vectors[at : at + _CHUNK] @ known.T, dtype=np.float64)
        near = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
        values = np.take_along_axis(cosines, near, axis=1)
        weights = np.exp((values - values.max(axis=1, keepdims=True)) / 0.05)
        weights /= weights.sum(axis=1, keepdims=True)
        made[at : at + _CHUNK] = (weights[:, :, None] * places[near]).sum(axis=1)
    return made


def _tsne(vectors: Points, start: Points | None) -> Points:
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    if len(vectors) < 3:
        return np.pad(np.arange(len(vectors), dtype=np.float64)[:, None], ((0, 0), (0, 1)))
    components = min(_COMPONENTS, len(vectors) - 1, vectors.shape[1])
    with warnings.catch_warnings():  # Equal points leave components without any spread.
        warnings.simplefilter("ignore", RuntimeWarning)
        main = PCA(components, random_state=0).fit_transform(vectors)
    main = np.nan_to_num(main)
    flat = main[:, :2] if main.shape[1] > 1 else np.pad(main, ((0, 0), (0, 1)))
    if len(vectors) < _FEWEST:
        return np.asarray(flat, dtype=np.float64)
    begin = np.asarray(flat if start is None else start, dtype=np.float64)
    begin = begin - begin.mean(axis=0)
    begin = 1e-4 * begin / (begin[:, 0].std() or 1.0)
    tsne = TSNE(
        perplexity=min(_PERPLEXITY, (len(vectors) - 1) / 3),
        init=begin.astype(np.float32),
        max_iter=_STEPS,
        random_state=0,
    )
    return np.asarray(tsne.fit_transform(main.astype(np.float32)), dtype=np.float64)
