"""Search by a model's vectors."""

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from indexes.vector_index import Positions, VectorIndex, Vectors
from search.corpus.corpus import Corpus, ScoredDocument
from search.corpus.filters import EVERYTHING, Scope
from search.models.encoder import Encoder, Metered
from search.models.linear_adapter import LinearAdapter
from search.models.registry import ModelInfo
from search.projects.settings import LIMITS
from search.retrieval.indexing.servers import in_words
from search.retrieval.retriever import BaseRetriever, EncodingTime, PreparedQuery, Ranking

_PASSAGES = 4  # How many passages are fetched for a document that is wanted, and then again.


class DenseRetriever(BaseRetriever):
    """Ranks by the cosine of a model's vectors; a document by its best passage.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from search.corpus.corpus import CORPUS_FILE, Corpus
    >>> from search.corpus.document import Document
    >>> from search.corpus.writer import CorpusWriter
    >>> folder = tempfile.TemporaryDirectory()
    >>> writer = CorpusWriter(Path(folder.name))
    >>> _ = writer.add([Document("a", "", "rent in gold"), Document("b", "", "frost and dust")])
    >>> _ = writer.close()
    >>> corpus = Corpus(Path(folder.name) / CORPUS_FILE)
    >>> from indexes.flat import FlatIndex
    >>> class Encoder:
    ...     def encode_query(self, inputs):
    ...         return np.array([[float("rent" in text), float("frost" in text)] for text in inputs])
    >>> index = FlatIndex.of(np.array([[1, 0], [0.6, 0.8]], dtype=np.float32))
    >>> info = ModelInfo("mine", "id", "custom", None, 2, "fingerprint", "", "")
    >>> retriever = DenseRetriever(info, Encoder(), index, corpus)
    >>> [(hit.document, round(hit.score, 1)) for hit in retriever.rank(["the frost"], 2)[0]]
    [(1, 0.8), (0, 0.0)]
    >>> folder.cleanup()
    """

    def __init__(
        self, info: ModelInfo, encoder: Encoder, index: VectorIndex, corpus: Corpus
    ) -> None:
        self.name = info.name
        self.info = info
        self.corpus = corpus
        self.encoder = encoder
        self.index = index
        self._count = len(corpus)
        self._owners = corpus.owners if corpus.passages > self._count else None
        self._remembered = _Remembered()

    def prepare_queries(self, queries: Sequence[str], timing: EncodingTime) -> PreparedQuery:
        """See `BaseRetriever.prepare_queries`."""
        vectors = self.vectors_of(queries, timing)
        return lambda k, scope: self.nearest(vectors, k, scope)

    def prepare_document(self, document: int) -> PreparedQuery:
        """See `BaseRetriever.prepare_document`: by the mean of the vectors of its passages."""
        with in_words():
            rows = self.index.vectors[self.corpus.passages_of(document)]
        vectors = np.asarray(rows, dtype=np.float32).mean(axis=0, keepdims=True)
        return lambda k, scope: self.nearest(vectors, k, scope)

    def vectors_of(self, queries: Sequence[str], timing: EncodingTime) -> Vectors:
        """The vectors of queries: shape (n, dimension).

        A query asked by itself is remembered, with the time it took: columns that share a model (`mine`,
        `hybrid:mine`) encode it once, and each is told what encoding it costs.
        """
        known = self._remembered.get(queries[0]) if len(queries) == 1 else None
        if known is None:
            started = time.perf_counter()
            vectors = np.asarray(self.encoder.encode_query(list(queries)), dtype=np.float32)
            known = vectors, time.perf_counter() - started
            timing.encode_here += known[1]
            if len(queries) == 1:
                self._remembered.put(queries[0], known)
        timing.encode += known[1]
        return known[0]

    def expect(self, queries: Sequence[str]) -> None:
        """See `Retriever.expect`: one batch, of which each query is told its share of the time.

        Never a server's: it would read what nobody asked it.
        """
        new = [query for query in dict.fromkeys(queries) if self._remembered.get(query) is None]
        if len(new) < 2 or self.is_metered:
            return
        started = time.perf_counter()
        vectors = np.asarray(self.encoder.encode_query(new), dtype=np.float32)
        share = (time.perf_counter() - started) / len(new)
        for i, query in enumerate(new):
            self._remembered.put(query, (vectors[i : i + 1], share))

    @property
    def is_metered(self) -> bool:
        """Whether what it reads is paid for."""
        return isinstance(_beneath(self.encoder), Metered)

    def nearest(self, vectors: Vectors, k: int, scope: Scope = EVERYTHING) -> list[Ranking]:
        """The documents of the nearest passages, k of them where a scope allows so many."""
        return self._nearest(vectors, k, self.corpus.within(scope))

    def documents_like(self, text: str, k: int, documents: Positions) -> Ranking:
        """Up to k of some documents that are nearest to the text of a document, best first."""
        owners = np.arange(self._count) if self._owners is None else self._owners
        allowed = np.flatnonzero(np.isin(owners, documents))
        if not len(allowed):
            return []  # Nothing is encoded for nothing.
        vectors = np.asarray(self.encoder.encode_document([text]), dtype=np.float32)
        return self._nearest(vectors, k, allowed)[0]

    def passage_of(self, query: str, document: int) -> int | None:
        """The position of a document's passage that is nearest to a query; None where none can be."""
        own = np.asarray(self.corpus.passages_of(document), dtype=np.int64)
        vectors = self.vectors_of([query], EncodingTime())
        with in_words():
            positions, _ = self.index.search(vectors, 1, own)
        return int(positions[0, 0]) if positions[0, 0] >= 0 else None

    def _nearest(self, vectors: Vectors, k: int, allowed: Positions | None) -> list[Ranking]:
        """The nearest passages, until they belong to k documents."""
        most = len(self.index) if allowed is None else len(allowed)
        k = min(k, self._documents_in(allowed))
        fetch = min(most, k if self._owners is None else k * _PASSAGES)
        while fetch:
            with in_words():
                positions, scores = self.index.search(vectors, fetch, allowed)
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
            return len(self.index) if self._owners is None else self._count
        return len(allowed) if self._owners is None else len(np.unique(self._owners[allowed]))

    def _documents(self, positions: Positions, scores: Vectors) -> Ranking:
        """The documents of passages, each at the place of its best one."""
        best: dict[int, ScoredDocument] = {}
        for position, score in zip(positions.tolist(), scores.tolist(), strict=True):
            if position >= 0:
                owner = position if self._owners is None else int(self._owners[position])
                best.setdefault(owner, ScoredDocument(owner, score, position))
        return list(best.values())


def _beneath(encoder: Encoder) -> Encoder:
    """The encoder that reads the texts: what adapters stand on."""
    while isinstance(encoder, LinearAdapter):
        encoder = encoder.base
    return encoder


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
