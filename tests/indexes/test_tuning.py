"""Tuning: what is chosen depends on the vectors alone, never on how busy the machine is."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from indexes import approximate, faiss_engine
from indexes.approximate import RecallTrial
from indexes.opening import build, open_index
from indexes.stored_vectors import StoredVectors
from indexes.vector_index import IndexPlan, normalised, silent
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


@pytest.mark.sample(1)
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


@pytest.mark.sample(5)
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


def in_a_cone(count, seed, cone=6.0, dimension=48):
    """Vectors as raw BERT-like models make them: any two have a cosine of .9, what tells them apart is small."""
    shared = np.random.default_rng(0)
    mean = shared.normal(size=dimension)
    centres = shared.normal(size=(200, dimension)) / dimension**0.5
    own = np.random.default_rng(seed)
    inside = (
        centres[own.integers(0, 200, count)] + own.normal(size=(count, dimension)) / dimension**0.5
    )
    return normalised((cone * mean / np.linalg.norm(mean) + inside).astype(np.float32))


@pytest.mark.sample(1)
@pytest.mark.parametrize("kind", ["hnsw", "ivf-pq", "ivf-rabitq"])
def test_the_promise_holds_in_a_narrow_cone(kind, tmp_path):
    vectors, asked = in_a_cone(4_000, 1), in_a_cone(200, 2)
    assert float((vectors[:50] @ vectors[50:100].T).min()) > 0.85
    facts = build(vectors, IndexPlan(type=kind), tmp_path, silent)
    index = open_index(tmp_path, facts.details())
    scores, best = index.search(asked, 10)[1], index.stored.search(asked, 10)[1]
    reached = float((scores >= best.min(axis=1, keepdims=True) - 1e-6).mean())
    assert reached >= facts.figures["recall@10"] - 0.01


def test_questions_that_are_made_up_are_as_far_off_as_neighbours(tmp_path):
    stored = StoredVectors.write(in_a_cone(1_000, 1), tmp_path, silent)
    questions = RecallTrial(stored).questions
    to_nearest = stored.search(questions, 1)[1]
    among = stored.search(np.asarray(stored.rows[:200]), 2)[1][:, 1]
    assert abs(np.median(to_nearest) - np.median(among)) < 0.02
    assert np.median(to_nearest) > 0.9, "at .7 they would lie outside of the cone"


def test_questions_of_people_are_asked_where_there_are_enough(tmp_path):
    stored = StoredVectors.write(in_a_cone(300, 1), tmp_path, silent)
    asked = in_a_cone(120, 2)
    taken = RecallTrial(stored, asked).questions
    assert {row.tobytes() for row in taken} == {row.tobytes() for row in normalised(asked)}
    made_up = RecallTrial(stored).questions
    assert RecallTrial(stored, asked[:99]).questions.tobytes() == made_up.tobytes()
    plan = IndexPlan(type="hnsw", questions=asked)
    (tmp_path / "index").mkdir()
    facts = build(np.asarray(stored.rows), plan, tmp_path / "index", silent)
    assert facts.figures["questions"] == 60
    assert "questions" not in facts.parameters and "questions" not in repr(plan)
