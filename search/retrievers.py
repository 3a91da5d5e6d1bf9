"""What ranks the documents of a corpus for a query: a model's vectors, or the words themselves."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from indexes.vector_index import Positions, VectorIndex, Vectors
from search.corpus import Corpus, Found
from search.encoders import Encoder
from search.errors import Refused
from search.filters import EVERYTHING, Scope
from search.models import KEYWORD, ModelInfo

_PASSAGES = 4  # How many passages are fetched for a document that is wanted, and then again.
_ANSWERS = 0.7

Ranking = list[Found]
"""Documents that were found, best first."""


class Retriever(Protocol):
    """Anything that ranks the documents of a corpus for queries."""

    @property
    def name(self) -> str:
        """The model's name."""
        ...

    def rank(self, queries: Sequence[str], k: int, scope: Scope = EVERYTHING) -> list[Ranking]:
        """The best k documents of each query within a scope; none for a query without known words."""
        ...


class Searcher:
    """Ranks by the cosine of a model's vectors; a document by its best passage."""

    def __init__(
        self, info: ModelInfo, encoder: Encoder, index: VectorIndex, corpus: Corpus
    ) -> None:
        self.info = info
        self._encoder = encoder
        self._index = index
        self._corpus = corpus
        self._count = len(corpus)
        self._owners = corpus.owners if corpus.passages > self._count else None

    @property
    def name(self) -> str:
        """The model's name."""
        return self.info.name

    @property
    def encoder(self) -> Encoder:
        """The model itself."""
        return self._encoder

    def rank(self, queries: Sequence[str], k: int, scope: Scope = EVERYTHING) -> list[Ranking]:
        """See `Retriever.rank`."""
        if not queries:
            return []
        vectors = np.asarray(self._encoder.encode_query(list(queries)), dtype=np.float32)
        return by_tier(self._corpus, scope, k, lambda part: self._nearest(vectors, k, part))

    def _nearest(self, vectors: Vectors, k: int, scope: Scope) -> list[Ranking]:
        """The nearest passages, until they belong to k documents."""
        allowed = self._corpus.within(scope)
        most = len(self._index) if allowed is None else len(allowed)
        k = min(k, self._documents_in(allowed))
        fetch = min(most, k if self._owners is None else k * _PASSAGES)
        while fetch:
            positions, scores = self._index.search(vectors, fetch, allowed)
            found = [self._documents(*row) for row in zip(positions, scores, strict=True)]
            lacking = any(
                len(ranking) < k and row[-1] >= 0
                for ranking, row in zip(found, positions, strict=True)
            )
            if not lacking or fetch == most:
                return [ranking[:k] for ranking in found]
            fetch = min(most, fetch * _PASSAGES)
        return [[] for _ in vectors]

    def _documents_in(self, allowed: Positions | None) -> int:
        """How many documents passages belong to (None: all of them)."""
        if allowed is None:
            return len(self._index) if self._owners is None else self._count
        return len(allowed) if self._owners is None else len(np.unique(self._owners[allowed]))

    def _documents(self, positions: Positions, scores: Vectors) -> Ranking:
        """The documents of passages, each at the place of its best one."""
        best: dict[int, Found] = {}
        for position, score in zip(positions.tolist(), scores.tolist(), strict=True):
            if position >= 0:
                owner = position if self._owners is None else int(self._owners[position])
                best.setdefault(owner, Found(owner, score, position))
        return list(best.values())


class KeywordSearcher:
    """Ranks by BM25 over the words of title and text: the bar that any embedding should clear."""

    name = KEYWORD

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    def rank(self, queries: Sequence[str], k: int, scope: Scope = EVERYTHING) -> list[Ranking]:
        """See `Retriever.rank`."""
        return by_tier(
            self._corpus,
            scope,
            k,
            lambda part: [self._corpus.keyword_search(query, k, part) for query in queries],
        )


def by_tier(
    corpus: Corpus, scope: Scope, k: int, rank: Callable[[Scope], list[Ranking]]
) -> list[Ranking]:
    """Rank within a scope; where it asks for tiers, each tier is searched and the better tier comes first.

    A document goes ahead of another for its tier only when it answers the query: when its score is at least
    seven tenths of the best one's. The others follow by score. So case law on another matter does not
    come before a blog on this one.

    :raises Refused: when tiers are asked for and the corpus has no rule.
    """
    if not scope.tiers_first:
        return rank(scope)
    tiers = [tier for tier, _ in corpus.tier_sizes()]
    if not tiers:
        raise Refused(
            "The corpus has no source tiers to rank by. Give a rule when adding documents: "
            "--tiers type=case,statute,blog."
        )
    plain = replace(scope, tiers_first=False)
    parts = [rank(replace(plain, tier=tier)) for tier in tiers]
    return [_merged(rankings, k) for rankings in zip(*parts, strict=True)]


def _merged(rankings: Sequence[Ranking], k: int) -> Ranking:
    best = max((found.score for ranking in rankings for found in ranking), default=0.0)
    ahead = [f for ranking in rankings for f in ranking if f.score >= _ANSWERS * best]
    rest = [f for ranking in rankings for f in ranking if f.score < _ANSWERS * best]
    return (ahead + sorted(rest, key=lambda found: -found.score))[:k]
