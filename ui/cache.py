"""Every cache, keyed by immutable ids: what is retrained or rebuilt has a new id, so nothing goes stale."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread
from typing import ParamSpec, TypeVar

import streamlit as st

from search.corpus.corpus import Column, Corpus
from search.corpus.isolated.door import open_beir
from search.corpus.versions import DescribedVersion, describe_versions
from search.evaluation.evaluation import load_evaluation
from search.evaluation.query_sets.leakage import LeakCheck, leaks_of
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.query_sets.seal import seal_state
from search.evaluation.rankings.self_matches import SelfMatches
from search.insight.answering import answering_sentences
from search.insight.explain import Explained, attribute
from search.insight.map import few_values, load_map
from search.insight.training_neighbours import TrainedOn
from search.insight.vocabulary import vocabulary_of
from search.insight.word_space import MovedWord, WordSpace, moved_words
from search.models.api.token_count import Estimate, expected
from search.models.cross_encoders import Reranker, RerankerInfo, find_reranker, load_reranker
from search.models.encoder import Encoder
from search.models.load import load_encoder
from search.models.registry import ModelInfo, find_model
from search.models.sentence_transformer import best_device, load_generic
from search.projects.artifacts import Manifest
from search.projects.progress import Progress
from search.projects.project import Project
from search.retrieval.dense import DenseRetriever
from search.retrieval.fitted import fitted_fusion
from search.retrieval.fusion import Fusion
from search.retrieval.indexing.build import find_index
from search.retrieval.search import ProjectParts, open_dense
from search.retrieval.sparse import BM25Retriever
from training.advice.expectations import Minutes
from training.advice.expectations import expected_minutes as expected_minutes_of
from training.advice.power import known_power
from training.advice.too_small import too_small as why_too_small
from training.data.beir import BeirCounts, count_beir
from training.data.pair_sets import PairSet

_LOADING = Lock()
_P = ParamSpec("_P")
_R = TypeVar("_R")


def _cached(
    entries: int, spinner: bool | str = False
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Makes a function answer once for all sessions; projects, artifacts and models are told apart by their ids."""
    return st.cache_resource(
        show_spinner=spinner,
        max_entries=entries,
        hash_funcs={
            Project: lambda project: str(project.folder),
            Manifest: lambda manifest: manifest.id,
            ModelInfo: lambda info: info.id,
            RerankerInfo: lambda info: info.id,
        },
    )


def power_sentence(project: Project) -> str | None:
    """What gain the test queries can show; None without any."""
    queries = project.newest("queries")
    if queries is None:
        return None
    evaluation, report = project.newest("evaluations"), project.newest("reports")
    return _power_sentence(project, queries, evaluation, report, seal_state(project))


@_cached(16)
def _power_sentence(
    project: Project,
    queries: Manifest,
    evaluation: Manifest | None,
    report: Manifest | None,
    state: str,
) -> str | None:
    power = known_power(project)
    return power.sentence if power is not None else None


def expected_minutes(project: Project) -> Minutes:
    """How long trainings take here."""
    known = (project.newest(kind) for kind in ("corpora", "pairs", "indexes", "reports"))
    return _expected_minutes(project, *known)


@_cached(16)
def _expected_minutes(project: Project, *made_of: Manifest | None) -> Minutes:
    return expected_minutes_of(project)


@_cached(8, "Counting what it holds…")
def beir_counts(path: str) -> BeirCounts:
    """What an uploaded BEIR data set brings."""
    with open_beir(Path(path)) as data:
        return count_beir(data)


def too_small(project: Project) -> str | None:
    """Why nothing can be learned from a project's documents alone; None where something can."""
    return _too_small(project, project.newest("corpora"), project.newest("pairs"))


@_cached(16)
def _too_small(project: Project, corpus: Manifest | None, pairs: Manifest | None) -> str | None:
    return None if corpus is None else why_too_small(project)


evaluation = _cached(16)(load_evaluation)
pair_set = _cached(16)(PairSet.load)
corpus_map = _cached(4)(load_map)
vocabulary = _cached(8)(vocabulary_of)


def query_set(project: Project, manifest: Manifest) -> QuerySet:
    """A query set, without what is sealed now."""
    return _query_set(project, manifest, seal_state(project))


@_cached(16)
def _query_set(project: Project, manifest: Manifest, state: str) -> QuerySet:
    return QuerySet.load(project, manifest)


@st.cache_resource(show_spinner=False)
def _loaded() -> set[tuple[str, str]]:
    return set()


def is_loaded(project: Project, index: Manifest) -> bool:
    """Whether a retriever over this index was loaded before, so that it comes at once."""
    return (str(project.folder), index.id) in _loaded()


def warm() -> None:
    """Begin to load the ready-made model, for who will search with it in a moment."""

    def load() -> None:
        with _LOADING:
            load_generic()

    Thread(target=load, daemon=True).start()


@_cached(8)
def dense_retriever(project: Project, info: ModelInfo, index: Manifest) -> DenseRetriever:
    """What searches by a model over an index."""
    with _LOADING:  # Two sessions that load torch at once would only hinder each other.
        encoder = load_encoder(project, info)
    corpus = Corpus.of(project, project.artifact("corpora", index.made_from["corpus"]))
    retriever = open_dense(project, info, encoder, index, corpus)
    _loaded().add((str(project.folder), index.id))
    return retriever


@_cached(8, "Indexing the words of the documents (the first time only)…")
def bm25(project: Project, over: Manifest) -> BM25Retriever:
    """Keyword search over a corpus; its words are indexed when that was not done yet."""
    return ProjectParts(project, over, Corpus.of(project, over)).bm25()


@_cached(4)
def _reranker(project: Project, info: RerankerInfo) -> Reranker:
    with _LOADING:
        return load_reranker(project, info)


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
        return dense_retriever(self.project, info, index)

    def bm25(self, _progress: Progress) -> BM25Retriever:
        """See `RetrieverParts.bm25`."""
        return bm25(self.project, self.manifest)

    def reranker(self, name: str) -> Reranker:
        """See `RetrieverParts.reranker`."""
        return _reranker(self.project, find_reranker(self.project, name))

    def fusion(self, info: ModelInfo) -> Fusion:
        """See `RetrieverParts.fusion`."""
        return fitted_fusion(self.project, info, self.manifest).fusion


@_cached(256)
def explained(
    project: Project,
    over: Manifest,
    index: Manifest | None,
    info: ModelInfo | None,
    query: str,
    document: int,
    among: int,
) -> Explained:
    """Why a model (None: keyword search) scored a document of a corpus as it did.

    :param index: the model's index; None for keyword search.
    :param document: the document's position.
    :param among: how many models explain it.
    """
    if index is None or info is None:
        return attribute(bm25(project, over), Corpus.of(project, over), query, document)
    retriever = dense_retriever(project, info, index)
    return attribute(retriever, Corpus.of(project, over), query, document, among=among)


@_cached(2_048)
def answering(
    project: Project, over: Manifest, model: str | None, query: str, texts: tuple[str, ...]
) -> list[str]:
    """The sentence of each text that answers, as a model sees it (None: keyword search); empty where there is none."""
    retriever: DenseRetriever | BM25Retriever
    if model is None:
        retriever = bm25(project, over)
    else:
        info = find_model(project, model)
        index = find_index(project, info, over)
        if index is None:
            return [""] * len(texts)
        retriever = dense_retriever(project, info, index)
        if retriever.is_metered:
            return [""] * len(texts)
    spans = answering_sentences(retriever, query, texts)
    return [
        "" if span is None else text[span.start : span.stop]
        for text, span in zip(texts, spans, strict=True)
    ]


@_cached(4)
def trained_on(
    project: Project, over: Manifest, info: ModelInfo, index: Manifest
) -> TrainedOn | None:
    """The pairs that a model was trained on, as it sees them."""
    return TrainedOn.load(project, Corpus.of(project, over), dense_retriever(project, info, index))


@_cached(8)
def word_space(project: Project, over: Manifest, info: ModelInfo) -> WordSpace:
    """The frequent words of a corpus as a model sees them."""
    return WordSpace.load(project, info, _encoder(project, info), vocabulary(project, over).words)


@_cached(4)
def _encoder(project: Project, info: ModelInfo) -> Encoder:
    with _LOADING:
        return load_encoder(project, info)


@_cached(16)
def moved(project: Project, over: Manifest, before: ModelInfo, after: ModelInfo) -> list[MovedWord]:
    """The words whose neighbours differ most between two models."""
    return moved_words(word_space(project, over, before), word_space(project, over, after))


@_cached(4)
def map_columns(
    project: Project, manifest: Manifest
) -> tuple[list[str], dict[str, list[str | None]]]:
    """The titles of the documents on a map, and what they can be coloured by: a column's values, and tiers."""
    over = Corpus.of(project, project.artifact("corpora", manifest.made_from["corpus"]))
    documents = over.documents_at(corpus_map(project, manifest).positions.tolist())
    values = few_values(over, documents)
    if (tiers := over.tiers) is not None:
        ranked = [tiers.of(document.metadata.get(tiers.column)) for document in documents]
        values = {"Source tier": [tiers.name(tier) for tier in ranked], **values}
    titles = [" ".join((d.title or d.text).split())[:90] or d.id for d in documents]
    return titles, values


@_cached(16, "Counting what would be sent…")
def tokens(project: Project, over: Manifest) -> Estimate:
    """About what a server would be sent for a corpus."""
    return expected(Corpus.of(project, over))


def self_matches(project: Project, queries: Manifest, over: Manifest) -> SelfMatches:
    """Which documents of a corpus are queries of a query set."""
    return _self_matches(project, over, queries, seal_state(project))


@_cached(16)
def _self_matches(project: Project, over: Manifest, queries: Manifest, state: str) -> SelfMatches:
    return SelfMatches.of(Corpus.of(project, over), _query_set(project, queries, state))


def leaks(project: Project, queries: Manifest, pairs: Manifest, over: Manifest) -> LeakCheck:
    """What a query set and the newest pairs (`pairs`, which only tell answers apart) have in common."""
    return _leaks(project, over, (queries, pairs), seal_state(project))


@_cached(16)
def _leaks(
    project: Project, over: Manifest, sides: tuple[Manifest, Manifest], state: str
) -> LeakCheck:
    test = _query_set(project, sides[0], state)
    return leaks_of(project, sides[0], test, Corpus.of(project, over))


@_cached(16)
def columns(project: Project, over: Manifest) -> list[Column]:
    """What a corpus can be filtered by."""
    return Corpus.of(project, over).columns()


@_cached(16, "Comparing the versions…")
def versions(project: Project, known: list[Manifest]) -> list[DescribedVersion]:
    """The versions of a corpus (`known`, which only tell answers apart) with what each changed."""
    return describe_versions(project)


@st.cache_resource(show_spinner=False)
def device() -> str:
    """Where models run on this machine: cuda, mps or cpu."""
    with _LOADING:
        return best_device()
