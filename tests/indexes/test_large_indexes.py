"""Indexes large enough that an approximate one is approximate: recall, filters, and versions that follow each other."""

import numpy as np
import pytest

from indexes.vector_index import BadVectors, normalised, silent
from tests.indexes.brute_force import check, clusters, cosines
from tests.indexes.kinds import KINDS


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


@pytest.mark.sample(4)
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


@pytest.mark.sample(3)
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
