"""What ranks the documents of a corpus for a query: the protocols, and what every retriever has in common."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from search.corpus.corpus import Corpus
from search.corpus.filters import EVERYTHING, Scope
from search.retrieval.tiers import Finder, Ranking, by_tier, without


@dataclass
class Clock:
    """What making the vectors of queries costs, in seconds.

    `encode` counts what was remembered with the time it took when it was made; `encode_here` only what was
    spent now.
    """

    encode: float = 0.0
    encode_here: float = 0.0


class Retriever(Protocol):
    """Anything that ranks the documents of a corpus for queries."""

    @property
    def name(self) -> str:
        """The column's name (see `search.retrieval.columns`)."""
        ...

    def rank(
        self,
        queries: Sequence[str],
        k: int,
        scope: Scope = EVERYTHING,
        clock: Clock | None = None,
    ) -> list[Ranking]:
        """The best k documents of each query within a scope; none for a query without known words.

        :param clock: is told how long encoding the queries took.
        """
        ...


@runtime_checkable
class Alike(Protocol):
    """A retriever that can look for documents like one that is given."""

    def similar(self, document: int, k: int, scope: Scope = EVERYTHING) -> Ranking:
        """The best k documents like the one at a position, itself left out."""
        ...


class Source(Retriever, Alike, Protocol):
    """A retriever that ranks by itself, so that it can be one side of a hybrid."""

    @property
    def corpus(self) -> Corpus:
        """What it searches."""
        ...

    def ready(self, queries: Sequence[str], clock: Clock) -> Finder:
        """Make the queries ready; vectors are made here, once, however often is searched."""
        ...

    def like(self, document: int) -> Finder:
        """What finds documents like the one at a position, itself among them."""
        ...


class Ranks(ABC):
    """What ranking is made of, for whatever ranks by itself: questions made ready, and documents like one."""

    @property
    @abstractmethod
    def corpus(self) -> Corpus:
        """See `Source.corpus`."""

    @abstractmethod
    def ready(self, queries: Sequence[str], clock: Clock) -> Finder:
        """See `Source.ready`."""

    @abstractmethod
    def like(self, document: int) -> Finder:
        """See `Source.like`."""

    def rank(
        self,
        queries: Sequence[str],
        k: int,
        scope: Scope = EVERYTHING,
        clock: Clock | None = None,
    ) -> list[Ranking]:
        """See `Retriever.rank`."""
        if not queries:
            return []
        return by_tier(self.corpus, scope, k, self.ready(queries, clock or Clock()))

    def similar(self, document: int, k: int, scope: Scope = EVERYTHING) -> Ranking:
        """See `Alike.similar`."""
        return by_tier(self.corpus, scope, k, without(document, self.like(document)))[0]
