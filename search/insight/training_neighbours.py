"""What a custom model learned from: the training pairs nearest to a query, and to a document."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from indexes.vector_index import Vectors, normalised
from search.corpus.corpus import Corpus
from search.corpus.labels import Pair
from search.evaluation.query_sets.trained_on import trained_pairs
from search.insight.vector_cache import at_hand, cached_vectors
from search.models.encoder import Encoder
from search.models.registry import ModelInfo
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project
from search.retrieval.dense import DenseRetriever
from search.retrieval.retriever import EncodingTime

QUERIES, ANSWERS = "training questions", "training answers"
_SHOWN = 3


@dataclass(frozen=True)
class TrainingNeighbour:
    """A training pair, and how near (cosine, at most 1) its query or its answer is to what was asked about.

    `title` is that of the document that answers, where it is in the corpus.
    """

    query: str
    response: str
    document: str | None
    title: str
    nearness: float


@dataclass(frozen=True)
class TrainingNeighbours:
    """The training pairs of a model nearest to a query, and those nearest to a document.

    `about` are pairs that the document itself answers, by the nearness of their query; `like_document` are pairs
    of other documents like it. `pairs` counts all that the model was trained on.
    """

    pairs: int
    like_query: tuple[TrainingNeighbour, ...]
    about: tuple[TrainingNeighbour, ...]
    like_document: tuple[TrainingNeighbour, ...]


class TrainedOn:
    """The pairs that a model was trained on, as that model sees them.

    :param pairs: the pairs.
    :param searcher: the model over the corpus.
    :param queries: vectors of the different queries in order of first appearance, of length 1.
    :param answers: vectors of the different responses that are no documents of the corpus, likewise.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        corpus: Corpus,
        searcher: DenseRetriever,
        queries: Vectors,
        answers: Vectors,
    ) -> None:
        self.pairs = list(pairs)
        self._corpus = corpus
        self._searcher = searcher
        self._queries = queries
        self._answers = answers
        ids = {identity: position for position, identity in enumerate(corpus.ids())}
        self._documents = np.array([ids.get(p.document or "", -1) for p in pairs], dtype=np.int64)
        rows = {text: row for row, text in enumerate(_queries(pairs))}
        self._query_rows = np.array([rows[p.query] for p in pairs], dtype=np.int64)
        loose = {text: row for row, text in enumerate(_loose(pairs, ids.keys()))}
        self._answer_rows = np.array(
            [
                loose[p.response] if d < 0 else -1
                for p, d in zip(pairs, self._documents, strict=True)
            ],
            dtype=np.int64,
        )

    @classmethod
    def load(
        cls, project: Project, corpus: Corpus, searcher: DenseRetriever, progress: Progress = silent
    ) -> "TrainedOn | None":
        """What a model was trained on; its texts are encoded once and kept. None without training pairs."""
        info, encoder = searcher.info, searcher.encoder
        pairs = trained_pairs(project, info)
        if not pairs:
            return None
        loose = _loose(pairs, set(corpus.ids()))
        first, second = Stage(progress, 0.0, 0.5), Stage(progress, 0.5, 1.0)
        queries = cached_vectors(project, info, QUERIES, _queries(pairs), encoder, "query", first)
        answers = cached_vectors(project, info, ANSWERS, loose, encoder, "document", second)
        return cls(pairs, corpus, searcher, queries, answers)

    def nearest(
        self, query: str, document: int, passage: str, count: int = _SHOWN
    ) -> TrainingNeighbours:
        """The pairs nearest to a query and to a document.

        :param document: the position of the document.
        :param passage: the text of it that the model sees.
        """
        encoder = self._searcher.encoder
        asked = normalised(self._searcher.vectors_of([query], EncodingTime()))[0]
        near = (self._queries @ asked)[self._query_rows]
        order = np.argsort(-near, kind="stable")
        about = [position for position in order.tolist() if self._documents[position] == document]
        likeness = self._likeness(encoder, document, passage, count)
        like = sorted(
            likeness, key=lambda position: (-likeness[position], -near[position], position)
        )
        return TrainingNeighbours(
            len(self.pairs),
            self._neighbours(_different(order.tolist(), self._query_rows, count), near),
            self._neighbours(about[:count], near),
            self._neighbours(like[:count], likeness),
        )

    def _likeness(
        self, encoder: Encoder, document: int, passage: str, count: int
    ) -> dict[int, float]:
        """How near the answers of pairs are to a passage, by the pair's position: of the nearest answers only."""
        taught = np.unique(self._documents[(self._documents >= 0) & (self._documents != document)])
        found: dict[int, float] = {}
        for near in self._searcher.documents_like(passage, count, taught):
            for position in np.flatnonzero(self._documents == near.document).tolist():
                found[position] = near.score
        if len(self._answers):
            vector = normalised(np.asarray(encoder.encode_document([passage]), dtype=np.float32))
            cosines = self._answers @ vector[0]
            for row in np.argsort(-cosines, kind="stable")[:count].tolist():
                for position in np.flatnonzero(self._answer_rows == row).tolist():
                    found[position] = float(cosines[row])
        return found

    def _neighbours(
        self, positions: Sequence[int], nearness: "dict[int, float] | Vectors"
    ) -> tuple[TrainingNeighbour, ...]:
        known = sorted({int(self._documents[p]) for p in positions if self._documents[p] >= 0})
        titles = dict(zip(known, self._corpus.documents_at(known), strict=True))
        made = []
        for position in positions:
            pair, document = self.pairs[position], titles.get(int(self._documents[position]))
            title = document.title if document else ""
            made.append(
                TrainingNeighbour(
                    pair.query, pair.response, pair.document, title, float(nearness[position])
                )
            )
        return tuple(made)


def is_ready(project: Project, corpus: Corpus, info: ModelInfo) -> bool:
    """Whether a model's training pairs can be asked without a wait: they are few, or were encoded before."""
    pairs = trained_pairs(project, info)
    kinds = ((QUERIES, _queries(pairs)), (ANSWERS, _loose(pairs, set(corpus.ids()))))
    return all(at_hand(project, info, purpose, texts) for purpose, texts in kinds)


def _queries(pairs: Sequence[Pair]) -> list[str]:
    return list(dict.fromkeys(pair.query for pair in pairs))


def _loose(pairs: Sequence[Pair], ids: Any) -> list[str]:
    """The different responses of pairs whose document is not in the corpus."""
    return list(dict.fromkeys(p.response for p in pairs if p.document not in ids))


def _different(positions: Sequence[int], rows: Any, count: int) -> list[int]:
    """The first positions with different rows: the same question twice teaches the reader nothing."""
    seen: dict[int, int] = {}
    for position in positions:
        if len(seen) == count:
            break
        seen.setdefault(int(rows[position]), position)
    return list(seen.values())
