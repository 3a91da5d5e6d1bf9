"""Rankings of many queries by several columns, as they are measured: a batch of queries at a time, copies as one document."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.rankings.exact_duplicates import ExactDuplicates
from search.evaluation.rankings.metrics import DEPTH
from search.projects.progress import Progress, Stage, silent
from search.retrieval.retriever import Retriever

_BATCH = 64

Run = dict[str, list[str]]
"""Query id to document ids, best first."""


@dataclass(frozen=True)
class Ranked:
    """What one column found, by query id: `run` with copies as one document, `whole` as it came.

    Where a corpus has no copies, the two are the same.

    >>> Ranked({"q": ["a", "b"]}, {"q": ["a", "a2"]}).run["q"]
    ['a', 'b']
    """

    run: Run
    whole: Run


@dataclass(frozen=True)
class RankingRules:
    """How rankings are read: so many documents of each, copies as one, without what is a query itself.

    :param left_out: documents that stay out of the ranking of a query, by its id.

    >>> from types import SimpleNamespace
    >>> from search.corpus.corpus import ScoredDocument
    >>> one = SimpleNamespace(name="one", rank=lambda texts, k: [[ScoredDocument(n, 1.0, n) for n in range(3)]])
    >>> rules = RankingRules(depth=2, left_out={"q": {"b"}})
    >>> rules.rank([one], ["a", "b", "c"], QuerySet({"q": "?"}, {"q": {"c": 1}}))["one"].run
    {'q': ['a', 'c']}
    """

    depth: int = DEPTH
    left_out: Mapping[str, Collection[str]] = field(default_factory=dict)
    copies: ExactDuplicates = field(default_factory=ExactDuplicates)

    def rank(
        self,
        retrievers: Sequence[Retriever],
        ids: Sequence[str],
        query_set: QuerySet,
        progress: Progress = silent,
    ) -> dict[str, Ranked]:
        """Every query of a set, asked of every column; by the column's name.

        :param ids: of all documents, by position.
        """
        found = {retriever.name: Ranked({}, {}) for retriever in retrievers}
        queries = sorted(query_set.queries)
        for number, retriever in enumerate(retrievers):
            stage = Stage(progress, number / len(retrievers), (number + 1) / len(retrievers))
            message = f"searching {len(queries):,} held-out queries with {retriever.name}"
            ranked = found[retriever.name]
            for start in range(0, len(queries), _BATCH):
                stage(start, len(queries), message)
                asked = query_set.only(queries[start : start + _BATCH])
                for query, whole, run in self._read(retriever, ids, asked):
                    ranked.run[query] = run
                    ranked.whole[query] = whole if self.copies else run
        return found

    def _read(
        self, retriever: Retriever, ids: Sequence[str], asked: QuerySet
    ) -> Iterator[tuple[str, list[str], list[str]]]:
        """Each query with its ranking as it came, and with copies as one: read on until that is deep enough."""
        names = list(asked.queries)
        deep = self.depth + max(len(self.left_out.get(query, ())) for query in names)
        while names:
            rankings = retriever.rank([asked.queries[query] for query in names], deep)
            short = []
            for query, ranking in zip(names, rankings, strict=True):
                named = (ids[hit.document] for hit in ranking)
                whole, run = self._counted(query, named, asked.relevant(query))
                if len(run) < self.depth and len(ranking) == deep < len(ids) and self.copies:
                    short.append(query)
                else:
                    yield query, whole[: self.depth], run[: self.depth]
            names, deep = short, 2 * deep

    def read(self, run: Mapping[str, Sequence[str]], query_set: QuerySet) -> Ranked:
        """What another program found, by the same rules."""
        ranked = Ranked({}, {})
        for query in sorted(query_set.queries):
            whole, one = self._counted(query, run.get(query, ()), query_set.relevant(query))
            ranked.run[query], ranked.whole[query] = one[: self.depth], whole[: self.depth]
        return ranked

    def _counted(
        self, query: str, ranking: Iterable[str], relevant: Collection[str]
    ) -> tuple[list[str], list[str]]:
        """A ranking as it came, and with copies as one, both without what is the query itself."""
        own = self.left_out.get(query, frozenset())
        whole = [document for document in ranking if document not in own]
        return whole, self.copies.distinct(whole, own, relevant)
