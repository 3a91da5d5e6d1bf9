"""The file of vectors: normalised, mapped, and never trusted."""

import gc

import numpy as np
import pytest

from indexes.stored_vectors import VECTORS_FILE, StoredVectors
from indexes.vector_index import BadVectors, BrokenIndex, normalised

VECTORS = np.random.default_rng(1).normal(size=(40, 8)).astype(np.float32)


def test_the_file_is_plain_npy_of_rows_of_length_one(tmp_path):
    """Other programs can read it."""
    vectors = VECTORS.copy()
    vectors[3] = 0
    stored = StoredVectors.write(vectors, tmp_path)
    assert stored.zeros == 1
    assert [path.name for path in tmp_path.iterdir()] == [VECTORS_FILE]
    stored.rows[5] = 9  # stays with who wrote it
    wanted = vectors.astype(np.float64)
    wanted /= np.maximum(np.sqrt((wanted**2).sum(axis=1, keepdims=True)), 1e-30)
    np.testing.assert_allclose(np.load(tmp_path / VECTORS_FILE), wanted, atol=1e-6)
    assert StoredVectors.open(tmp_path).zero_positions().tolist() == [3]


def test_normalised_neither_overflows_nor_underflows():
    extreme = np.array([[3e38, 3e38], [1e-45, 0], [1e-40, -1e-40], [0, 0]], dtype=np.float32)
    half = 0.5**0.5
    np.testing.assert_allclose(
        normalised(extreme), [[half, half], [1, 0], [half, -half], [0, 0]], rtol=1e-6
    )


@pytest.mark.parametrize(
    "other",
    [
        np.ones((4, 8)),
        np.ones(32, dtype=np.float32),
        np.ones((0, 8), dtype=np.float32),
        np.asfortranarray(np.ones((4, 8), dtype=np.float32)),
        np.array([["a", "b"]]),
    ],
    ids=["float64", "one dimension", "empty", "by columns", "text"],
)
def test_another_array_is_broken(tmp_path, other):
    np.save(tmp_path / VECTORS_FILE, other)
    with pytest.raises(BrokenIndex, match="cannot be read as vectors"):
        StoredVectors.open(tmp_path)


def test_pickled_objects_are_never_loaded(tmp_path):
    np.save(tmp_path / VECTORS_FILE, np.array([print], dtype=object), allow_pickle=True)
    with pytest.raises(BrokenIndex, match="cannot be read as vectors"):
        StoredVectors.open(tmp_path)


def test_more_bytes_than_the_header_says_are_broken(tmp_path):
    StoredVectors.write(VECTORS, tmp_path)
    with (tmp_path / VECTORS_FILE).open("ab") as stream:
        stream.write(b"\0" * 32)
    with pytest.raises(BrokenIndex, match="it holds 1,312 bytes instead of 1,280"):
        StoredVectors.open(tmp_path)


def test_a_header_that_claims_more_rows_is_broken(tmp_path):
    StoredVectors.write(VECTORS, tmp_path)
    path = tmp_path / VECTORS_FILE
    content = path.read_bytes()
    for claim in (b"(41, 8), }", b"(4000000000000000000, 8), }"):
        start = content.index(b"(40, 8), }")
        path.write_bytes(content[:start] + claim + content[start + len(claim) :])
        with pytest.raises(BrokenIndex, match="cannot be read as vectors"):
            StoredVectors.open(tmp_path)


def test_a_bad_row_far_down_is_named(tmp_path):
    vectors = np.ones((40_000, 2), dtype=np.float32)
    vectors[33_333, 1] = np.nan
    with pytest.raises(BadVectors, match="vector 33333 holds NaN"):
        StoredVectors.write(vectors, tmp_path)


def test_vectors_mapped_from_a_file_are_written_by_parts(tmp_path):
    """More rows than are written at a time, from a file: what comes back is what was given."""
    given = np.lib.format.open_memmap(
        tmp_path / "given.npy", "w+", dtype=np.float32, shape=(40_000, 3)
    )
    given[:] = np.random.default_rng(4).normal(size=given.shape)
    seen = []
    stored = StoredVectors.write(given, tmp_path, lambda done, total, message: seen.append(done))
    assert seen == [16_384, 32_768, 40_000]
    np.testing.assert_array_equal(stored.rows, normalised(np.array(given)))


def test_a_full_disk_is_an_error_and_not_a_crash(tmp_path):
    (tmp_path / VECTORS_FILE).symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        StoredVectors.write(VECTORS, tmp_path)


def test_the_rows_outlive_their_owner_and_their_file(tmp_path):
    rows = StoredVectors.write(VECTORS, tmp_path).rows
    (tmp_path / VECTORS_FILE).unlink()
    gc.collect()
    filler = [np.full((40, 8), 9, dtype=np.float32) for _ in range(100)]
    np.testing.assert_array_equal(rows, normalised(VECTORS))
    assert len(filler) == 100
