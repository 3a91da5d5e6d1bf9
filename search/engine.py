"""Search: an encoder, an index and a corpus make a Searcher; several make a comparison."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from indexes.faiss_index import FaissFlatIndex
from indexes.vector_index import BadVectors, BrokenIndex, VectorIndex
from search.adapters import derived_vectors
from search.corpus import Corpus, current_corpus
from search.encoders import KEYWORD, Encoder, ModelInfo, default_models, find_model, load_encoder
from search.errors import Failed, Refused
from search.progress import Progress, Stage, silent
from search.settings import LIMITS
from search.workspace import Manifest, Project

UNKNOWN_WORDS = "no known words in this query"
_WINDOW = 4096
_CHUNK = 64


@dataclass(frozen=True)
class Hit:
    """One document that a search found."""

    rank: int
    id: str
    score: float
    title: str
    text: str


@dataclass(frozen=True)
class SearchResult:
    """What one model found: hits, milliseconds, and a note when there is something to say."""

    model: str
    hits: list[Hit]
    ms: float
    note: str | None = None


@dataclass(frozen=True)
class Comparison:
    """One query, searched with several models."""

    query: str
    k: int
    results: list[SearchResult]

    def as_json(self) -> dict[str, Any]:
        """The shape that `search --json` prints."""
        return {
            "query": self.query,
            "k": self.k,
            "results": {
                result.model: {"hits": [asdict(hit) for hit in result.hits], "ms": result.ms}
                for result in self.results
            },
        }


Ranking = list[tuple[int, float]]
"""Positions and scores, best first."""


class Retriever(Protocol):
    """Anything that ranks the documents of a corpus for queries."""

    @property
    def name(self) -> str:
        """The model's name."""
        ...

    def rank(self, queries: Sequence[str], k: int) -> list[Ranking]:
        """The best k documents of each query; none for a query without known words."""
        ...


class Searcher:
    """Ranks by the cosine of a model's vectors."""

    def __init__(self, info: ModelInfo, encoder: Encoder, index: VectorIndex) -> None:
        self.info = info
        self._encoder = encoder
        self._index = index

    @property
    def name(self) -> str:
        """The model's name."""
        return self.info.name

    @property
    def encoder(self) -> Encoder:
        """The model itself."""
        return self._encoder

    def rank(self, queries: Sequence[str], k: int) -> list[Ranking]:
        """See `Retriever.rank`."""
        if not queries:
            return []
        vectors = np.asarray(self._encoder.encode_query(list(queries)), dtype=np.float32)
        positions, scores = self._index.search(vectors, min(k, len(self._index)))
        return [
            [(int(p), float(s)) for p, s in zip(row, row_scores, strict=True) if p >= 0]
            for row, row_scores in zip(positions, scores, strict=True)
        ]


class KeywordSearcher:
    """Ranks by BM25 over the words of title and text: the bar that any embedding should clear."""

    name = KEYWORD

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    def rank(self, queries: Sequence[str], k: int) -> list[Ranking]:
        """See `Retriever.rank`."""
        return [self._corpus.keyword_search(query, k) for query in queries]


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


def search(retriever: Retriever, corpus: Corpus, query: str, k: int) -> SearchResult:
    """Search with one model; the time covers encoding, search and fetching the texts."""
    started = time.perf_counter()
    ranking = retriever.rank([query], k)[0]
    documents = corpus.documents_at([position for position, _ in ranking])
    hits = [
        Hit(rank, document.id, score, document.title, document.text)
        for rank, (document, (_, score)) in enumerate(zip(documents, ranking, strict=True), start=1)
    ]
    elapsed = (time.perf_counter() - started) * 1000
    return SearchResult(retriever.name, hits, round(elapsed, 3), None if hits else UNKNOWN_WORDS)


def compare(
    project: Project,
    query: str,
    names: Sequence[str] = (),
    k: int = 10,
    progress: Progress = silent,
) -> Comparison:
    """Search with several models; an index that is missing is built first.

    :param names: model names; none means generic and the newest custom model.
    :raises Refused: for an empty query, an unknown model or a project without documents.
    """
    text, count = check_query(query), check_k(k)
    retrievers, corpus = retrievers_for(project, names, progress)
    for retriever in retrievers:
        retriever.rank([text], count)  # The first call pays for lazy set-up; time the second.
    return Comparison(text, count, [search(r, corpus, text, count) for r in retrievers])


def retrievers_for(
    project: Project, names: Sequence[str], progress: Progress = silent
) -> tuple[list[Retriever], Corpus]:
    """Ready searchers for models by name, their indexes built where missing."""
    manifest, corpus = current_corpus(project)
    wanted = chosen_models(project, names)
    made: list[Retriever] = []
    for place, info in enumerate(wanted):
        if info is None:
            made.append(KeywordSearcher(corpus))
            continue
        stage = Stage(progress, place / len(wanted), (place + 1) / len(wanted))
        made.append(searcher_for(project, info, manifest, corpus, stage))
    return made, corpus


def chosen_models(project: Project, names: Sequence[str]) -> list[ModelInfo | None]:
    """Models by name, each once; None stands for keyword search. No names: the default models."""
    if not names:
        return list(default_models(project))
    unique = list(dict.fromkeys(names))
    return [None if name == KEYWORD else find_model(project, name) for name in unique]


def searcher_for(
    project: Project,
    info: ModelInfo,
    manifest: Manifest,
    corpus: Corpus,
    progress: Progress = silent,
) -> Searcher:
    """A searcher for one model over one corpus, its index built when missing."""
    encoder = load_encoder(project, info)
    index = find_index(project, info, manifest)
    if index is None:
        index = build_index(project, info, encoder, manifest, corpus, progress)
    return open_searcher(project, info, encoder, index)


def open_searcher(project: Project, info: ModelInfo, encoder: Encoder, index: Manifest) -> Searcher:
    """A searcher over an index that was built.

    :raises Failed: when the index is damaged, or was made with another model.
    """
    folder = project.checked(index)
    if index.details["fingerprint"] != info.fingerprint:
        raise Failed(
            f"The index {index.id} was made with another version of {info.name!r}. Build it again: "
            f"python cli.py index {project.name} --model {info.name}."
        )
    try:
        loaded = FaissFlatIndex.load(folder)
    except BrokenIndex as error:
        raise Failed(f"{error}. Delete the folder {folder} and build it again.") from error
    if loaded.dimension != info.dimension:
        raise Failed(
            f"The index {index.id} has {loaded.dimension} dimensions, the model {info.name!r} has "
            f"{info.dimension}. Delete the folder {folder} and build it again."
        )
    return Searcher(info, encoder, loaded)


def find_index(project: Project, info: ModelInfo, corpus: Manifest) -> Manifest | None:
    """The newest index of a corpus as a model sees it, or None."""
    wanted = {"corpus": corpus.id, "model": info.id}
    for manifest in reversed(project.manifests("indexes")):
        if manifest.made_from == wanted and manifest.details["fingerprint"] == info.fingerprint:
            return manifest
    return None


def index_model(
    project: Project, name: str, rebuild: bool = True, progress: Progress = silent
) -> Manifest:
    """Build the index of a model over the newest corpus.

    :param rebuild: build it even when there is one.
    :raises Refused: for an unknown model, or a project without documents.
    """
    manifest, corpus = current_corpus(project)
    info = find_model(project, name)
    existing = None if rebuild else find_index(project, info, manifest)
    if existing is not None:
        return existing
    return build_index(project, info, load_encoder(project, info), manifest, corpus, progress)


def build_index(
    project: Project,
    info: ModelInfo,
    encoder: Encoder,
    manifest: Manifest,
    corpus: Corpus,
    progress: Progress = silent,
) -> Manifest:
    """Encode every document of a corpus and publish an exact FAISS index of the vectors."""
    started = time.monotonic()
    derived = derived_vectors(project, info, encoder, manifest)
    vectors = encode_corpus(encoder, corpus, info, progress) if derived is None else derived
    made_from = {"corpus": manifest.id, "model": info.id}
    with project.publish("indexes", made_from) as draft:
        try:
            FaissFlatIndex.from_vectors(vectors).save(draft.folder)
        except BadVectors as error:
            raise Failed(f"The model {info.name!r} cannot index this corpus: {error}.") from error
        draft.details.update(
            model=info.name,
            fingerprint=info.fingerprint,
            engine="faiss",
            type="flat",
            vectors=len(vectors),
            dimension=info.dimension,
            bytes=_size(draft.folder),
            seconds=round(time.monotonic() - started, 2),
            without_words=int((~vectors.any(axis=1)).sum()),
        )
    progress(1, 1, f"{len(vectors):,} documents indexed for {info.name}")
    return project.artifact("indexes", draft.id)


def encode_corpus(
    encoder: Encoder, corpus: Corpus, info: ModelInfo, progress: Progress = silent
) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """Vectors of all documents, by position: shape (documents, dimension)."""
    total = len(corpus)
    vectors = np.zeros((total, info.dimension), dtype=np.float32)
    message = f"indexing {total:,} documents with {info.name}"
    progress(0, total, message)
    done = 0
    for start in range(0, total, _WINDOW):
        texts = corpus.embedded_texts(start, start + _WINDOW)
        # Texts of like length together: a batch is padded to its longest, and padding is work for nothing.
        order = sorted(range(len(texts)), key=lambda place: -len(texts[place]))
        for chunk in (order[at : at + _CHUNK] for at in range(0, len(order), _CHUNK)):
            encoded = encoder.encode_document([texts[place] for place in chunk])
            array = np.asarray(encoded, dtype=np.float32)
            if array.shape != (len(chunk), info.dimension):
                raise Failed(
                    f"The model {info.name!r} gave vectors of shape {array.shape} instead of "
                    f"({len(chunk)}, {info.dimension})."
                )
            vectors[[start + place for place in chunk]] = array
            done += len(chunk)
            progress(done, total, message)
    return vectors


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())
