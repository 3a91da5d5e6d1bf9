"""Brute force in float64, what an index owes it, and vectors to search."""

from itertools import pairwise

import numpy as np

TOLERANCE = 2e-6


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
    best = order[np.isfinite(all_cosines[order])][:k].tolist()
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
