"""What every vector index must do, whatever is behind it: equal to brute force in float64."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from indexes.vector_index import BadVectors
from tests.indexes.brute_force import brute_force, check, check_against_brute_force, numbers
from tests.indexes.kinds import KINDS
from tests.proofs import examples

# Hundreds of small indexes are searched exactly, whatever their type: a few types stand for all.
some_kinds = pytest.mark.parametrize(
    "kind", [k for k in KINDS if k.name in ("flat", "hnsw", "ivf-sq8")], ids=lambda kind: kind.name
)


@pytest.mark.sample(14)
@pytest.mark.parametrize(
    ("count", "dimension", "k"),
    [(1, 1, 1), (3, 2, 5), (200, 384, 10), (500, 7, 100), (64, 100, 64)],
)
def test_random_vectors_equal_brute_force(kind, count, dimension, k):
    vectors, queries = numbers(count, dimension), numbers(20, dimension, seed=2)
    positions, scores = kind.of(vectors).search(queries, k)
    check(kind, vectors, queries, k, positions, scores)


def test_positions_are_exactly_those_of_brute_force_when_nothing_ties(kind):
    vectors, queries = numbers(300, 50), numbers(30, 50, seed=2)
    positions, scores = kind.of(vectors).search(queries, 5)
    for row, query in zip(positions, queries, strict=True):
        assert row.tolist() == brute_force(vectors, query, 5)[0]
    assert scores[0, 0] > scores[0, 4]


whole_numbers = st.integers(-3, 3).map(float)


@some_kinds
@pytest.mark.longer
@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_small_whole_number_vectors_equal_brute_force(kind, data):
    """Small whole numbers: many duplicates, zero vectors, mathematical ties."""
    dimension = data.draw(st.integers(1, 5))
    count = data.draw(st.integers(1, 60))
    vectors = data.draw(arrays(np.float32, (count, dimension), elements=whole_numbers))
    asked = data.draw(st.integers(1, 4))
    queries = data.draw(arrays(np.float32, (asked, dimension), elements=whole_numbers))
    k = data.draw(st.integers(1, count + 3))
    index = kind.of(vectors)
    positions, scores = index.search(queries, k)
    check(kind, vectors, queries, k, positions, scores)
    for row in range(asked):
        alone_positions, alone_scores = index.search(queries[row : row + 1], k)
        assert alone_positions[0].tolist() == positions[row].tolist()
        assert alone_scores[0].tobytes() == scores[row].tobytes()


@some_kinds
@pytest.mark.longer
@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    vectors=arrays(
        np.float32,
        st.tuples(st.integers(1, 40), st.just(4)),
        elements=st.floats(-(2.0**100), 2.0**100, width=32, allow_nan=False, allow_infinity=False),
    ),
    k=st.integers(1, 12),
)
def test_vectors_of_any_length_are_compared_by_direction(kind, vectors, k):
    """Huge and tiny numbers (down to subnormal) neither over- nor underflow."""
    queries = np.array([[1, -2, 3, 0.5], [0, 0, 1, 0]], dtype=np.float32)
    positions, scores = kind.of(vectors).search(queries, k)
    check_against_brute_force(vectors, queries, k, positions, scores)


@pytest.mark.sample(2)
def test_many_duplicates_come_in_order_of_position(kind):
    vectors = np.repeat(
        numbers(4, 24), 700, axis=0
    )  # far more equal ones than are fetched at first
    mixed = np.random.default_rng(3).permutation(len(vectors))
    vectors = vectors[mixed]
    queries = numbers(3, 24, seed=5)
    index = kind.of(vectors)
    for k in (1, 10, 699, 700, 701, 1500):
        positions, scores = index.search(queries, k)
        check(kind, vectors, queries, k, positions, scores)
        for row, query in enumerate(queries if kind.exact else ()):
            # float64 of the same row is the same number, so brute force breaks these ties exactly.
            assert positions[row].tolist() == brute_force(vectors, query, k)[0]
            assert np.all(np.diff(scores[row]) <= 0)


def test_a_tie_across_the_boundary_of_k_keeps_the_lowest_positions(kind):
    vectors = np.zeros((40, 3), dtype=np.float32)
    vectors[:, 0] = 1
    vectors[7] = [1, 1, 0]
    vectors[31] = [4, 4, 0]  # the direction of 7
    query = np.array([[1, 1, 0]], dtype=np.float32)
    index = kind.of(vectors)
    assert index.search(query, 1)[0].tolist() == [[7]]
    assert index.search(query, 2)[0].tolist() == [[7, 31]]
    assert index.search(query, 5)[0].tolist() == [[7, 31, 0, 1, 2]]
    np.testing.assert_allclose(index.search(query, 4)[1], [[1, 1, 2**-0.5, 2**-0.5]], rtol=1e-6)


def test_what_ranks_does_not_depend_on_k(kind):
    vectors = np.round(numbers(400, 6) * 2).astype(np.float32)
    queries = np.round(numbers(10, 6, seed=9) * 2).astype(np.float32)
    index = kind.of(vectors)
    whole_positions, whole_scores = index.search(queries, 400)
    for k in (1, 3, 50, 399):
        positions, scores = index.search(queries, k)
        assert positions.tolist() == whole_positions[:, :k].tolist()
        assert scores.tobytes() == np.ascontiguousarray(whole_scores[:, :k]).tobytes()


@pytest.mark.sample(6)
@pytest.mark.parametrize("dimension", [1, 3, 100, 384])
def test_a_batch_equals_each_query_alone_bit_for_bit(kind, dimension):
    vectors = np.vstack([numbers(500, dimension), numbers(40, dimension)])
    queries = numbers(70, dimension, seed=4)
    index = kind.of(vectors)
    positions, scores = index.search(queries, 10)
    for row in range(len(queries)):
        alone_positions, alone_scores = index.search(queries[row : row + 1], 10)
        assert alone_positions[0].tolist() == positions[row].tolist()
        assert alone_scores[0].tobytes() == scores[row].tobytes()


def test_a_zero_vector_is_never_found(kind):
    vectors = numbers(30, 5)
    vectors[::2] = 0
    positions, scores = kind.of(vectors).search(numbers(8, 5, seed=2), 30)
    for row, row_scores in zip(positions, scores, strict=True):
        assert sorted(row[:15].tolist()) == list(range(1, 30, 2))
        assert row[15:].tolist() == [-1] * 15
        assert np.all(row_scores[15:] == -np.inf)
        assert row_scores[:15].min() < 0, "negative cosines rank above nothing at all"


def test_only_zero_vectors_are_an_index_in_which_nothing_is_found(kind):
    index = kind.of(np.zeros((5, 4), dtype=np.float32))
    assert len(index) == 5
    positions, scores = index.search(numbers(2, 4), 3)
    assert positions.tolist() == [[-1] * 3] * 2
    assert np.all(scores == -np.inf)


def test_a_zero_query_finds_nothing_and_spares_its_neighbours(kind):
    vectors, queries = numbers(30, 5), numbers(3, 5, seed=2)
    queries[1] = 0
    positions, scores = kind.of(vectors).search(queries, 4)
    assert positions[1].tolist() == [-1] * 4
    assert np.all(scores[1] == -np.inf)
    for row in (0, 2):
        assert positions[row].tolist() == brute_force(vectors, queries[row], 4)[0]


def test_k_beyond_the_size_is_padded(kind):
    vectors = numbers(3, 5)
    query = numbers(1, 5, seed=2)
    positions, scores = kind.of(vectors).search(query, 7)
    assert positions[0].tolist() == brute_force(vectors, query[0], 7)[0]
    assert scores[0, 3:].tolist() == [-np.inf] * 4


def test_one_vector(kind):
    index = kind.of(np.array([[0, -3]], dtype=np.float32))
    positions, scores = index.search(np.array([[0, 5], [2, 0], [0, -1]], dtype=np.float32), 1)
    assert positions.tolist() == [[0], [0], [0]]
    assert scores.tolist() == [[-1.0], [0.0], [1.0]]


def test_no_queries_give_no_rows(kind):
    positions, scores = kind.of(numbers(4, 3)).search(np.zeros((0, 3), dtype=np.float32), 2)
    assert positions.shape == scores.shape == (0, 2)


def test_what_was_given_is_not_changed(kind):
    vectors, queries = numbers(10, 4), numbers(2, 4, seed=2)
    before = vectors.copy(), queries.copy()
    kind.of(vectors).search(queries, 3)
    assert np.array_equal(vectors, before[0])
    assert np.array_equal(queries, before[1])


def test_float64_and_non_contiguous_vectors_are_accepted(kind):
    wide = numbers(20, 8).astype(np.float64)
    vectors, queries = wide[:, ::2], numbers(3, 8, seed=2)[:, ::2]
    positions, scores = kind.of(vectors).search(queries, 5)
    check_against_brute_force(vectors.astype(np.float32), queries, 5, positions, scores)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_refused_with_the_row(kind, bad):
    vectors = numbers(5, 4)
    index = kind.of(vectors)
    vectors[3, 2] = bad
    with pytest.raises(BadVectors, match="vector 3 holds NaN or infinity"):
        kind.of(vectors)
    with pytest.raises(BadVectors, match="vector 3 holds NaN or infinity"):
        index.search(vectors, 2)


def test_wrong_shapes_are_refused(kind):
    index = kind.of(numbers(5, 4))
    with pytest.raises(BadVectors, match="vectors have 3 dimensions, the index has 4"):
        index.search(numbers(2, 3), 1)
    for shape in ((4,), (2, 2, 4), (3, 0)):
        with pytest.raises(BadVectors, match="expected vectors of shape"):
            index.search(np.ones(shape, dtype=np.float32), 1)
        with pytest.raises(BadVectors, match="expected vectors of shape"):
            kind.of(np.ones(shape, dtype=np.float32))
    with pytest.raises(BadVectors, match="no vectors"):
        kind.of(np.zeros((0, 4), dtype=np.float32))


@pytest.mark.parametrize("k", [0, -1])
def test_k_below_one_is_refused(kind, k):
    with pytest.raises(BadVectors, match="at least 1"):
        kind.of(numbers(5, 4)).search(numbers(1, 4), k)


@pytest.mark.sample(3)
def test_several_threads_search_at_once(kind):
    index = kind.of(numbers(2_000, 32))
    batches = [numbers(1 + seed % 5, 32, seed=seed) for seed in range(40)]
    alone = [index.search(batch, 10) for batch in batches]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            together = list(pool.map(lambda batch: index.search(batch, 10), batches))
            for (positions, scores), (same_positions, same_scores) in zip(
                alone, together, strict=True
            ):
                assert positions.tolist() == same_positions.tolist()
                assert scores.tobytes() == same_scores.tobytes()


@pytest.mark.sample(7)
@pytest.mark.parametrize("share", [0.003, 0.1, 0.9, 1.0])
def test_only_what_is_allowed_is_found_as_if_nothing_else_were_there(kind, share):
    rng = np.random.default_rng(11)
    vectors = rng.integers(-2, 3, size=(2_000, 6)).astype(np.float32)  # Many ties, some zeros.
    queries = rng.normal(size=(7, 6)).astype(np.float32)
    allowed = np.sort(rng.choice(2_000, size=int(2_000 * share), replace=False))
    positions, scores = kind.of(vectors).search(queries, 9, allowed)
    if not kind.exact:
        there = np.full(2_001, -1)
        there[allowed] = np.arange(len(allowed))
        check(kind, vectors[allowed], queries, 9, there[positions], scores)
        return
    alone, alone_scores = kind.of(vectors[allowed]).search(queries, 9)
    np.testing.assert_array_equal(positions, np.where(alone >= 0, allowed[alone], -1))
    np.testing.assert_array_equal(scores, alone_scores)


def test_nothing_allowed_finds_nothing(kind):
    vectors = np.eye(4, dtype=np.float32)
    positions, scores = kind.of(vectors).search(vectors, 2, np.array([], dtype=np.int64))
    assert (positions == -1).all()
    assert np.isneginf(scores).all()
