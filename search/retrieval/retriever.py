"""What ranks the documents of a corpus for a query, and what every retriever has in common."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from search.corpus.corpus import Corpus
from search.corpus.filters import EVERYTHING, Scope
from search.projects.errors import Refused
from search.retrieval.tiers import PreparedQuery, Ranking, by_tier, without


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
