"""Search: columns become retrievers, of parts made here or cached by the pages; retrievers make a comparison."""

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from indexes.opening import open_index
from indexes.vector_index import FAISS, BrokenIndex
from search.corpus.corpus import Corpus, current_corpus
from search.corpus.filters import EVERYTHING, Scope
from search.models.cross_encoders import Reranker, find_reranker, load_reranker
from search.models.encoder import Encoder
from search.models.encoding.texts import accelerated
from search.models.load import load_encoder
from search.models.registry import ModelInfo
from search.projects.artifacts import Manifest
from search.projects.errors import Damaged, Refused
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project
from search.projects.publishing import Overtaken, unless_deleted
from search.projects.settings import LIMITS
from search.retrieval.bm25.store import keyword_index
from search.retrieval.columns import SearchColumn, chosen_columns, models_in
from search.retrieval.dense import DenseRetriever
from search.retrieval.fitted import fitted_fusion
from search.retrieval.fusion import Fusion
from search.retrieval.hybrid import HybridRetriever
from search.retrieval.indexing.build import build_index, find_index
from search.retrieval.indexing.servers import connection, in_words
from search.retrieval.relevance.judge import Judge, find_judges
from search.retrieval.reranked import RerankingRetriever
from search.retrieval.results import Comparison, SearchResult, hits_of
from search.retrieval.retriever import BaseRetriever, EncodingTime, Retriever
from search.retrieval.sparse import BM25Retriever

UNKNOWN_WORDS = "no known words in this query"
NOTHING_LIKE = "no document like this one within these filters"
NOTHING_LEFT = "nothing within these filters, or no known words in this query"
_TRIES = 3


def check_query(query: str) -> str:
    """A query fit to search with, without outer white space.

    :raises Refused: when it is empty or too long.
    """
    text = query.strip()
    if not text:
        raise Refused("The query is empty. Type a few words.")
    if len(text) > LIMITS.query_characters:
        raise Refused(
            f"The query has {len(text):,} characters; the limit is {LIMITS.query_characters:,}."
        )
    return text.encode("utf-8", "replace").decode("utf-8")


def check_k(k: int) -> int:
    """How many hits to return, within bounds.

    :raises Refused: when it is below 1 or above the limit.
    """
    if not 1 <= k <= LIMITS.max_hits:
        raise Refused(f"k is {k}; it must be from 1 to {LIMITS.max_hits:,}.")
    return k


def search(
    retriever: Retriever,
    corpus: Corpus,
    query: str,
    k: int,
    scope: Scope = EVERYTHING,
    left_out: Collection[str] = (),
    judge: Judge | None = None,
) -> SearchResult:
    """Search one column; the time covers encoding, search and fetching the texts.

    The vector of a query that was asked before is not made again; the time that it took then is counted.

    :param left_out: the ids of documents that stay out of the ranking; k hits stay k.
    :param judge: says how probable it is that each hit answers; its time is not counted, and the ranking stays as it is.
    """
    started = time.perf_counter()
    timing = EncodingTime()
    ranking = retriever.rank([query], k + len(left_out), scope, timing)[0]
    out = {p for identity in left_out if (p := corpus.position(identity)) is not None}
    ranking = [found for found in ranking if found.document not in out][:k]
    hits = hits_of(corpus, ranking)
    spent = time.perf_counter() - started
    searched = spent - timing.encode_here
    note = None if hits else UNKNOWN_WORDS if scope.everything else NOTHING_LEFT
    encode_ms, search_ms = round(timing.encode * 1000, 3), round(searched * 1000, 3)
    ms = round(encode_ms + search_ms, 3)
    relevance = None if judge is None else judge.judged(retriever, query, ranking, scope, out)
    return SearchResult(retriever.name, hits, ms, note, encode_ms, search_ms, relevance)


def compare(
    project: Project,
    query: str,
    names: Sequence[str] = (),
    k: int = 10,
    progress: Progress = silent,
    scope: Scope = EVERYTHING,
    left_out: Collection[str] = (),
) -> Comparison:
    """Search several columns; an index that is missing is built first.

    :param names: columns by name (see `search.retrieval.columns`); none means generic and the newest custom model.
    :param scope: what may be found, and whether source tiers come first.
    :param left_out: the ids of documents that no column ranks.
    :raises Refused: for an empty query, an unknown model or column, or a project without documents.
    """
    text, count = check_query(query), check_k(k)

    def compared() -> Comparison:
        manifest, corpus = current_corpus(project)
        columns = chosen_columns(project, names)
        parts = ProjectParts(project, manifest, corpus)
        retrievers = assemble(project, columns, parts, progress)
        judges = find_judges(project, columns, manifest, parts.bm25)
        results = [
            search(retriever, corpus, text, count, scope, left_out, judge)
            for retriever, judge in zip(retrievers, judges, strict=True)
        ]
        return Comparison(text, count, results)

    return _over_newest(project, compared)


def similar(
    project: Project,
    document: str,
    names: Sequence[str] = (),
    k: int = 10,
    progress: Progress = silent,
    scope: Scope = EVERYTHING,
) -> Comparison:
    """Documents like one that is given, as several columns see it.

    :param document: its id; it is not among its own results.
    :param names: columns by name; none means generic and the newest custom model.
    :returns: a comparison whose query is the document's id.
    :raises Refused: for an unknown document, model or column.
    """
    count = check_k(k)

    def compared() -> Comparison:
        _, corpus = current_corpus(project)
        position = corpus.position(document)
        if position is None:
            raise Refused(f"There is no document {document!r} in {project.name!r}.")
        retrievers, corpus = retrievers_for(project, names, progress)
        results = [similar_to(r, corpus, position, count, scope) for r in retrievers]
        return Comparison(document, count, results)

    return _over_newest(project, compared)


def _over_newest(project: Project, compared: Callable[[], Comparison]) -> Comparison:
    """Search the newest corpus, again where that was overtaken and deleted meanwhile, with the index that was made."""
    for _ in range(_TRIES):
        with suppress(Overtaken), unless_deleted(project.folder):
            return compared()
    return compared()


def similar_to(
    retriever: Retriever, corpus: Corpus, position: int, k: int, scope: Scope = EVERYTHING
) -> SearchResult:
    """Documents like the one at a position, as one column sees it.

    :raises Refused: for a retriever that cannot look for such.
    """
    started = time.perf_counter()
    hits = hits_of(corpus, retriever.similar(position, k, scope))
    spent = round((time.perf_counter() - started) * 1000, 3)
    return SearchResult(retriever.name, hits, spent, None if hits else NOTHING_LIKE, 0.0, spent)


class RetrieverParts(Protocol):
    """Where the parts of retrievers over one corpus come from: made for a command, or cached by the pages."""

    def dense(self, info: ModelInfo, progress: Progress) -> BaseRetriever:
        """What searches by the vectors of a model."""
        ...

    def bm25(self, progress: Progress) -> BaseRetriever:
        """Keyword search."""
        ...

    def reranker(self, name: str) -> Reranker:
        """A reranker by its name."""
        ...

    def fusion(self, info: ModelInfo) -> Fusion:
        """How keyword search and a model are joined, as the dev queries weigh them."""
        ...


@dataclass(frozen=True)
class ProjectParts:
    r"""Parts as they are on disk; an index that is missing is built.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from search.corpus.ingest import add_documents
    >>> with TemporaryDirectory() as name:
    ...     table, project = Path(name) / "table.csv", Project(Path(name) / "leases")
    ...     _ = table.write_text("id,text\n1,Frost and dust.\n2,Rent is due in gold.")
    ...     _ = add_documents(project, [table])
    ...     [hit.document for hit in ProjectParts(project, *current_corpus(project)).bm25().rank(["gold"], 1)[0]]
    [1]
    """

    project: Project
    manifest: Manifest
    corpus: Corpus

    def dense(self, info: ModelInfo, progress: Progress = silent) -> DenseRetriever:
        """See `RetrieverParts.dense`."""
        encoder = load_encoder(self.project, info)
        index = find_index(self.project, info, self.manifest) or build_index(
            self.project, info, encoder, self.manifest, self.corpus, progress
        )
        return open_dense(self.project, info, encoder, index, self.corpus)

    def bm25(self, progress: Progress = silent) -> BM25Retriever:
        """See `RetrieverParts.bm25`."""
        index = keyword_index(self.project, self.manifest, self.corpus, progress)
        return BM25Retriever(self.corpus, index)

    def reranker(self, name: str) -> Reranker:
        """See `RetrieverParts.reranker`.

        :raises Refused: for one that the project does not have.
        :raises Failed: when its files are gone or were changed.
        """
        return load_reranker(self.project, find_reranker(self.project, name))

    def fusion(self, info: ModelInfo) -> Fusion:
        """See `RetrieverParts.fusion`.

        :raises Refused: where they were not weighed yet (`search.evaluation.rankings.fit_fusion`).
        """
        return fitted_fusion(self.project, info, self.manifest).fusion


def retrievers_for(
    project: Project, names: Sequence[str], progress: Progress = silent
) -> tuple[list[Retriever], Corpus]:
    """Ready retrievers for columns by name, the indexes of their models built where missing."""
    manifest, corpus = current_corpus(project)
    columns = chosen_columns(project, names)
    return assemble(project, columns, ProjectParts(project, manifest, corpus), progress), corpus


def assemble(
    project: Project,
    columns: Sequence[SearchColumn],
    parts: RetrieverParts,
    progress: Progress = silent,
) -> list[Retriever]:
    """What ranks for each column. Each part is asked for once: columns that share a model share its retriever."""
    infos = models_in(project, columns)
    known = {info.name: info for info in infos}
    with_words = any(column.uses_words for column in columns)
    steps = len(infos) + with_words
    dense = {
        info.name: parts.dense(info, Stage(progress, i / steps, (i + 1) / steps))
        for i, info in enumerate(infos)
    }
    words = parts.bm25(Stage(progress, len(infos) / steps, 1)) if with_words else None
    names = dict.fromkeys(c.reranker for c in columns if c.reranker is not None)
    rerankers = {name: parts.reranker(name) for name in names}

    def unread(column: SearchColumn) -> BaseRetriever | HybridRetriever:
        if column.model is None:
            assert words is not None
            return words
        model = dense[column.model]
        if column.weight is None:
            return model
        assert words is not None
        fusion = parts.fusion(known[column.model]) if column.fitted else Fusion(column.weight)
        return HybridRetriever(column.name, words, model, fusion)

    def reranked(column: SearchColumn) -> Retriever:
        base = unread(column.base)
        if column.reranker is None:
            return base
        return RerankingRetriever(column.name, base, base.corpus, rerankers[column.reranker])

    return [reranked(column) for column in columns]


def open_dense(
    project: Project, info: ModelInfo, encoder: Encoder, index: Manifest, corpus: Corpus
) -> DenseRetriever:
    """What searches by a model over an index that was built; no first query pays for setting up.

    :raises Damaged: when the index is damaged, or was made with another model.
    """
    folder = project.checked(index)
    if index.details["fingerprint"] != info.indexed_as[1]:
        raise Damaged(
            f"The index {index.id} was made with another version of {info.name!r}.", folder
        )
    try:
        with in_words():
            at = {} if index.details.get("engine", FAISS) == FAISS else connection(project)
            loaded = open_index(folder, index.details, at)
    except BrokenIndex as error:
        raise Damaged(f"{error}.", folder) from error
    if loaded.dimension != info.dimension:
        raise Damaged(
            f"The index {index.id} has {loaded.dimension} dimensions, the model {info.name!r} has "
            f"{info.dimension}.",
            folder,
        )
    made = DenseRetriever(info, accelerated(encoder), loaded, corpus)
    made.rank(["warm up"], 1)  # Libraries set themselves up at the first call.
    return made
