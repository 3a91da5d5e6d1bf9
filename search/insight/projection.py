"""Vectors on a plane, what is near staying near; and one set of points turned onto another."""

import warnings

import numpy as np
from numpy.typing import NDArray

from indexes.vector_index import Vectors

Points = NDArray[np.float64]

LANDMARKS = 2_000
"""So many points are laid out by t-SNE; the others are placed among them. All 10,000 would take minutes."""
_COMPONENTS = 50
_PERPLEXITY = 30
_STEPS = 500
_AMONG = 10
_FEWEST = 8
_CHUNK = 1_000


def laid_out(vectors: Vectors, landmarks: np.ndarray, start: Points | None = None) -> Points:
    """Coordinates on a plane for vectors of length 1.

    t-SNE (van der Maaten and Hinton 2008) of the first 50 principal components of the landmarks, begun from the
    first two (Kobak and Berens 2019, "The art of using t-SNE for single-cell transcriptomics") or from given
    coordinates; then each other point is set among its ten nearest landmarks, as they do with new points.

    :param vectors: shape (n, d).
    :param landmarks: the positions of those that are laid out, at least one.
    :param start: coordinates to begin from, shape (n, 2), so that two layouts of the same documents look alike.
    :returns: shape (n, 2).
    """
    chosen = np.asarray(vectors[landmarks], dtype=np.float64)
    coordinates = _tsne(chosen, None if start is None else start[landmarks])
    if len(landmarks) == len(vectors):
        laid = np.empty((len(vectors), 2))
        laid[landmarks] = coordinates
        return laid
    laid = set_among(vectors, np.asarray(vectors[landmarks]), coordinates)
    laid[landmarks] = coordinates
    return laid


def set_among(vectors: Vectors, known: Vectors, coordinates: Points) -> Points:
    """Coordinates for vectors among known ones: the mean of the ten nearest, the nearer the more.

    :param vectors: shape (n, d), of length 1 or zero.
    :param known: shape (m, d), of length 1.
    :param coordinates: those of the known ones, shape (m, 2).
    """
    count = min(_AMONG, len(known))
    made = np.zeros((len(vectors), 2))
    for at in range(0, len(vectors), _CHUNK):
        cosines = np.asarray(vectors[at : at + _CHUNK] @ known.T, dtype=np.float64)
        near = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
        values = np.take_along_axis(cosines, near, axis=1)
        weights = np.exp((values - values.max(axis=1, keepdims=True)) / 0.05)
        weights /= weights.sum(axis=1, keepdims=True)
        made[at : at + _CHUNK] = (weights[:, :, None] * coordinates[near]).sum(axis=1)
    return made


def aligned(moving: Points, fixed: Points, scaled: bool = False) -> Points:
    """Points turned (and mirrored) onto others, point by point.

    Orthogonal Procrustes: the matrix R that makes ||moving R - fixed|| least (Schönemann 1966, "A generalized solution of the
    orthogonal Procrustes problem"): from the singular value decomposition of moving' fixed. A turn of all points
    together, which tells nothing of their meaning, is gone afterwards. Where the dimensions differ the smaller
    set is filled up with zeros.

    :param moving: shape (n, d).
    :param fixed: shape (n, e).
    :param scaled: also shrink or stretch all points by one factor, and move their centre onto the other's.
    :returns: shape (n, max(d, e)).
    :raises ValueError: when the two have different numbers of points.
    """
    if len(moving) != len(fixed):
        raise ValueError(f"not the same number of points: {len(moving)} != {len(fixed)}")
    width = max(moving.shape[1], fixed.shape[1])
    source, target = (np.pad(p, ((0, 0), (0, width - p.shape[1]))) for p in (moving, fixed))
    centre = np.zeros(width)
    if scaled:
        centre = target.mean(axis=0)
        source, target = source - source.mean(axis=0), target - centre
    left, strengths, right = np.linalg.svd(source.T @ target)
    factor = 1.0
    if scaled and (spread := float((source**2).sum())):
        factor = float(strengths.sum()) / spread
    turned: Points = factor * source @ (left @ right) + centre
    return turned


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
