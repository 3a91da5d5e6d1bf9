"""Keyword search and a model, fused by rank.

Reciprocal rank fusion: Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual
Rank Learning Methods", SIGIR 2009, with their k of 60. A document's score is the sum of 1 / (60 + rank) over the
sides that found it; with weights, each side's part is multiplied by twice its share, so that even shares are the
plain sum. Ranks need no common scale, which BM25 and cosines do not have.
"""

from collections.abc import Sequence

from search.corpus.corpus import ScoredDocument
from search.corpus.filters import EVERYTHING, Scope
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

CONSTANT = 60
DEPTH = 200
"""How many documents of each side are fused, at least: the same for every k, so that ten hits are the first
ten of a hundred."""


class HybridRetriever(Retriever):
    """Ranks by two sides at once; a document by the best passage of the side that ranks it higher.

    :param words: keyword search.
    :param model: a model's searcher over the same corpus.
    :param weight: the share of the keywords, 0 to 1.

    >>> from types import SimpleNamespace
    >>> def side(*ranking):
    ...     hits = [ScoredDocument(document, 1.0, document) for document in ranking]
    ...     return SimpleNamespace(corpus=None, prepare_queries=lambda queries, timing: lambda k, scope: [hits])
    >>> both = HybridRetriever("hybrid:mine", side(0, 1, 2), side(1, 3))
    >>> [hit.document for hit in both.rank(["frost"], 3)[0]]
    [1, 0, 3]
    """

    def __init__(
        self, name: str, words: BaseRetriever, model: BaseRetriever, weight: float = 0.5
    ) -> None:
        self.name = name
        self.corpus = model.corpus
        self._words = words
        self._model = model
        self._weight = weight

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
        depth = max(DEPTH, k)
        parts = tier_scopes(self.corpus, scope) if scope.tiers_first else [scope]
        found = []
        pairs = zip(_searched(words, depth, parts), _searched(model, depth, parts), strict=True)
        for left, right in pairs:
            sides = [_together(left), _together(right)]
            ranking = fused(sides, [self._weight, 1 - self._weight])
            if scope.tiers_first:
                tiers = {
                    f.document: n for side in (left, right) for n, r in enumerate(side) for f in r
                }
                ahead = answers(sides[0]) | answers(sides[1])
                # Stable: within a tier, and among what does not answer, by score.
                ranking.sort(key=lambda f: tiers[f.document] if f.document in ahead else len(parts))
            found.append(ranking[:k])
        return found


def fused(rankings: Sequence[Ranking], weights: Sequence[float]) -> Ranking:
    """Rankings fused by reciprocal rank; equal scores in the order of the last ranking, then by position.

    :param weights: the share of each ranking; what only a ranking of weight 0 found is left out.
    """
    scores: dict[int, float] = {}
    passages: dict[int, tuple[int, int]] = {}
    for ranking, weight in zip(rankings, weights, strict=True):
        for rank, found in enumerate(ranking, start=1):
            share = len(rankings) * weight / (CONSTANT + rank)
            if share:
                scores[found.document] = scores.get(found.document, 0.0) + share
                best = passages.get(found.document, (rank, found.passage))
                passages[found.document] = best if best[0] < rank else (rank, found.passage)
    last = {found.document: rank for rank, found in enumerate(rankings[-1])}
    order = sorted(scores, key=lambda d: (-scores[d], last.get(d, len(last)), d))
    return [ScoredDocument(document, scores[document], passages[document][1]) for document in order]


def _searched(find: PreparedQuery, depth: int, parts: Sequence[Scope]) -> list[list[Ranking]]:
    """For each query, its ranking in each part."""
    return [list(rankings) for rankings in zip(*(find(depth, part) for part in parts), strict=True)]


def _together(rankings: Sequence[Ranking]) -> Ranking:
    """The rankings of several parts as one, by score."""
    if len(rankings) == 1:
        return rankings[0]
    whole = [found for ranking in rankings for found in ranking]
    return sorted(whole, key=lambda found: (-found.score, found.passage))
