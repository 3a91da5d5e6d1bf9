"""Centroids: how many, of what length, how near to the vectors; and which is the nearest."""

import numpy as np
import pytest

from indexes import kmeans
from indexes.ivf import IvfIndex, build_ivf, pq_bytes, pq_parts
from indexes.kmeans import centroids_of, list_count, nearest
from indexes.stored_vectors import StoredVectors
from indexes.vector_index import normalised, silent


def stored(count, dimension=16, clusters=60):
    rng = np.random.default_rng(3)
    centres = rng.standard_normal((clusters, dimension))
    chosen = centres[rng.integers(0, clusters, count)]
    rows = chosen + 0.4 * rng.standard_normal((count, dimension))
    return StoredVectors(normalised(rows.astype(np.float32)))


@pytest.mark.parametrize(
    ("vectors", "lists"),
    [(1, 1), (7, 1), (80, 10), (10_000, 400), (100_000, 1_562), (1_000_000, 15_625), (10**8, 16_384)],
)  # fmt: skip
def test_how_many_lists(vectors, lists):
    assert list_count(vectors) == lists


def test_codes_that_are_read_fast_lie_in_fewer_and_longer_lists():
    assert list_count(1_000_000, fast=True) == 4_000
    assert list_count(10_000, fast=True) == list_count(10_000)


@pytest.mark.parametrize(
    ("dimension", "parts", "size"),
    [(384, 192, 96), (768, 256, 128), (1_536, 256, 128), (32, 16, 8), (6, 3, 2), (7, 1, 1), (13, 13, 7),
     (514, 257, 129)],
)  # fmt: skip
def test_a_product_quantiser_cuts_vectors_into_parts_of_two_or_a_few_more(dimension, parts, size):
    assert (pq_parts(dimension), pq_bytes(dimension)) == (parts, size)


def test_the_nearest_is_the_one_of_the_largest_inner_product(monkeypatch):
    monkeypatch.setattr(kmeans, "_ROWS", 7)
    rows, centroids = stored(50).rows, stored(9, clusters=9).rows
    wanted = [max(range(9), key=lambda place: float(row @ centroids[place])) for row in rows]
    assert nearest(rows, centroids).tolist() == wanted


def test_two_steps_come_nearly_as_near_as_one(monkeypatch):
    vectors = stored(8_000)
    positions = np.arange(8_000)

    def nearness(centroids):
        return (vectors.rows @ centroids.T).max(axis=1).mean()

    told = []
    one = centroids_of(vectors, positions, 200, silent)
    monkeypatch.setattr(kmeans, "_AT_ONCE", 100)
    two = centroids_of(vectors, positions, 200, lambda *said: told.append(said[0] / said[1]))
    assert len(one) == 200 and 190 <= len(two) <= 210
    np.testing.assert_allclose(np.linalg.norm(two, axis=1), 1.0, atol=1e-5)
    assert 1 - nearness(two) < 1.1 * (1 - nearness(one))
    assert told == sorted(told) and told[-1] <= 1


def test_every_vector_is_in_the_list_of_its_nearest_centroid(tmp_path):
    vectors = StoredVectors.write(stored(3_000).rows, tmp_path)
    index = IvfIndex.open(tmp_path, build_ivf("ivf-sq8", vectors, tmp_path, silent), vectors)
    centroids = index._index.quantizer.reconstruct_n(0, index._index.nlist)
    np.testing.assert_array_equal(index._lists, nearest(vectors.rows, centroids))
