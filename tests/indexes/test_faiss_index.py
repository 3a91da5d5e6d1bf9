"""What is particular to the FAISS index: its file, its other types, and hostile headers."""

import gc
import time
from concurrent.futures import ThreadPoolExecutor

import faiss
import numpy as np
import pytest

from indexes.faiss_index import INDEX_FILE, FaissFlatIndex
from indexes.vector_index import BrokenIndex, normalised

VECTORS = np.random.default_rng(1).normal(size=(40, 8)).astype(np.float32)


def _hnsw():
    index = faiss.IndexHNSWFlat(8, 4, faiss.METRIC_INNER_PRODUCT)
    index.add(VECTORS)
    return index


def _l2():
    index = faiss.IndexFlatL2(8)
    index.add(VECTORS)
    return index


@pytest.mark.parametrize(
    "make",
    [_hnsw, _l2, lambda: faiss.IndexIDMap(faiss.IndexFlatIP(8))],
    ids=["hnsw", "l2", "idmap"],
)
def test_another_type_of_faiss_index_is_broken(make, tmp_path):
    faiss.write_index(make(), str(tmp_path / INDEX_FILE))
    with pytest.raises(BrokenIndex, match="not an exact inner-product index"):
        FaissFlatIndex.load(tmp_path)


def test_a_binary_faiss_index_is_broken(tmp_path):
    faiss.write_index_binary(faiss.IndexBinaryFlat(64), str(tmp_path / INDEX_FILE))
    with pytest.raises(BrokenIndex):
        FaissFlatIndex.load(tmp_path)


@pytest.mark.parametrize("count", [0, 39, 41, 10**12, 2**62])
def test_a_header_that_claims_another_count_is_broken(tmp_path, count):
    FaissFlatIndex.from_vectors(VECTORS).save(tmp_path)
    path = tmp_path / INDEX_FILE
    content = bytearray(path.read_bytes())
    assert int.from_bytes(content[8:16], "little") == 40  # where FAISS keeps the number of vectors
    content[8:16] = count.to_bytes(8, "little")
    path.write_bytes(content)
    with pytest.raises(BrokenIndex):
        FaissFlatIndex.load(tmp_path)


def test_the_file_is_plain_faiss(tmp_path):
    """Other programs can read it: the stored rows are the given ones, of length 1."""
    FaissFlatIndex.from_vectors(VECTORS).save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["index.faiss"]
    index = faiss.read_index(str(tmp_path / INDEX_FILE))
    wanted = VECTORS.astype(np.float64)
    wanted /= np.sqrt((wanted**2).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(index.reconstruct_n(0, 40), wanted, atol=1e-6)


def test_vectors_are_the_given_ones_with_length_one():
    vectors = VECTORS.copy()
    vectors[3] = 0
    index = FaissFlatIndex.from_vectors(vectors)
    lengths = np.linalg.norm(index.vectors.astype(np.float64), axis=1)
    np.testing.assert_allclose(lengths, [0.0 if row == 3 else 1.0 for row in range(40)], atol=1e-6)
    np.testing.assert_allclose(index.vectors[7] * np.linalg.norm(vectors[7]), vectors[7], atol=1e-5)


def test_normalised_neither_overflows_nor_underflows():
    extreme = np.array([[3e38, 3e38], [1e-45, 0], [1e-40, -1e-40], [0, 0]], dtype=np.float32)
    half = 0.5**0.5
    np.testing.assert_allclose(
        normalised(extreme), [[half, half], [1, 0], [half, -half], [0, 0]], rtol=1e-6
    )


def test_readers_of_different_files_do_not_limit_each_other(tmp_path, monkeypatch):
    """FAISS bounds what it reads by one number a process: a small file's must not hit a large one."""
    folders = [tmp_path / "large", tmp_path / "small"]
    for folder, vectors in zip(folders, [VECTORS, VECTORS[:1]], strict=True):
        folder.mkdir()
        FaissFlatIndex.from_vectors(vectors).save(folder)
    set_limit = faiss.set_deserialization_vector_byte_limit

    def slowly(limit):
        set_limit(limit)
        time.sleep(0.05)  # long enough for another thread to set its own

    monkeypatch.setattr(faiss, "set_deserialization_vector_byte_limit", slowly)
    with ThreadPoolExecutor(4) as pool:
        assert (
            list(pool.map(lambda n: len(FaissFlatIndex.load(folders[n % 2])), range(8)))
            == [
                40,
                1,
            ]
            * 4
        )


def test_the_vectors_outlive_their_index(tmp_path):
    """They are a view of FAISS's memory, which must not be freed under them."""
    FaissFlatIndex.from_vectors(VECTORS).save(tmp_path)
    vectors = FaissFlatIndex.load(tmp_path).vectors
    wanted = FaissFlatIndex.load(tmp_path).vectors.copy()
    gc.collect()
    filler = [np.full((40, 8), 9, dtype=np.float32) for _ in range(100)]
    assert np.array_equal(vectors, wanted)
    assert len(filler) == 100
