"""What ranks the documents of a corpus for a query: a model's vectors, or the words themselves."""

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from indexes.vector_index import Positions, VectorIndex, Vectors
from search.corpus import Corpus, Found
from search.encoders import Encoder
from search.filters import EVERYTHING, Scope
from search.index_servers import in_words
from search.keywords.index import TermIndex
from search.models import KEYWORD, ModelInfo
from search.settings import LIMITS
from search.tiers import Finder, Ranking, by_tier, without

_TELLING = 25  # Terms by which documents like one are looked for.
_PASSAGES = 4  # How many passages are fetched for a document that is wanted, and then again.


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
        """The column's name (see `search.columns`)."""
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


class Searcher:
    """Ranks by the cosine of a model's vectors; a document by its best passage."""

    def __init__(
        self, info: ModelInfo, encoder: Encoder, index: VectorIndex, corpus: Corpus
    ) -> None:
        self.info = info
        self._corpus = corpus
        self._encoder = encoder
        self._index = index
        self._count = len(corpus)
        self._owners = corpus.owners if corpus.passages > self._count else None
        self._remembered = _Remembered()

    @property
    def name(self) -> str:
        """The model's name."""
        return self.info.name

    @property
    def corpus(self) -> Corpus:
        """What it searches."""
        return self._corpus

    @property
    def encoder(self) -> Encoder:
        """The model itself."""
        return self._encoder

    @property
    def index(self) -> VectorIndex:
        """The vectors of the corpus."""
        return self._index

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

    def ready(self, queries: Sequence[str], clock: Clock) -> Finder:
        """See `Source.ready`."""
        vectors = self.vectors_of(queries, clock)
        return lambda k, scope: self.nearest(vectors, k, scope)

    def like(self, document: int) -> Finder:
        """See `Source.like`: by the mean of the vectors of its passages."""
        rows = self._index.vectors[self._corpus.passages_of(document)]
        vectors = np.asarray(rows, dtype=np.float32).mean(axis=0, keepdims=True)
        return lambda k, scope: self.nearest(vectors, k, scope)

    def similar(self, document: int, k: int, scope: Scope = EVERYTHING) -> Ranking:
        """See `Alike.similar`."""
        return by_tier(self._corpus, scope, k, without(document, self.like(document)))[0]

    def vectors_of(self, queries: Sequence[str], clock: Clock) -> Vectors:
        """The vectors of queries: shape (n, dimension).

        A query asked by itself is remembered, with the time it took: columns that share a model (`mine`,
        `hybrid:mine`) encode it once, and each is told what encoding it costs.
        """
        known = self._remembered.get(queries[0]) if len(queries) == 1 else None
        if known is None:
            started = time.perf_counter()
            vectors = np.asarray(self._encoder.encode_query(list(queries)), dtype=np.float32)
            known = vectors, time.perf_counter() - started
            clock.encode_here += known[1]
            if len(queries) == 1:
                self._remembered.put(queries[0], known)
        clock.encode += known[1]
        return known[0]

    def nearest(self, vectors: Vectors, k: int, scope: Scope = EVERYTHING) -> list[Ranking]:
        """The nearest passages, until they belong to k documents."""
        allowed = self.corpus.within(scope)
        most = len(self._index) if allowed is None else len(allowed)
        k = min(k, self._documents_in(allowed))
        fetch = min(most, k if self._owners is None else k * _PASSAGES)
        while fetch:
            with in_words():
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
    """Ranks by BM25 over the words of title and text: the bar that any embedding should clear.

    :param index: the words of the passages of the corpus.
    """

    name = KEYWORD

    def __init__(self, corpus: Corpus, index: TermIndex) -> None:
        self._corpus = corpus
        self._index = index
        self._owners = corpus.owners if corpus.passages > len(corpus) else None

    @property
    def corpus(self) -> Corpus:
        """What it searches."""
        return self._corpus

    @property
    def index(self) -> TermIndex:
        """The words of the corpus."""
        return self._index

    def rank(
        self,
        queries: Sequence[str],
        k: int,
        scope: Scope = EVERYTHING,
        clock: Clock | None = None,
    ) -> list[Ranking]:
        """See `Retriever.rank`."""
        return by_tier(self._corpus, scope, k, self.ready(queries, clock or Clock()))

    def ready(self, queries: Sequence[str], _clock: Clock) -> Finder:
        """See `Source.ready`."""
        return self._finder([self._weights(query) for query in queries])

    def like(self, document: int) -> Finder:
        """See `Source.like`: by the terms that weigh most in it (count times inverse document frequency).

        So does Lucene's MoreLikeThis, and as there each of them counts once.
        """
        texts = self._corpus.embedded_at(self._corpus.passages_of(document))
        terms = [term for text in texts for term in self._index.analysis.terms(text)]
        return self._finder([dict.fromkeys(self._index.weights(terms, _TELLING), 1.0)])

    def similar(self, document: int, k: int, scope: Scope = EVERYTHING) -> Ranking:
        """See `Alike.similar`."""
        return by_tier(self._corpus, scope, k, without(document, self.like(document)))[0]

    def _finder(self, wanted: Sequence[Mapping[int, float]]) -> Finder:
        def find(k: int, scope: Scope) -> list[Ranking]:
            allowed = self._corpus.within(scope)
            return [self.best(weights, k, allowed) for weights in wanted]

        return find

    def best(
        self, weights: Mapping[int, float], k: int, allowed: Positions | None = None
    ) -> Ranking:
        """The best documents for weighted terms, each by its best passage; equal scores by position.

        :param weights: numbers of terms (see `TermIndex.weights`) and how much each counts.
        :param allowed: the passages that may be found; None for all.
        """
        scores = self._index.score(weights)
        places = np.flatnonzero(scores) if allowed is None else allowed[scores[allowed] > 0]
        if not len(places):
            return []
        found = scores[places]
        if self._owners is not None:
            # The passages of a document stand together: its best score is the largest of a run of equal owners.
            owners = self._owners[places]
            firsts = np.flatnonzero(np.concatenate([[True], owners[1:] != owners[:-1]]))
            found = np.maximum.reduceat(found, firsts)
            stops = np.append(firsts[1:], len(places))
        if k < len(found):
            least = np.partition(found, len(found) - k)[len(found) - k]
            kept = np.flatnonzero(found >= least)
        else:
            kept = np.arange(len(found))
        kept = kept[np.argsort(-found[kept], kind="stable")][:k]
        if self._owners is None:
            return [Found(int(places[n]), float(found[n]), int(places[n])) for n in kept]
        ranking = []
        for n in kept:
            run = places[firsts[n] : stops[n]]
            passage = int(run[np.argmax(scores[run])])
            ranking.append(Found(int(owners[firsts[n]]), float(found[n]), passage))
        return ranking

    def _weights(self, query: str) -> dict[int, float]:
        return self._index.weights(self._index.analysis.terms(query), LIMITS.query_terms)


class _Remembered:
    """The vectors of the last queries, with the seconds that each took. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[Vectors, float]] = OrderedDict()

    def get(self, query: str) -> tuple[Vectors, float] | None:
        with self._lock:
            return self._known.get(query)

    def put(self, query: str, known: tuple[Vectors, float]) -> None:
        with self._lock:
            self._known[query] = known
            while len(self._known) > LIMITS.remembered_queries:
                self._known.popitem(last=False)
