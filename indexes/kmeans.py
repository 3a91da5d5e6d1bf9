"""Centroids for inverted lists, learned from a sample."""

from typing import Any

import numpy as np

from indexes.stored_vectors import StoredVectors
from indexes.vector_index import Positions, Progress, Vectors, normalised

_ROUNDS = 7
_SAMPLE = 32  # Vectors a centroid is learned from.
_MOST_LISTS = 4_096
_SEED = 1


def list_count(vectors: int) -> int:
    """How many lists so many vectors are put into.

    Four times the square root, as FAISS advises: with half as many, a search looked at twice as many vectors
    for the same recall. At most so many that a million vectors are put into them within minutes.
    """
    return max(1, min(int(4 * vectors**0.5), vectors // 8, _MOST_LISTS))


def centroids_of(
    stored: StoredVectors, positions: Positions, count: int, progress: Progress
) -> Vectors:
    """Spherical k-means over a sample: shape (count, d), of length 1.

    One round at a time, so that it can be watched and cancelled.

    :param positions: the vectors that are not zero.
    """
    import faiss

    library: Any = faiss
    rng = np.random.default_rng(_SEED)
    some = np.sort(rng.permutation(positions)[: count * _SAMPLE])
    sample = np.ascontiguousarray(stored.rows[some])
    if not len(sample):
        return normalised(np.ones((1, stored.dimension), dtype=np.float32))
    means = library.Kmeans(
        stored.dimension,
        count,
        niter=1,
        spherical=True,
        seed=_SEED,
        min_points_per_centroid=1,
        max_points_per_centroid=_SAMPLE,
    )
    centroids = sample[rng.permutation(len(sample))[:count]].copy()
    for number in range(_ROUNDS):
        progress(number, _ROUNDS, f"learning {count:,} lists from {len(sample):,} vectors")
        means.train(sample, init_centroids=centroids)
        centroids = np.ascontiguousarray(means.centroids, dtype=np.float32)
    result: Vectors = centroids
    return result
