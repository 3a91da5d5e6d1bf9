"""Keyword search and a model, fused: by rank or by score (see `search.retrieval.fusion`)."""

from collections.abc import Sequence

from search.corpus.filters import EVERYTHING, Scope
from search.retrieval.fusion import Fusion
from search.retrieval.retriever import (
    BaseRetriever,
    EncodingTime,
    PreparedQuery,
    Ranking,
    Retriever,
    answers,
    tier_scopes,
    without,
)


class HybridRetriever(Retriever):
    """Ranks by two sides at once; a document by the best passage of the side that ranks it higher.

    :param words: keyword search.
    :param model: a model's searcher over the same corpus.

    >>> from types import SimpleNamespace
    >>> from search.corpus.corpus import ScoredDocument
    >>> def side(*ranking):
    ...     hits = [ScoredDocument(document, 1.0, document) for document in ranking]
    ...     return SimpleNamespace(corpus=None, prepare_queries=lambda queries, timing: lambda k, scope: [hits])
    >>> both = HybridRetriever("hybrid:mine", side(0, 1, 2), side(1, 3))
    >>> [hit.document for hit in both.rank(["frost"], 3)[0]]
    [1, 0, 3]
    """

    def __init__(
        self, name: str, words: BaseRetriever, model: BaseRetriever, fusion: Fusion = Fusion()
    ) -> None:
        self.name = name
        self.corpus = model.corpus
        self._words = words
        self._model = model
        self._fusion = fusion

    def ranked(
        self, queries: Sequence[str], k: int, scope: Scope, timing: EncodingTime
    ) -> list[Ranking]:
        """See `Retriever.ranked`.

        Where better tiers come first, each side searches each tier; a document answers the query when it does so
        for either side (see `by_tier`).
        """
        words = self._words.prepare_queries(queries, timing)
        return self._joined(words, self._model.prepare_queries(queries, timing), k, scope)

    def expect(self, queries: Sequence[str]) -> None:
        """See `Retriever.expect`."""
        self._model.expect(queries)

    def similar(self, document: int, k: int, scope: Scope = EVERYTHING) -> Ranking:
        """See `Retriever.similar`."""
        words = without(document, self._words.prepare_document(document))
        model = without(document, self._model.prepare_document(document))
        return self._joined(words, model, k, scope)[0]

    def _joined(
        self, words: PreparedQuery, model: PreparedQuery, k: int, scope: Scope
    ) -> list[Ranking]:
        depth = max(self._fusion.depth, k)
        parts = tier_scopes(self.corpus, scope) if scope.tiers_first else [scope]
        found = []
        pairs = zip(_searched(words, depth, parts), _searched(model, depth, parts), strict=True)
        for left, right in pairs:
            sides = [_together(left), _together(right)]
            ranking = self._fusion.fuse(*sides)
            if scope.tiers_first:
                tiers = {
                    f.document: n for side in (left, right) for n, r in enumerate(side) for f in r
                }
                shares = (self._fusion.weight, 1 - self._fusion.weight)
                answering = [answers(s) for s, share in zip(sides, shares, strict=True) if share]
                ahead = set[int]().union(*answering)
                # Stable: within a tier, and among what does not answer, by score.
                ranking.sort(key=lambda f: tiers[f.document] if f.document in ahead else len(parts))
            found.append(ranking[:k])
        return found


def _searched(find: PreparedQuery, depth: int, parts: Sequence[Scope]) -> list[list[Ranking]]:
    """For each query, its ranking in each part."""
    return [list(rankings) for rankings in zip(*(find(depth, part) for part in parts), strict=True)]


def _together(rankings: Sequence[Ranking]) -> Ranking:
    """The rankings of several parts as one, by score."""
    if len(rankings) == 1:
        return rankings[0]
    whole = [found for ranking in rankings for found in ranking]
    return sorted(whole, key=lambda found: (-found.score, found.passage))
