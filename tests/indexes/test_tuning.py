"""Tuning: what is chosen depends on the vectors alone, never on how busy the machine is."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from indexes import approximate, faiss_engine
from indexes.opening import build, open_index
from indexes.vector_index import IndexPlan, silent
from tests.indexes.brute_force import check_against_target, clusters

MEASURED = ("ms", "exact_ms")


def clock(step):
    """A clock on which every second look at it is so much later: whatever is timed takes so long."""
    now = itertools.accumulate(itertools.cycle(step))
    return lambda: next(now)


def built(kind, vectors, folder, monkeypatch, step):
    folder.mkdir()
    monkeypatch.setattr(approximate.time, "perf_counter", clock(step))
    facts = build(vectors, IndexPlan(type=kind), folder, silent)
    figures = {name: value for name, value in facts.figures.items() if name not in MEASURED}
    return facts.type, facts.parameters, figures


# The first eight searches that are timed are exact ones: slow in one, fast in the others, then erratic.
SLOW_EXACT = [0.0, 9.0] * 9 + [0.0, 1e-6] * 200
FAST_EXACT = [0.0, 1e-6] * 9 + [0.0, 9.0] * 200
ERRATIC = [0.0, *np.random.default_rng(3).exponential(size=97)]


@pytest.mark.parametrize("kind", ["hnsw", "ivf", "ivf-sq8", "ivf-pq", "ivf-rabitq", "auto"])
def test_two_clocks_choose_the_same_width(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(faiss_engine, "FLAT_BYTES", 0)
    vectors = clusters(3_000, 32)
    steady, *others = (
        built(kind, vectors, tmp_path / name, monkeypatch, step)
        for name, step in (("slow", SLOW_EXACT), ("fast", FAST_EXACT), ("erratic", ERRATIC))
    )
    assert others == [steady, steady]


@pytest.fixture(scope="module", params=["hnsw", "ivf", "ivf-sq8", "ivf-pq", "ivf-rabitq"])
def never_exact(request, tmp_path_factory):
    """An index that takes no exact search, however few vectors a filter leaves: (vectors, index)."""
    vectors, folder = clusters(3_000, 32), tmp_path_factory.mktemp(request.param)
    facts = build(vectors, IndexPlan(type=request.param), folder, silent)
    parameters = {**facts.parameters, "exact_below": 0}
    return vectors, open_index(folder, replace(facts, parameters=parameters).details())


@pytest.mark.parametrize("share", [0.4, 0.6, 0.9])
def test_a_filter_keeps_the_recall_where_exact_search_is_not_taken(never_exact, share):
    """So few vectors would be compared one by one; here the lists and the graph have to find them."""
    vectors, index = never_exact
    queries = clusters(60, 32, seed=6)
    chosen = np.random.default_rng(3).choice(3_000, size=int(3_000 * share), replace=False)
    allowed = np.sort(chosen)
    positions, scores = index.search(queries, 10, chosen)
    there = np.full(3_001, -1)
    there[allowed] = np.arange(len(allowed))
    check_against_target(0.98, vectors[allowed], queries, 10, there[positions], scores)
