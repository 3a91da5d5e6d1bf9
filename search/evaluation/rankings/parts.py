"""What ranks in an evaluation: each query is read once by each model, and copies are one document on each side of a fusion."""

from collections.abc import Mapping, Sequence

import numpy as np

from indexes.vector_index import Vectors
from search.corpus.corpus import Corpus, ScoredDocument
from search.corpus.filters import Scope
from search.models.cross_encoders import Reranker
from search.models.encoder import Encoder, Metered
from search.models.encoding.texts import encode_texts, transformer_of
from search.models.linear_adapter import matrix_of
from search.models.registry import ModelInfo, base_of
from search.projects.artifacts import Manifest
from search.projects.progress import Progress, silent
from search.projects.project import Project
from search.retrieval.dense import DenseRetriever
from search.retrieval.fusion import Fusion
from search.retrieval.retriever import BaseRetriever, EncodingTime, PreparedQuery, Ranking
from search.retrieval.search import ProjectParts
from search.retrieval.sparse import BM25Retriever


class PartsOnce:
    """The parts of a project's retrievers, each made once however often they are put together.

    >>> PartsOnce.dense.__doc__
    'See `RetrieverParts.dense`.'
    """

    def __init__(self, project: Project, manifest: Manifest, corpus: Corpus) -> None:
        self.project = project
        self.corpus = corpus
        self._parts = ProjectParts(project, manifest, corpus)
        self._dense: dict[str, DenseRetriever] = {}
        self._rerankers: dict[str, Reranker] = {}
        self._bm25: BM25Retriever | None = None

    def dense(self, info: ModelInfo, progress: Progress = silent) -> DenseRetriever:
        """See `RetrieverParts.dense`."""
        if info.id not in self._dense:
            self._dense[info.id] = self._parts.dense(info, progress)
        return self._dense[info.id]

    def bm25(self, progress: Progress = silent) -> BM25Retriever:
        """See `RetrieverParts.bm25`."""
        if self._bm25 is None:
            self._bm25 = self._parts.bm25(progress)
        return self._bm25

    def fusion(self, info: ModelInfo) -> Fusion:
        """See `RetrieverParts.fusion`."""
        return self._parts.fusion(info)

    def reranker(self, name: str) -> Reranker:
        """See `RetrieverParts.reranker`."""
        if name not in self._rerankers:
            self._rerankers[name] = self._parts.reranker(name)
        return self._rerankers[name]


class KnownQueries:
    """An encoder that has read some queries already.

    >>> from search.models.word_vectors import WordVectors
    >>> words = WordVectors(["rent", "due"], [1, 1], np.eye(2, dtype=np.float32), "mean")
    >>> KnownQueries(words, ["rent"], np.array([[0.0, 1.0]], dtype=np.float32)).encode_query(["rent", "due"]).tolist()
    [[0.0, 1.0], [0.0, 1.0]]
    """

    def __init__(self, encoder: Encoder, texts: Sequence[str], vectors: Vectors) -> None:
        self._encoder = encoder
        self._rows = {text: row for row, text in enumerate(texts)}
        self._vectors = vectors

    def encode_query(self, inputs: Sequence[str]) -> Vectors:
        """See `Encoder.encode_query`."""
        new = [text for text in inputs if text not in self._rows]
        made = dict(zip(new, self._encoder.encode_query(new), strict=True)) if new else {}
        return np.stack(
            [
                self._vectors[self._rows[text]] if text in self._rows else made[text]
                for text in inputs
            ]
        )

    def encode_document(self, inputs: Sequence[str]) -> Vectors:
        """See `Encoder.encode_document`."""
        return self._encoder.encode_document(inputs)


class MeasuredParts:
    """Parts that have read the queries of an evaluation, and give a document and its copies once.

    Vectors of queries are kept in the embedding store as those of documents are; an adapter's are its matrix times those of the
    model beneath, where that is measured, too.

    :param queries: the texts that will be asked.
    :param same: the position of each document that has copies, to the position of the one that stands for all; none to give
        documents as they are.

    >>> MeasuredParts.bm25.__doc__
    'See `RetrieverParts.bm25`.'
    """

    def __init__(
        self, parts: PartsOnce, queries: Sequence[str], same: Mapping[int, int] | None = None
    ) -> None:
        self._parts = parts
        self._queries = list(dict.fromkeys(queries))
        self._same = same or {}
        self._vectors: dict[str, Vectors] = {}

    def distinct(self, same: Mapping[int, int]) -> "MeasuredParts":
        """The same, copies as one document."""
        made = MeasuredParts(self._parts, self._queries, same)
        made._vectors = self._vectors
        return made

    def dense(self, info: ModelInfo, progress: Progress = silent) -> BaseRetriever:
        """See `RetrieverParts.dense`."""
        plain = self._parts.dense(info, progress)
        if info.id not in self._vectors:
            self._vectors[info.id] = self._read(info, plain.encoder, progress)
        encoder = KnownQueries(plain.encoder, self._queries, self._vectors[info.id])
        return self._distinct(DenseRetriever(info, encoder, plain.index, plain.corpus))

    def bm25(self, progress: Progress = silent) -> BaseRetriever:
        """See `RetrieverParts.bm25`."""
        return self._distinct(self._parts.bm25(progress))

    def reranker(self, name: str) -> Reranker:
        """See `RetrieverParts.reranker`."""
        return self._parts.reranker(name)

    def fusion(self, info: ModelInfo) -> Fusion:
        """See `RetrieverParts.fusion`."""
        return self._parts.fusion(info)

    def _distinct(self, retriever: BaseRetriever) -> BaseRetriever:
        return DistinctRetriever(retriever, self._same) if self._same else retriever

    def _read(self, info: ModelInfo, encoder: Encoder, progress: Progress) -> Vectors:
        if info.kind != "generic":
            base = base_of(self._parts.project, self._parts.project.artifact("models", info.id))
            if base is not None and base.id in self._vectors:
                return np.asarray(
                    self._vectors[base.id] @ matrix_of(transformer_of(encoder) or encoder).T,
                    dtype=np.float32,
                )
        # What a server answers is kept where it answers.
        kept_by = None if isinstance(encoder, Metered) else info
        return encode_texts(encoder, kept_by, self._queries, "query", progress, "queries")


class DistinctRetriever(BaseRetriever):
    """Ranks as another does, a document and its copies once: read on until there are k different ones.

    :param same: see `MeasuredParts`.

    >>> from types import SimpleNamespace
    >>> from search.corpus.corpus import ScoredDocument
    >>> hits = [ScoredDocument(n, 1.0, n) for n in (3, 1, 2, 0)]
    >>> base = SimpleNamespace(name="one", corpus=None, prepare_queries=lambda queries, timing: lambda k, scope: [hits[:k]])
    >>> [hit.document for hit in DistinctRetriever(base, {1: 1, 3: 1}).rank(["rent"], 2)[0]]
    [1, 2]
    """

    def __init__(self, base: BaseRetriever, same: Mapping[int, int]) -> None:
        self.name = base.name
        self.corpus = base.corpus
        self._base = base
        self._same = same

    def prepare_queries(self, queries: Sequence[str], timing: EncodingTime) -> PreparedQuery:
        """See `BaseRetriever.prepare_queries`."""
        return self._once(self._base.prepare_queries(queries, timing))

    def prepare_document(self, document: int) -> PreparedQuery:
        """See `BaseRetriever.prepare_document`."""
        return self._once(self._base.prepare_document(document))

    def _once(self, find: PreparedQuery) -> PreparedQuery:
        def distinct(k: int, scope: Scope) -> list[Ranking]:
            deep = k
            while True:
                whole = find(deep, scope)
                found = [self._first(ranking)[:k] for ranking in whole]
                if all(
                    len(one) == k or len(all_) < deep
                    for one, all_ in zip(found, whole, strict=True)
                ):
                    return found
                deep *= 2

        return distinct

    def _first(self, ranking: Ranking) -> Ranking:
        """The first of each document and its copies, under the position of the one that stands for them."""
        best: dict[int, ScoredDocument] = {}
        for hit in ranking:
            one = self._same.get(hit.document, hit.document)
            best.setdefault(one, hit._replace(document=one))
        return list(best.values())
