"""A column read again: the best documents that another column found, in the order that a reranker gives them.

Nogueira and Cho, "Passage Re-ranking with BERT", 2019. A cross-encoder reads the question and the passage by which the
document was found, together; that is too slow for a corpus, and more exact than comparing vectors.
"""

from collections.abc import Sequence

import numpy as np

from search.corpus.corpus import Corpus, ScoredDocument
from search.corpus.filters import EVERYTHING, Scope
from search.models.cross_encoders import Reranker
from search.retrieval.retriever import EncodingTime, Ranking, Retriever, answers


class RerankingRetriever(Retriever):
    """Ranks the first documents of a column anew; the others follow in their order, with a score of 0.

    A score is the logistic function of the model's own, so it is between 0 and 1 and the order is the same.

    >>> from types import SimpleNamespace
    >>> base = SimpleNamespace(rank=lambda *_: [[ScoredDocument(n, 1.0, n) for n in range(3)]])
    >>> corpus = SimpleNamespace(embedded_at=lambda positions: [["one", "three", "seven"][n] for n in positions])
    >>> reranker = SimpleNamespace(depth=2, scores=lambda query, texts: np.array([len(t) for t in texts]))
    >>> retriever = RerankingRetriever("rerank:bm25@longest", base, corpus, reranker)
    >>> [(hit.document, round(hit.score, 3)) for hit in retriever.rank(["?"], 3)[0]]
    [(1, 0.993), (0, 0.953), (2, 0.0)]
    """

    def __init__(self, name: str, base: Retriever, corpus: Corpus, reranker: Reranker) -> None:
        self.name = name
        self._base = base
        self._corpus = corpus
        self._reranker = reranker

    def ranked(
        self, queries: Sequence[str], k: int, scope: Scope, timing: EncodingTime
    ) -> list[Ranking]:
        """See `Retriever.ranked`."""
        depth = self._reranker.depth
        found = self._base.rank(queries, max(k, depth), scope, timing)
        return [
            (self._read(query, ranking[:depth], scope) + _unread(ranking[depth:]))[:k]
            for query, ranking in zip(queries, found, strict=True)
        ]

    def expect(self, queries: Sequence[str]) -> None:
        """See `Retriever.expect`."""
        self._base.expect(queries)

    def similar(self, document: int, k: int, scope: Scope = EVERYTHING) -> Ranking:
        """See `Retriever.similar`: as its column sees it, since a reranker reads questions, not whole documents."""
        return self._base.similar(document, k, scope)

    def _read(self, query: str, ranking: Ranking, scope: Scope) -> Ranking:
        if not ranking:
            return []
        texts = self._corpus.embedded_at([found.passage for found in ranking])
        raw = self._reranker.scores(query, texts)
        chances = 0.5 * (1 + np.tanh(raw / 2))
        order = np.argsort(-raw, kind="stable")
        again = [ranking[n]._replace(score=float(chances[n])) for n in order]
        if scope.tiers_first:
            tiers = self._corpus.tiers_at([found.document for found in again])
            ahead = answers(again)
            last = max(tiers.values()) + 1
            again.sort(key=lambda f: tiers[f.document] if f.document in ahead else last)
        return again


def _unread(ranking: Ranking) -> Ranking:
    return [ScoredDocument(found.document, 0.0, found.passage) for found in ranking]
