"""The metrics by which rankings are compared, a value a query.

They come from ir-measures (pytrec_eval underneath), with trec_eval's definitions: nDCG with linear gains, judgments of 0
not relevant, a query for which nothing was found counts 0.
"""

from collections.abc import Sequence

from search.evaluation.query_set import QuerySet

METRICS = ("ndcg@10", "mrr@10", "recall@10", "recall@100", "map@100")
MAIN_METRIC = "ndcg@10"
DEPTH = 100

Scores = dict[str, list[float]]
"""A metric's name to one value a query, in the order of the evaluation's queries."""


def score(
    run: dict[str, list[str]], query_set: QuerySet, metrics: Sequence[str] = METRICS
) -> Scores:
    """Each metric for each query (sorted by id).

    :param run: query id to document ids, best first.
    :param query_set: the judgments.
    :param metrics: which of `METRICS`; whoever measures again and again while learning needs one alone.
    """
    import ir_measures
    from ir_measures import AP, RR, R, nDCG

    measures = (nDCG @ 10, RR @ 10, R @ 10, R @ 100, AP @ 100)
    known = zip(measures, METRICS, strict=True)
    names = {measure: name for measure, name in known if name in metrics}
    queries = sorted(run)
    qrels = [
        ir_measures.Qrel(query, document, grade)
        for query in queries
        for document, grade in query_set.judgments[query].items()
    ]
    # trec_eval orders by score, ties by document id: falling whole numbers keep our order instead.
    docs = [
        ir_measures.ScoredDoc(query, document, float(-rank))
        for query in queries
        for rank, document in enumerate(run[query])
    ]
    found: dict[str, dict[str, float]] = {name: {} for name in metrics}
    if docs:
        for value in ir_measures.iter_calc(list(names), qrels, docs):
            found[names[value.measure]][value.query_id] = float(value.value)
    return {name: [found[name].get(query, 0.0) for query in queries] for name in metrics}


def metric_title(name: str) -> str:
    """What people call a metric.

    >>> metric_title("ndcg@10"), metric_title("recall@100")
    ('nDCG@10', 'recall@100')
    """
    kind, sign, depth = name.partition("@")
    return {"ndcg": "nDCG", "mrr": "MRR", "map": "MAP"}.get(kind, kind) + sign + depth
