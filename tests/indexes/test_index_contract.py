"""What every vector index must do, whatever is behind it: equal to brute force in float64."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from indexes.vector_index import BadVectors, BrokenIndex, normalised, silent
from tests.indexes.kinds import KINDS

TOLERANCE = 2e-6


# Hundreds of small indexes are searched exactly, whatever their type: a few types stand for all.
some_kinds = pytest.mark.parametrize(
    "kind", [k for k in KINDS if k.name in ("flat", "hnsw", "ivf-sq8")], ids=lambda kind: kind.name
)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request):
    return request.param


def cosines(vectors, query):
    """Cosines in float64, -inf for zero vectors: written without the code under test."""
    rows = np.asarray(vectors, dtype=np.float64)
    asked = np.asarray(query, dtype=np.float64)
    lengths = np.sqrt((rows * rows).sum(axis=1))
    length = np.sqrt((asked * asked).sum())
    if length == 0:
        return np.full(len(rows), -np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(lengths > 0, rows @ asked / lengths / length, -np.inf)


def brute_force(vectors, query, k):
    """Positions and cosines of the k best, equal ones by position, padded with -1 and -inf."""
    all_cosines = cosines(vectors, query)
    order = np.lexsort((np.arange(len(vectors)), -all_cosines))
    best = [int(p) for p in order if np.isfinite(all_cosines[p])][:k]
    missing = k - len(best)
    return best + [-1] * missing, [float(all_cosines[p]) for p in best] + [-np.inf] * missing


def check_against_brute_force(vectors, queries, k, positions, scores):
    """Equal to brute force; ids that float32 cannot tell apart may be in either order."""
    assert positions.shape == scores.shape == (len(queries), k)
    assert positions.dtype == np.int64
    assert scores.dtype == np.float32
    for query, found, found_scores in zip(queries, positions, scores, strict=True):
        wanted, wanted_scores = brute_force(vectors, query, k)
        count = sum(p >= 0 for p in wanted)
        assert [p >= 0 for p in found] == [p >= 0 for p in wanted]
        assert np.all(found_scores[count:] == -np.inf)
        np.testing.assert_allclose(found_scores[:count], wanted_scores[:count], atol=TOLERANCE)
        assert len(set(found[:count].tolist())) == count
        own = cosines(vectors, query)
        np.testing.assert_allclose(found_scores[:count], own[found[:count]], atol=TOLERANCE)
        for here, there in pairwise(range(count)):
            assert found_scores[here] >= found_scores[there]
            same = np.array_equal(vectors[found[here]], vectors[found[there]])
            if same or found_scores[here] == found_scores[there]:
                assert found[here] < found[there], "equal cosines must be in order of position"
        for place in range(count):
            if found[place] != wanted[place]:
                assert abs(own[found[place]] - own[wanted[place]]) < TOLERANCE


def check_against_target(target, vectors, queries, k, positions, scores):
    """What an approximate index owes: exact scores, in order, and on the whole the recall it was tuned to."""
    assert positions.shape == scores.shape == (len(queries), k)
    hits = wanted_hits = 0
    for query, found, found_scores in zip(queries, positions, scores, strict=True):
        wanted, wanted_scores = brute_force(vectors, query, k)
        count = sum(p >= 0 for p in wanted)
        assert (found[:count] >= 0).all(), "as many are found as there are"
        assert (found[count:] == -1).all()
        assert np.all(found_scores[count:] == -np.inf)
        own = cosines(vectors, query)[found[:count]]
        np.testing.assert_allclose(found_scores[:count], own, atol=TOLERANCE)
        pairs = list(zip(-found_scores[:count], found[:count], strict=True))
        assert pairs == sorted(set(pairs)), "best first, equal cosines by position, none twice"
        hits += int((own >= min(wanted_scores[:count], default=0) - TOLERANCE).sum())
        wanted_hits += count
    assert hits >= target * wanted_hits


def check(kind, vectors, queries, k, positions, scores):
    if kind.exact:
        check_against_brute_force(vectors, queries, k, positions, scores)
    else:
        check_against_target(kind.plan.target_recall, vectors, queries, k, positions, scores)


def clusters(count, dimension, seed=1):
    """Vectors around some centres, as those of texts are."""
    centres = numbers(count // 40, dimension, seed=99)
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(count, dimension)).astype(np.float32)
    return centres[rng.integers(len(centres), size=count)] + 0.7 * noise


def numbers(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


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


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.name)
def large(request, tmp_path_factory):
    """An index large enough that an approximate one is approximate: (kind, vectors, index, folder)."""
    vectors = clusters(3_000, 32)
    vectors[[5, 77]] = 0
    vectors[1_000:1_010] = vectors[0]
    folder = tmp_path_factory.mktemp(request.param.name)
    index = request.param.open(folder, request.param.build(vectors, folder))
    return request.param, vectors, index, folder


def test_a_large_index_keeps_what_it_promises(large):
    kind, vectors, index, _ = large
    queries = clusters(60, 32, seed=5)
    for k in (1, 10, 100):
        check(kind, vectors, queries, k, *index.search(queries, k))
    facts = index.facts
    assert (facts.vectors, facts.dimension, facts.zeros) == (3_000, 32, 2)
    assert facts.figures["recall@10"] >= kind.plan.target_recall
    assert facts.type != "auto"
    np.testing.assert_array_equal(index.vectors, normalised(vectors))


@pytest.mark.parametrize("share", [0.001, 0.03, 0.2, 0.6, 1.0])
def test_a_large_index_keeps_it_within_filters(large, share):
    kind, vectors, index, _ = large
    queries = clusters(60, 32, seed=6)
    chosen = np.random.default_rng(3).choice(3_000, size=int(3_000 * share), replace=False)
    positions, scores = index.search(queries, 10, chosen)  # in no order
    allowed = np.sort(chosen)
    there = np.full(3_001, -1)
    there[allowed] = np.arange(len(allowed))
    assert np.isin(positions[positions >= 0], allowed).all()
    check(kind, vectors[allowed], queries, 10, there[positions], scores)


def test_a_filter_that_leaves_only_what_is_far_away(large):
    """The nearest lists hold nothing that is allowed, the walk's neighbourhood neither."""
    kind, vectors, index, _ = large
    query = vectors[10:11]
    far = np.sort(np.argsort(cosines(vectors, query[0]))[2:1_700])
    positions, scores = index.search(query, 10, far)
    there = np.full(3_001, -1)
    there[far] = np.arange(len(far))
    check(kind, vectors[far], query, 10, there[positions], scores)


@pytest.mark.parametrize(("removed", "added"), [(0, 400), (400, 0), (300, 300)])
def test_vectors_come_and_go_without_a_rebuild(large, tmp_path, removed, added):
    kind, vectors, index, _ = large
    rng = np.random.default_rng(removed + added)
    kept = rng.permutation(3_000)[removed:]
    origins = np.concatenate([kept, np.full(added, -1)])
    order = rng.permutation(len(origins))
    changed = np.concatenate([vectors[kept], clusters(added or 40, 32, seed=8)[:added]])[order]
    facts = index.write_changed(changed, origins[order], tmp_path, silent)
    if facts is None:
        assert list(tmp_path.iterdir()) == [], "an index that is better built anew writes nothing"
        facts = kind.build(changed, tmp_path)
    made = kind.open(tmp_path, facts)
    assert (len(made), made.facts.type) == (len(changed), index.facts.type)
    queries = clusters(60, 32, seed=9)
    check(kind, changed, queries, 10, *made.search(queries, 10))
    new = np.flatnonzero(origins[order] < 0)
    if added:
        assert [p[0] for p in made.search(changed[new[:20]], 1)[0]] == new[:20].tolist()
    some = np.sort(rng.permutation(len(changed))[:1_500])
    there = np.full(len(changed) + 1, -1)
    there[some] = np.arange(1_500)
    positions, scores = made.search(queries, 10, some)
    check(kind, changed[some], queries, 10, there[positions], scores)


def test_what_comes_after_others_went_is_found(large, tmp_path):
    """One version takes vectors out, the next one puts others in their places."""
    kind, vectors, index, _ = large
    versions = [
        (vectors[400:], np.arange(400, 3_000)),
        (np.vstack([vectors[400:], clusters(300, 32, seed=8)]), np.r_[:2_600, [-1] * 300]),
    ]
    for number, (changed, origins) in enumerate(versions):
        folder = tmp_path / str(number)
        folder.mkdir()
        facts = index.write_changed(changed, origins, folder, silent)
        index = kind.open(folder, facts or kind.build(changed, folder))
    new = list(range(2_600, 2_620))
    assert [p[0] for p in index.search(changed[new], 1)[0]] == new
    queries = clusters(60, 32, seed=9)
    check(kind, changed, queries, 10, *index.search(queries, 10))


def test_bad_vectors_are_refused_when_they_come_later_too(large, tmp_path):
    kind, vectors, index, _ = large
    changed = vectors.copy()
    changed[2_999, 3] = np.nan
    with pytest.raises(BadVectors, match="vector 2999 holds NaN"):
        index.write_changed(changed, np.arange(3_000), tmp_path, silent) or kind.build(
            changed, tmp_path
        )
    if not kind.exact:
        with pytest.raises(BadVectors, match="vectors have 33 dimensions, the index has 32"):
            index.write_changed(
                np.ones((3_000, 33), np.float32), np.arange(3_000), tmp_path, silent
            )


def test_a_full_disk_while_building_is_an_error_and_no_crash(kind, tmp_path):
    """Each file in turn is one that takes nothing more."""
    vectors = numbers(1_500, 8)
    (tmp_path / "whole").mkdir()
    kind.build(vectors, tmp_path / "whole")
    for name in [path.name for path in _files(tmp_path / "whole")]:
        folder = tmp_path / f"full-{name}"
        folder.mkdir()
        (folder / name).symlink_to("/dev/full")
        with pytest.raises(OSError, match="No space left"):
            kind.build(vectors, folder)


whole_numbers = st.integers(-3, 3).map(float)


@some_kinds
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
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
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
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


def test_an_index_read_back_answers_the_same_bit_for_bit(kind, tmp_path):
    vectors, queries = numbers(120, 16), numbers(9, 16, seed=2)
    vectors[5] = 0
    vectors[60] = vectors[61]
    facts = kind.build(vectors, tmp_path)
    index, back = kind.open(tmp_path, facts), kind.open(tmp_path, facts)
    assert (len(back), back.dimension) == (120, 16)
    for one, other in zip(index.search(queries, 120), back.search(queries, 120), strict=True):
        assert one.tobytes() == other.tobytes()


def _files(folder):
    return sorted(path for path in folder.iterdir() if path.is_file())


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_truncated_index_is_broken(kind, tmp_path, share):
    facts = kind.build(numbers(50, 8), tmp_path)
    for path in _files(tmp_path):
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(BrokenIndex, match="cannot be read"):
            kind.open(tmp_path, facts)
        path.write_bytes(content)


def test_garbage_is_a_broken_index(kind, tmp_path):
    facts = kind.build(numbers(50, 8), tmp_path)
    for path in _files(tmp_path):
        whole = path.read_bytes()
        for content in (b"no index at all", b"\x00" * 500, bytes(range(256)) * 20):
            path.write_bytes(content)
            with pytest.raises(BrokenIndex, match="cannot be read"):
                kind.open(tmp_path, facts)
        path.write_bytes(whole)


def test_a_missing_file_is_a_broken_index(kind, tmp_path):
    facts = kind.build(numbers(50, 8), tmp_path)
    for path in _files(tmp_path):
        content = path.read_bytes()
        path.unlink()
        with pytest.raises(BrokenIndex, match="cannot be read"):
            kind.open(tmp_path, facts)
        path.write_bytes(content)


def test_an_index_of_another_size_than_its_manifest_says_is_broken(kind, tmp_path):
    facts = kind.build(numbers(50, 8), tmp_path)
    for other in (replace(facts, vectors=49), replace(facts, dimension=9)):
        with pytest.raises(BrokenIndex, match="instead of"):
            kind.open(tmp_path, other)


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
