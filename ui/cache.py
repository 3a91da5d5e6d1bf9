"""Every cache, keyed by immutable ids: what is retrained or rebuilt has a new id, so nothing goes stale."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

import streamlit as st

from search.corpus.corpus import Column, Corpus
from search.corpus.versions import ToldVersion, told_versions
from search.evaluation.evaluate import Evaluation, load_evaluation
from search.evaluation.leakage import LeakCheck, leaks_of
from search.evaluation.query_set import QuerySet
from search.insight.explain import Explained, attribute
from search.insight.map import Map, few_values, load_map
from search.insight.training_neighbours import TrainedOn
from search.insight.vocabulary import Vocabulary, vocabulary_of
from search.insight.word_space import MovedWord, WordSpace, moved_words
from search.models.api.token_count import Estimate, expected
from search.models.cross_encoders import Reranker, RerankerInfo, find_reranker, load_reranker
from search.models.encoder import Encoder
from search.models.load import load_encoder
from search.models.registry import ModelInfo
from search.models.sentence_transformer import best_device
from search.projects.artifacts import Manifest
from search.projects.progress import Progress
from search.projects.project import Project, project
from search.retrieval.dense import DenseRetriever
from search.retrieval.indexing.build import find_index
from search.retrieval.search import ProjectParts, open_dense
from search.retrieval.sparse import BM25Retriever
from training.data.pair_sets import PairSet

_LOADING = Lock()


def searcher(found: Project, info: ModelInfo, index: Manifest) -> DenseRetriever:
    """A searcher over an index, loaded once for all sessions."""
    return _searcher(str(found.folder), found.name, index.id, info)


def is_loaded(found: Project, index: Manifest) -> bool:
    """Whether a searcher over this index was loaded before, so that it comes at once."""
    return (str(found.folder), index.id) in _loaded()


@st.cache_resource(show_spinner=False)
def _loaded() -> set[tuple[str, str]]:
    return set()


@st.cache_resource(show_spinner=False, max_entries=8)
def _searcher(home: str, name: str, index_id: str, _info: ModelInfo) -> DenseRetriever:
    owner = project(name)
    with _LOADING:  # Two sessions that load torch at once would only hinder each other.
        encoder = load_encoder(owner, _info)
    index = owner.artifact("indexes", index_id)
    over = Corpus.of(owner, owner.artifact("corpora", index.made_from["corpus"]))
    made = open_dense(owner, _info, encoder, index, over)
    _loaded().add((home, index_id))
    return made


def keywords(found: Project, over: Manifest) -> BM25Retriever:
    """Keyword search over a corpus; its words are indexed when that was not done yet."""
    return _keywords(str(found.folder), found.name, over.id)


@st.cache_resource(
    show_spinner="Indexing the words of the documents (the first time only)…", max_entries=8
)
def _keywords(home: str, name: str, over: str) -> BM25Retriever:
    owner = project(name)
    manifest = owner.artifact("corpora", over)
    return ProjectParts(owner, manifest, Corpus.of(owner, manifest)).bm25()


def reranker(found: Project, name: str) -> Reranker:
    """A reranker, loaded once for all sessions."""
    info = find_reranker(found, name)
    return _reranker(str(found.folder), found.name, info.id, info)


@st.cache_resource(show_spinner=False, max_entries=4)
def _reranker(home: str, name: str, reranker_id: str, _info: RerankerInfo) -> Reranker:
    with _LOADING:
        return load_reranker(project(name), _info)


@dataclass(frozen=True)
class CachedParts:
    """The parts of retrievers over a corpus, each loaded once for all sessions. The indexes of its models are there.

    `waiting` is called before a model is loaded for the first time.
    """

    project: Project
    manifest: Manifest
    waiting: Callable[[], None] = lambda: None

    def dense(self, info: ModelInfo, _progress: Progress) -> DenseRetriever:
        """See `RetrieverParts.dense`."""
        index = find_index(self.project, info, self.manifest)
        assert index is not None
        if not is_loaded(self.project, index):
            self.waiting()
        return searcher(self.project, info, index)

    def bm25(self, _progress: Progress) -> BM25Retriever:
        """See `RetrieverParts.bm25`."""
        return keywords(self.project, self.manifest)

    def reranker(self, name: str) -> Reranker:
        """See `RetrieverParts.reranker`."""
        return reranker(self.project, name)


def explained(
    found: Project,
    over: Manifest,
    index: Manifest | None,
    info: ModelInfo | None,
    query: str,
    document: int,
) -> Explained:
    """Why a model (None: keyword search) scored a document of a corpus as it did.

    :param index: the model's index; None for keyword search.
    :param document: the document's position.
    """
    made = index.id if index else None
    return _explained(str(found.folder), found.name, over.id, made, query, document, info)


@st.cache_resource(show_spinner=False, max_entries=256)
def _explained(
    home: str,
    name: str,
    over: str,
    index_id: str | None,
    query: str,
    document: int,
    _info: ModelInfo | None,
) -> Explained:
    owner = project(name)
    corpus = Corpus.of(owner, owner.artifact("corpora", over))
    if index_id is None or _info is None:
        return attribute(keywords(owner, owner.artifact("corpora", over)), corpus, query, document)
    using = searcher(owner, _info, owner.artifact("indexes", index_id))
    return attribute(using, corpus, query, document)


def trained_on(
    found: Project, over: Manifest, info: ModelInfo, index: Manifest
) -> TrainedOn | None:
    """The pairs that a model was trained on, as it sees them."""
    return _trained_on(str(found.folder), found.name, over.id, index.id, info)


@st.cache_resource(show_spinner=False, max_entries=4)
def _trained_on(
    home: str, name: str, over: str, index_id: str, _info: ModelInfo
) -> TrainedOn | None:
    owner = project(name)
    corpus = Corpus.of(owner, owner.artifact("corpora", over))
    return TrainedOn.load(
        owner, corpus, searcher(owner, _info, owner.artifact("indexes", index_id))
    )


def vocabulary(found: Project, over: Manifest) -> Vocabulary:
    """The frequent words of a corpus."""
    return _vocabulary(str(found.folder), found.name, over.id)


@st.cache_resource(show_spinner=False, max_entries=8)
def _vocabulary(home: str, name: str, over: str) -> Vocabulary:
    owner = project(name)
    return vocabulary_of(owner, owner.artifact("corpora", over))


def word_space(found: Project, over: Manifest, info: ModelInfo) -> WordSpace:
    """The frequent words of a corpus as a model sees them."""
    return _word_space(str(found.folder), found.name, over.id, info.id, info)


@st.cache_resource(show_spinner=False, max_entries=8)
def _word_space(home: str, name: str, over: str, model: str, _info: ModelInfo) -> WordSpace:
    owner = project(name)
    words = vocabulary(owner, owner.artifact("corpora", over)).words
    return WordSpace.load(owner, _info, _encoder(home, name, model, _info), words)


@st.cache_resource(show_spinner=False, max_entries=4)
def _encoder(home: str, name: str, model: str, _info: ModelInfo) -> Encoder:
    with _LOADING:
        return load_encoder(project(name), _info)


def moved(found: Project, over: Manifest, before: ModelInfo, after: ModelInfo) -> list[MovedWord]:
    """The words whose neighbours differ most between two models."""
    return _moved(str(found.folder), found.name, over.id, before.id, after.id, before, after)


@st.cache_resource(show_spinner=False, max_entries=16)
def _moved(
    home: str, name: str, over: str, one: str, two: str, _before: ModelInfo, _after: ModelInfo
) -> list[MovedWord]:
    owner = project(name)
    manifest = owner.artifact("corpora", over)
    sides = [word_space(owner, manifest, info) for info in (_before, _after)]
    return moved_words(sides[0], sides[1])


def corpus_map(found: Project, manifest: Manifest) -> Map:
    """A map of a corpus."""
    return _corpus_map(str(found.folder), found.name, manifest.id)


@st.cache_resource(show_spinner=False, max_entries=4)
def _corpus_map(home: str, name: str, identity: str) -> Map:
    owner = project(name)
    return load_map(owner, owner.artifact("maps", identity))


def map_columns(
    found: Project, manifest: Manifest
) -> tuple[list[str], dict[str, list[str | None]]]:
    """The titles of the documents on a map, and what they can be coloured by: a column's values, and tiers."""
    return _map_columns(str(found.folder), found.name, manifest.id)


@st.cache_resource(show_spinner=False, max_entries=4)
def _map_columns(
    home: str, name: str, identity: str
) -> tuple[list[str], dict[str, list[str | None]]]:
    owner = project(name)
    manifest = owner.artifact("maps", identity)
    over = Corpus.of(owner, owner.artifact("corpora", manifest.made_from["corpus"]))
    documents = over.documents_at(corpus_map(owner, manifest).positions.tolist())
    values = few_values(over, documents)
    if (tiers := over.tiers) is not None:
        ranked = [tiers.of(document.metadata.get(tiers.column)) for document in documents]
        values = {"Source tier": [tiers.name(tier) for tier in ranked], **values}
    titles = [" ".join((d.title or d.text).split())[:90] or d.id for d in documents]
    return titles, values


def evaluation(found: Project, manifest: Manifest) -> Evaluation:
    """An evaluation with all its queries."""
    return _evaluation(str(found.folder), found.name, manifest.id)


@st.cache_resource(show_spinner=False, max_entries=16)
def _evaluation(home: str, name: str, identity: str) -> Evaluation:
    owner = project(name)
    return load_evaluation(owner, owner.artifact("evaluations", identity))


def query_set(found: Project, manifest: Manifest) -> QuerySet:
    """A query set."""
    return _query_set(str(found.folder), found.name, manifest.id)


@st.cache_resource(show_spinner=False, max_entries=16)
def _query_set(home: str, name: str, identity: str) -> QuerySet:
    owner = project(name)
    return QuerySet.load(owner, owner.artifact("queries", identity))


def pair_set(found: Project, manifest: Manifest) -> PairSet:
    """Pairs to train on."""
    return _pair_set(str(found.folder), found.name, manifest.id)


@st.cache_resource(show_spinner=False, max_entries=16)
def _pair_set(home: str, name: str, identity: str) -> PairSet:
    owner = project(name)
    return PairSet.load(owner, owner.artifact("pairs", identity))


def tokens(found: Project, over: Manifest) -> Estimate:
    """About what a server would be sent for a corpus."""
    return _tokens(str(found.folder), found.name, over.id)


@st.cache_resource(show_spinner="Counting what would be sent…", max_entries=16)
def _tokens(home: str, name: str, over: str) -> Estimate:
    owner = project(name)
    return expected(Corpus.of(owner, owner.artifact("corpora", over)))


def leaks(found: Project, queries: Manifest, pairs: Manifest, over: Manifest) -> LeakCheck:
    """What a query set and a set of pairs have in common."""
    return _leaks(str(found.folder), found.name, queries.id, pairs.id, over.id)


@st.cache_resource(show_spinner=False, max_entries=16)
def _leaks(home: str, name: str, queries: str, pairs: str, over: str) -> LeakCheck:
    owner = project(name)
    manifest = owner.artifact("queries", queries)
    test = QuerySet.load(owner, manifest)
    return leaks_of(owner, manifest, test, Corpus.of(owner, owner.artifact("corpora", over)))


def columns(found: Project, over: Manifest) -> list[Column]:
    """What a corpus can be filtered by."""
    return _columns(str(found.folder), found.name, over.id)


@st.cache_resource(show_spinner=False, max_entries=16)
def _columns(home: str, name: str, over: str) -> list[Column]:
    owner = project(name)
    return Corpus.of(owner, owner.artifact("corpora", over)).columns()


def versions(found: Project) -> list[ToldVersion]:
    """The versions of a corpus with what each changed."""
    known = tuple(manifest.id for manifest in found.manifests("corpora"))
    return _versions(str(found.folder), found.name, known)


@st.cache_resource(show_spinner="Comparing the versions…", max_entries=16)
def _versions(home: str, name: str, known: tuple[str, ...]) -> list[ToldVersion]:
    return told_versions(project(name))


@st.cache_resource(show_spinner=False)
def device() -> str:
    """Where models run on this machine: cuda, mps or cpu."""
    with _LOADING:
        return best_device()


def corpus(found: Project, manifest: Manifest) -> Corpus:
    """The documents of a corpus (opened anew: it costs nothing but the check of the file)."""
    return Corpus.of(found, manifest)
