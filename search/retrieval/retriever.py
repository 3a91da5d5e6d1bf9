"""What ranks the documents of a corpus for a query, and what every retriever has in common.

Source tiers inside a search: case law before blogs, among what answers the question.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from search.corpus.corpus import Corpus, ScoredDocument
from search.corpus.filters import EVERYTHING, Scope
from search.projects.errors import Refused

_ANSWERS = 0.7

Ranking = list[ScoredDocument]
"""Documents that were found, best first."""

PreparedQuery = Callable[[int, Scope], list[Ranking]]
"""Queries that are ready to be searched for: the best k documents of each in a scope, tiers not looked at."""


@dataclass
class EncodingTime:
    """What making the vectors of queries costs, in seconds.

    `encode` counts what was remembered with the time it took when it was made; `encode_here` only what was
    spent now.

    >>> timing = EncodingTime()
    >>> timing.encode += 0.25
    >>> timing
    EncodingTime(encode=0.25, encode_here=0.0)
    """

    encode: float = 0.0
    encode_here: float = 0.0


class Retriever(ABC):
    """Anything that ranks the documents of a corpus for queries.

    >>> class Nothing(Retriever):
    ...     name = "nothing"
    ...     def ranked(self, queries, k, scope, timing):
    ...         return [[] for _ in queries]
    >>> Nothing().rank(["rent", "frost"], k=3)
    [[], []]
    """

    name: str
    """The column's name (see `search.retrieval.columns`)."""

    def rank(
        self,
        queries: Sequence[str],
        k: int,
        scope: Scope = EVERYTHING,
        timing: EncodingTime | None = None,
    ) -> list[Ranking]:
        """The best k documents of each query within a scope; none for a query without known words.

        :param timing: is told how long encoding the queries took.
        """
        return self.ranked(queries, k, scope, timing or EncodingTime()) if queries else []

    @abstractmethod
    def ranked(
        self, queries: Sequence[str], k: int, scope: Scope, timing: EncodingTime
    ) -> list[Ranking]:
        """`rank`, for one query at least."""

    def expect(self, queries: Sequence[str]) -> None:
        """Make several queries ready that will be asked one by one, where that is cheaper together."""
        return  # Most have nothing to make ready.

    def similar(self, document: int, k: int, scope: Scope = EVERYTHING) -> Ranking:
        """The best k documents like the one at a position, itself left out.

        :raises Refused: when it cannot look for such.
        """
        raise Refused(f"{self.name!r} cannot look for documents like one.")


class BaseRetriever(Retriever):
    """What ranking is made of, for whatever ranks by itself: questions made ready, and documents like one.

    >>> from search.corpus.corpus import ScoredDocument
    >>> class Same(BaseRetriever):
    ...     corpus = None
    ...     def prepare_queries(self, queries, timing):
    ...         return lambda k, scope: [[ScoredDocument(n, 1.0 - n / 10, n) for n in range(k)] for _ in queries]
    ...     def prepare_document(self, document):
    ...         return self.prepare_queries([""], EncodingTime())
    >>> [hit.document for hit in Same().rank(["rent"], 3)[0]]
    [0, 1, 2]
    >>> [hit.document for hit in Same().similar(1, 3)]
    [0, 2, 3]
    """

    corpus: Corpus
    """What it searches."""

    @abstractmethod
    def prepare_queries(self, queries: Sequence[str], timing: EncodingTime) -> PreparedQuery:
        """Make the queries ready; vectors are made here, once, however often is searched."""

    @abstractmethod
    def prepare_document(self, document: int) -> PreparedQuery:
        """What finds documents like the one at a position, itself among them."""

    def ranked(
        self, queries: Sequence[str], k: int, scope: Scope, timing: EncodingTime
    ) -> list[Ranking]:
        """See `Retriever.ranked`."""
        return by_tier(self.corpus, scope, k, self.prepare_queries(queries, timing))

    def similar(self, document: int, k: int, scope: Scope = EVERYTHING) -> Ranking:
        """See `Retriever.similar`."""
        return by_tier(self.corpus, scope, k, without(document, self.prepare_document(document)))[0]


def tier_scopes(corpus: Corpus, scope: Scope) -> list[Scope]:
    """The parts of a scope, one for each source tier, the best first.

    :raises Refused: when the corpus has no rule.
    """
    tiers = [tier for tier, _ in corpus.tier_sizes()]
    if not tiers:
        raise Refused(
            "The corpus has no source tiers to rank by. Give a rule when adding documents: "
            "--tiers type=case,statute,blog."
        )
    return [replace(scope, tiers_first=False, tier=tier) for tier in tiers]


def without(document: int, find: PreparedQuery) -> PreparedQuery:
    """A finder that leaves a document out, inside the search: k documents stay k."""

    def others(k: int, scope: Scope) -> list[Ranking]:
        return [
            [found for found in ranking if found.document != document][:k]
            for ranking in find(k + 1, scope)
        ]

    return others


def by_tier(corpus: Corpus, scope: Scope, k: int, find: PreparedQuery) -> list[Ranking]:
    """Rank within a scope; where it asks for tiers, each tier is searched and the better tier comes first.

    A document goes ahead of another for its tier only when it answers the query: when its score is at least
    seven tenths of the best one's. The others follow by score. So case law on another matter does not
    come before a blog on this one.

    :raises Refused: when tiers are asked for and the corpus has no rule.
    """
    if not scope.tiers_first:
        return find(k, scope)
    parts = [find(k, part) for part in tier_scopes(corpus, scope)]
    return [_merged(rankings, k) for rankings in zip(*parts, strict=True)]


def answers(ranking: Sequence[ScoredDocument]) -> set[int]:
    """The documents of a ranking that answer its query: at least seven tenths of the best score."""
    best = max((found.score for found in ranking), default=0.0)
    return {found.document for found in ranking if found.score >= _ANSWERS * best}


def _merged(rankings: Sequence[Ranking], k: int) -> Ranking:
    answering = answers([found for ranking in rankings for found in ranking])
    ahead = [f for ranking in rankings for f in ranking if f.document in answering]
    rest = [f for ranking in rankings for f in ranking if f.document not in answering]
    return (ahead + sorted(rest, key=lambda found: -found.score))[:k]
