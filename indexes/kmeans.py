"""Centroids for inverted lists, learned from a sample; and the nearest of them."""

import numpy as np

from indexes.faiss_files import faiss
from indexes.stored_vectors import StoredVectors
from indexes.vector_index import Positions, Progress, Vectors, normalised, part

_ROUNDS = 7
_SAMPLE = 32  # Vectors a centroid is learned from, where there are few centroids.
_MOST_SAMPLED = 262_144  # 400 MB of 384 dimensions.
_A_LIST = 64
_MOST_LISTS = 16_384
_AT_ONCE = 4_096
_ROWS = 2_048  # Compared with all centroids at a time: 128 MB at most.
_SEED = 1


def list_count(vectors: int, fast: bool = False) -> int:
    """How many lists so many vectors are put into.

    Four times the square root, or one for 64 vectors where that is more: FAISS advises four to sixteen times the root.
    In 4,000 lists of 8-bit codes, a million took a search half as long again as in 15,600 (benchmarks/growth.py).

    :param fast: for codes that are read so fast that finding the lists is what costs: four times the root.
    """
    root = int(4 * vectors**0.5)
    wanted = root if fast else max(root, vectors // _A_LIST)
    return max(1, min(wanted, vectors // 8, _MOST_LISTS))


def centroids_of(
    stored: StoredVectors, positions: Positions, count: int, progress: Progress
) -> Vectors:
    """Spherical k-means over a sample: shape (about count, d), of length 1.

    Many are learned in two steps: coarse groups, and centroids within each. That takes a hundredth of the time, and a
    search finds its way in these as well.

    :param positions: the vectors that are not zero.
    """
    rng = np.random.default_rng(_SEED)
    some = np.sort(rng.permutation(positions)[: min(count * _SAMPLE, _MOST_SAMPLED)])
    sample = np.ascontiguousarray(stored.rows[some])
    if not len(sample):
        return normalised(np.ones((1, stored.dimension), dtype=np.float32))
    if count <= _AT_ONCE:
        return _means(sample, count, rng, progress)
    coarse = int(count**0.5)
    drawn = sample[rng.permutation(len(sample))[: coarse * _SAMPLE]]
    groups = _means(drawn, coarse, rng, part(progress, 0, 0.1))
    own = nearest(sample, groups)
    found = []
    for number in range(coarse):
        members = sample[own == number]
        if len(members):
            share = max(round(count * len(members) / len(sample)), 1)
            ahead = part(progress, 0.1 + 0.9 * number / coarse, 0.1 + 0.9 * (number + 1) / coarse)
            found.append(_means(members, share, rng, ahead))
    return np.concatenate(found)


def nearest(rows: Vectors, centroids: Vectors) -> Positions:
    """Which centroid has the largest inner product with each row, the first of equal ones: shape (n,)."""
    lists = np.empty(len(rows), dtype=np.int64)
    for start in range(0, len(rows), _ROWS):
        lists[start : start + _ROWS] = (rows[start : start + _ROWS] @ centroids.T).argmax(axis=1)
    return lists


def _means(sample: Vectors, count: int, rng: np.random.Generator, progress: Progress) -> Vectors:
    """One round at a time, so that it can be watched and cancelled."""
    means = faiss.Kmeans(
        sample.shape[1],
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
