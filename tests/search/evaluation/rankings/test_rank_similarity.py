"""Rank similarity against the papers' formulas and scipy; the questions that columns answer most differently."""

import itertools
import json

import numpy as np
import pytest
from scipy import stats

from search.evaluation.query_sets.query_set import current_query_set
from search.evaluation.rankings.rank_similarity import (
    disagreements,
    disagreements_path,
    kendall_tau,
    known_disagreements,
    rank_biased_overlap,
    rank_similarities,
)
from search.models.cross_encoders import add_reranker, remove_reranker
from search.projects.errors import Refused
from search.projects.project import project_to_be
from search.retrieval.results import Best, Comparison, Hit, SearchResult
from search.retrieval.search import retrievers_for
from training.data.intake import import_beir
from training.train import train


def _rankings(seed):
    rng = np.random.default_rng(seed)
    pool = [f"d{n}" for n in range(14)]
    return [rng.permutation(pool)[: rng.integers(1, 13)].tolist() for _ in range(2)]


def _extrapolated(first, other, p):
    """Rank-biased overlap summed to depth 3,000, agreement beyond the lists as the paper assumes it.

    Unseen ranks of the longer list go on agreeing as at its end, and the shorter one's missing part as at its own.
    """
    short, long = sorted((first, other), key=len)
    s, n = len(short), len(long)
    x_s = len(set(short) & set(long[:s]))
    x_n = len(set(short) & set(long))
    total = 0.0
    for depth in range(1, 3000):
        if depth <= s:
            agreement = len(set(short[:depth]) & set(long[:depth])) / depth
        elif depth <= n:
            agreement = (len(set(short) & set(long[:depth])) + x_s * (depth - s) / s) / depth
        else:
            agreement = (x_n + x_s * (n - s) / s) / n
        total += (1 - p) * p ** (depth - 1) * agreement
    return total


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("p", [0.9, 0.5])
def test_rank_biased_overlap_is_the_sum_it_stands_for(seed, p):
    first, other = _rankings(seed)
    value = rank_biased_overlap(first, other, p)
    assert value == pytest.approx(_extrapolated(first, other, p), abs=1e-9)
    assert rank_biased_overlap(other, first, p) == pytest.approx(value)
    assert 0 <= value <= 1 + 1e-12


def test_rank_biased_overlap_at_its_ends():
    assert rank_biased_overlap(list("abcde"), list("abcde")) == pytest.approx(1)
    assert rank_biased_overlap(list("abc"), list("xyz")) == 0
    assert rank_biased_overlap([], []) == 1
    assert rank_biased_overlap([], ["a"]) == rank_biased_overlap(["a"], []) == 0
    top, bottom = list("bacdef"), list("abcdfe")
    assert rank_biased_overlap(list("abcdef"), top) < rank_biased_overlap(list("abcdef"), bottom)


@pytest.mark.parametrize("seed", range(25))
def test_kendall_tau_equals_scipys_over_the_union(seed):
    first, other = _rankings(seed)
    union = sorted(set(first) | set(other))
    ranks = [[r.index(d) if d in r else 99 for d in union] for r in (first, other)]
    wanted = stats.kendalltau(*ranks).statistic if len(union) > 1 else float("nan")
    value = kendall_tau(first, other)
    assert value is None if np.isnan(wanted) else value == pytest.approx(wanted)


def test_kendall_tau_at_its_ends():
    assert kendall_tau(list("abc"), list("abc")) == 1
    assert kendall_tau(list("abc"), list("cba")) == -1
    assert kendall_tau([], []) is None
    assert kendall_tau(["a"], ["a"]) is None


def _result(model, ids):
    best = Best("", "", None, 1, 1)
    return SearchResult(model, [Hit(n, i, 0.0, "", "", best) for n, i in enumerate(ids, 1)], 1.0)


def test_of_a_comparison():
    found = Comparison("q", 4, [_result("g", "abcd"), _result("m", "badx"), _result("e", "")])
    mine, none = rank_similarities(found)
    assert (mine.first, mine.other, mine.common, mine.of, mine.overlap) == ("g", "m", 3, 4, 0.75)
    assert mine.biased_overlap == rank_biased_overlap(list("abcd"), list("badx"))
    assert mine.tau == kendall_tau(list("abcd"), list("badx"))
    assert (none.common, none.of, none.biased_overlap, none.tau) == (0, 4, 0.0, None)
    both = rank_similarities(Comparison("q", 4, [_result("g", ""), _result("m", "")]))[0]
    assert (both.overlap, both.biased_overlap) == (1.0, 1.0)


@pytest.fixture
def project(workspace, tiny_beir):
    made = project_to_be("p")
    import_beir(made, tiny_beir)
    train(made, "word2vec", "words", {"vector_size": 8, "min_count": 1, "epochs": 1})
    return made


def test_disagreements_without_any_evaluation(project):
    names = ["bm25", "words", "hybrid:words"]
    assert known_disagreements(project, names) is None
    found = disagreements(project, names)
    retrievers, _ = retrievers_for(project, names)
    _, query_set = current_query_set(project)
    assert {one.query: one.text for one in found} == dict(query_set.queries)
    for one in found:
        first, *others = (
            [f.document for f in retriever.rank([one.text], 10)[0]] for retriever in retrievers
        )
        wanted = max(1 - rank_biased_overlap(first, other) for other in others)
        assert one.distance == pytest.approx(wanted, abs=1e-5)
    assert all(a.distance >= b.distance for a, b in itertools.pairwise(found))
    assert found[0].distance > found[-1].distance


def test_disagreements_are_found_once(project, monkeypatch):
    names = ["bm25", "words"]
    found = disagreements(project, names)
    monkeypatch.setattr("search.evaluation.rankings.rank_similarity.retrievers_for", None)
    assert disagreements(project, names) == known_disagreements(project, names) == found
    path = disagreements_path(project, names)
    path.write_text("{")
    assert known_disagreements(project, names) is None
    path.write_text(json.dumps([{"query": 1}]))
    assert known_disagreements(project, names) is None
    assert disagreements_path(project, ["words", "bm25"]) != path
    train(project, "word2vec", "newer", {"vector_size": 8, "min_count": 1, "epochs": 1})
    assert disagreements_path(project, ["bm25", "newer"]) != path


def test_disagreements_of_another_reranker_under_the_same_name(project, tiny_cross_encoder):
    names = ["bm25", "rerank:bm25@ce"]
    add_reranker(project, str(tiny_cross_encoder), "ce", depth=8)
    found = disagreements(project, names)
    remove_reranker(project, "ce")
    add_reranker(project, str(tiny_cross_encoder), "ce", depth=8)
    assert known_disagreements(project, names) == found
    remove_reranker(project, "ce")
    add_reranker(project, str(tiny_cross_encoder), "ce", depth=2)
    assert known_disagreements(project, names) is None
    assert disagreements(project, names) != found


def test_disagreements_need_a_query_set_and_columns_that_exist(project, call_cli):
    with pytest.raises(Refused, match="no model 'nope'"):
        disagreements(project, ["nope"])
    done = call_cli("disagree", "p", "--model", "bm25", "--model", "words", "-k", 3, "--json")
    assert done.status == 0, done.err
    rows = json.loads(done.out)
    wanted = disagreements(project, ["bm25", "words"])[:3]
    assert [row["query"] for row in rows] == [one.query for one in wanted]
