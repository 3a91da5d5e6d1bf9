"""The metrics by which rankings are compared, a value a query.

They come from ir-measures (pytrec_eval underneath; RR and Judged by its own code), with trec_eval's definitions: nDCG with
linear gains, judgments of 0 not relevant, a query for which nothing was found counts 0. `condensed_ndcg` is nDCG of the
ranking without the documents that nobody judged (Sakai, "Alternatives to Bpref", SIGIR 2007; trec_eval -J).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.evaluation.query_sets.query_set import QuerySet
from search.projects.errors import Refused
from search.projects.settings import LIMITS

if TYPE_CHECKING:
    from ir_measures.measures import Measure

METRICS = ("ndcg@10", "mrr@10", "recall@10", "recall@100", "map@100")
MAIN_METRIC = "ndcg@10"
JUDGED = "judged@10"
CONDENSED = "condensed_ndcg@10"
MEASURED = (*METRICS, JUDGED, CONDENSED)
"""What every evaluation measures; more may be asked for."""
DEPTH = 100

FAMILIES = ("ndcg", "mrr", "recall", "precision", "map", "success", "judged", "condensed_ndcg")
_BATCH = 500

Scores = dict[str, list[float]]
"""A metric's name to one value a query, in the order of the evaluation's queries."""


@dataclass(frozen=True)
class Metric:
    """A metric at a depth, as its name says it.

    >>> Metric.parse("Recall@50"), Metric.parse("ndcg@5").name
    (Metric(family='recall', depth=50), 'ndcg@5')
    """

    family: str
    depth: int

    @property
    def name(self) -> str:
        """How it is written."""
        return f"{self.family}@{self.depth}"

    @classmethod
    def parse(cls, text: str) -> "Metric":
        """The metric that a text names.

        :raises Refused: when there is no such metric, or its depth is not a number from 1 to the most hits there are.
        """
        family, sign, depth = text.strip().lower().partition("@")
        if sign and family in FAMILIES and depth.isdecimal() and depth.isascii():
            made = cls(family, int(depth[:9]))
            if 1 <= made.depth <= LIMITS.max_hits:
                return made
        raise Refused(
            f"{text!r} is no metric. Write one of {', '.join(FAMILIES)} with a depth from 1 to {LIMITS.max_hits:,}, "
            "such as ndcg@10 or recall@50."
        )

    def measure(self) -> "Measure":
        """The same as ir-measures names it."""
        from ir_measures import AP, RR, Judged, P, R, Success, nDCG

        made = {
            "ndcg": nDCG, "mrr": RR, "recall": R, "precision": P, "map": AP, "success": Success,
            "judged": Judged, "condensed_ndcg": nDCG(judged_only=True),
        }  # fmt: skip
        return made[self.family] @ self.depth


def metric_names(more: Iterable[str] = ()) -> tuple[str, ...]:
    """What an evaluation measures: what every one does, and what was asked for, each once.

    :raises Refused: for what is no metric.
    """
    return tuple(dict.fromkeys([*MEASURED, *(Metric.parse(name).name for name in more)]))


def depth_of(metrics: Iterable[str]) -> int:
    """How deep rankings must be for these metrics."""
    return max((Metric.parse(name).depth for name in metrics), default=DEPTH)


def score(
    run: Mapping[str, Sequence[str]], query_set: QuerySet, metrics: Sequence[str] = METRICS
) -> Scores:
    """Each metric for each query (sorted by id).

    :param run: query id to document ids, best first. A document that stands there again is not counted again.
    :param query_set: the judgments.
    :param metrics: which; whoever measures again and again while learning needs one alone.
    :raises Refused: for what is no metric.
    """
    import ir_measures

    names = {Metric.parse(metric).measure(): metric for metric in metrics}
    queries = sorted(run)
    found: dict[str, dict[str, float]] = {name: {} for name in metrics}
    # Some at a time: as pytrec_eval takes them, a hundred documents of ten thousand queries fill a gigabyte.
    for start in range(0, len(queries), _BATCH):
        asked = queries[start : start + _BATCH]
        qrels = {q: dict(query_set.judgments[q]) for q in asked if query_set.judgments.get(q)}
        # trec_eval orders by score, ties by document id: falling whole numbers keep our order instead.
        documents = {
            q: {d: float(-rank) for rank, d in enumerate(dict.fromkeys(run[q]))}
            for q in asked
            if run[q] and q in qrels
        }
        if documents:
            for value in ir_measures.iter_calc(list(names), qrels, documents):
                found[names[value.measure]][value.query_id] = float(value.value)
    return {name: [found[name].get(query, 0.0) for query in queries] for name in metrics}


def metric_title(name: str) -> str:
    """What people call a metric.

    >>> metric_title("ndcg@10"), metric_title("recall@100")
    ('nDCG@10', 'recall@100')
    """
    kind, sign, depth = name.partition("@")
    return {"ndcg": "nDCG", "mrr": "MRR", "map": "MAP"}.get(kind, kind) + sign + depth
