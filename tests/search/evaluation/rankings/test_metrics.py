"""Metrics at chosen depths against pytrec_eval, trec_eval's own code, on random runs with grades and missing queries."""

import numpy as np
import pytest
import pytrec_eval

from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.rankings.metrics import MEASURED, Metric, depth_of, metric_names, score
from search.projects.errors import Refused
from tests.search.evaluation.random_runs import random_case

THEIRS = {
    "ndcg@3": "ndcg_cut_3",
    "ndcg@200": "ndcg_cut_200",
    "recall@5": "recall_5",
    "recall@150": "recall_150",
    "precision@1": "P_1",
    "precision@10": "P_10",
    "map@20": "map_cut_20",
    "success@1": "success_1",
    "success@5": "success_5",
}
JUDGED_ONLY = {"condensed_ndcg@10": "ndcg_cut_10", "condensed_ndcg@3": "ndcg_cut_3"}


def by_pytrec_eval(run, query_set, wanted, **how):
    judgments = {q: dict(j) for q, j in query_set.judgments.items()}
    evaluator = pytrec_eval.RelevanceEvaluator(judgments, set(wanted.values()), **how)
    scores = {q: {d: 1 / (n + 1) for n, d in enumerate(ranking)} for q, ranking in run.items()}
    theirs = evaluator.evaluate(scores)
    return {
        ours: [theirs.get(query, {}).get(name, 0.0) for query in sorted(run)]
        for ours, name in wanted.items()
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_every_family_equals_pytrec_eval_at_any_depth(seed):
    run, query_set = random_case(seed)
    found = score(run, query_set, [*THEIRS, *JUDGED_ONLY])
    wanted = by_pytrec_eval(run, query_set, THEIRS)
    wanted |= by_pytrec_eval(run, query_set, JUDGED_ONLY, judged_docs_only_flag=True)
    assert found.keys() == wanted.keys()
    for metric, values in wanted.items():
        assert found[metric] == pytest.approx(values, abs=1e-9), metric
        assert 0 < np.mean(values) < 1, f"{metric} tells nothing here"


def test_what_pytrec_eval_has_no_depth_for_equals_hand_calculation():
    run, query_set = random_case(3)
    found = score(run, query_set, ["mrr@3", "judged@10", "judged@3"])
    for n, query in enumerate(sorted(run)):
        ranking, judged = run[query], query_set.judgments[query]
        first = next((r for r, d in enumerate(ranking[:3], 1) if judged.get(d, 0) > 0), None)
        assert found["mrr@3"][n] == pytest.approx(1 / first if first else 0)
        for depth in (3, 10):
            top = ranking[:depth]
            share = sum(d in judged for d in top) / len(top) if top else 0
            assert found[f"judged@{depth}"][n] == pytest.approx(share)


def test_a_document_that_stands_in_a_ranking_again_counts_once():
    query_set = QuerySet({"q": "?"}, {"q": {"a": 1, "b": 1}})
    again = score({"q": ["x", "a", "a", "a", "b"]}, query_set, ["recall@10", "ndcg@10", "map@100"])
    assert again == score({"q": ["x", "a", "b"]}, query_set, ["recall@10", "ndcg@10", "map@100"])
    assert again["recall@10"] == [1.0]


def test_many_queries_are_scored_in_parts_and_stay_in_order():
    names = [f"q{number:04}" for number in range(1_203)]
    query_set = QuerySet(dict.fromkeys(names, "?"), {name: {name: 1} for name in names})
    run = {name: ["x", name] if number % 3 else [name] for number, name in enumerate(names)}
    found = score(run, query_set, ["mrr@10"])["mrr@10"]
    assert found == [0.5 if number % 3 else 1.0 for number in range(1_203)]


def test_a_query_without_judgments_counts_nothing():
    query_set = QuerySet({"q": "?", "r": "?"}, {"q": {"a": 1}})
    assert score({"q": ["a"], "r": ["a"]}, query_set, ["ndcg@10"]) == {"ndcg@10": [1.0, 0.0]}


def test_names_of_metrics():
    assert metric_names(["recall@50", "NDCG@10"]) == (*MEASURED, "recall@50")
    assert (depth_of(MEASURED), depth_of(["success@500"])) == (100, 500)
    assert Metric.parse(" MRR@007 ").name == "mrr@7"


@pytest.mark.parametrize(
    "text",
    ["", "ndcg", "@10", "ndcg@", "ndcg@0", "ndcg@-1", "ndcg@1.5", "ndcg@1001", "f1@10", "ndcg@²"],
)
def test_what_is_no_metric_is_refused(text):
    with pytest.raises(Refused, match=r"is no metric\. Write one of ndcg, mrr"):
        metric_names([text])
