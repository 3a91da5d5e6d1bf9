"""What a custom model learned from: the training pairs nearest to a query, and to a document."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from indexes.vector_index import Vectors, normalised
from search.corpus.corpus import Corpus
from search.corpus.labels import Pair
from search.corpus.readers.pairs import load_pairs
from search.evaluation.evaluate import TRAINED_ON
from search.insight.vector_cache import Side, find_kept, kept_vectors
from search.models.encoder import Encoder
from search.models.registry import ModelInfo
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project
from search.retrieval.dense import Searcher
from search.retrieval.retriever import Clock

QUERIES, ANSWERS = "training questions", "training answers"
_SHOWN = 3
# So many short texts are encoded in a second or two: no need to keep them.
_SOON = 512


@dataclass(frozen=True)
class Lesson:
    """A training pair, and how near (cosine, at most 1) its query or its answer is to what was asked about.

    `title` is that of the document that answers, where it is in the corpus.
    """

    query: str
    response: str
    document: str | None
    title: str
    nearness: float


@dataclass(frozen=True)
class Lessons:
    """The training pairs of a model nearest to a query, and those nearest to a document.

    `about` are pairs that the document itself answers, by the nearness of their query; `like_document` are pairs
    of other documents like it. `pairs` counts all that the model was trained on.
    """

    pairs: int
    like_query: tuple[Lesson, ...]
    about: tuple[Lesson, ...]
    like_document: tuple[Lesson, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


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
        searcher: Searcher,
        queries: Vectors,
        answers: Vectors,
    ) -> None:
        self.pairs = list(pairs)
        self._corpus = corpus
        self._searcher = searcher
        self._queries = queries
        self._answers = answers
        ids = {identity: place for place, identity in enumerate(corpus.ids())}
        self._documents = np.array([ids.get(p.document or "", -1) for p in pairs], dtype=np.int64)
        places = {text: row for row, text in enumerate(_queries(pairs))}
        self._query_rows = np.array([places[p.query] for p in pairs], dtype=np.int64)
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
        cls, project: Project, corpus: Corpus, searcher: Searcher, progress: Progress = silent
    ) -> "TrainedOn | None":
        """What a model was trained on; its texts are encoded once and kept. None without training pairs."""
        info, encoder = searcher.info, searcher.encoder
        pairs = trained_pairs(project, info)
        if not pairs:
            return None
        queries, answers = _queries(pairs), _loose(pairs, set(corpus.ids()))
        vectors = []
        sides: tuple[tuple[str, list[str], Side], ...] = (
            (QUERIES, queries, "query"),
            (ANSWERS, answers, "document"),
        )
        for place, (purpose, texts, side) in enumerate(sides):
            stage = Stage(progress, place / 2, (place + 1) / 2)
            keep = len(texts) > _SOON
            vectors.append(kept_vectors(project, info, purpose, texts, encoder, side, stage, keep))
        return cls(pairs, corpus, searcher, *vectors)

    def nearest(self, query: str, document: int, passage: str, count: int = _SHOWN) -> Lessons:
        """The pairs nearest to a query and to a document.

        :param document: the position of the document.
        :param passage: the text of it that the model sees.
        """
        encoder = self._searcher.encoder
        asked = normalised(self._searcher.vectors_of([query], Clock()))[0]
        near = (self._queries @ asked)[self._query_rows]
        order = np.argsort(-near, kind="stable")
        about = [place for place in order.tolist() if self._documents[place] == document]
        likeness = self._likeness(encoder, document, passage, count)
        like = sorted(likeness, key=lambda place: (-likeness[place], -near[place], place))
        return Lessons(
            len(self.pairs),
            self._lessons(_different(order.tolist(), self._query_rows, count), near),
            self._lessons(about[:count], near),
            self._lessons(like[:count], likeness),
        )

    def _likeness(
        self, encoder: Encoder, document: int, passage: str, count: int
    ) -> dict[int, float]:
        """How near the answers of pairs are to a passage, by the pair's place: of the nearest answers only."""
        taught = np.unique(self._documents[(self._documents >= 0) & (self._documents != document)])
        found: dict[int, float] = {}
        for near in self._searcher.documents_like(passage, count, taught):
            for place in np.flatnonzero(self._documents == near.document).tolist():
                found[place] = near.score
        if len(self._answers):
            vector = normalised(np.asarray(encoder.encode_document([passage]), dtype=np.float32))
            cosines = self._answers @ vector[0]
            for row in np.argsort(-cosines, kind="stable")[:count].tolist():
                for place in np.flatnonzero(self._answer_rows == row).tolist():
                    found[place] = float(cosines[row])
        return found

    def _lessons(
        self, places: Sequence[int], nearness: "dict[int, float] | Vectors"
    ) -> tuple[Lesson, ...]:
        known = sorted({int(self._documents[p]) for p in places if self._documents[p] >= 0})
        titles = dict(zip(known, self._corpus.documents_at(known), strict=True))
        made = []
        for place in places:
            pair, document = self.pairs[place], titles.get(int(self._documents[place]))
            title = document.title if document else ""
            made.append(
                Lesson(pair.query, pair.response, pair.document, title, float(nearness[place]))
            )
        return tuple(made)


def trained_pairs(project: Project, info: ModelInfo) -> list[Pair]:
    """The pairs that a model was trained on; none for a ready-made one, or one that learned from documents."""
    if info.kind == "generic":
        return []
    manifest = project.artifact("models", info.id)
    if TRAINED_ON not in manifest.files:
        return []
    return load_pairs(project.checked(manifest) / TRAINED_ON)


def is_ready(project: Project, corpus: Corpus, info: ModelInfo) -> bool:
    """Whether a model's training pairs can be asked without a wait: they are few, or were encoded before."""
    pairs = trained_pairs(project, info)
    kinds = ((QUERIES, _queries(pairs)), (ANSWERS, _loose(pairs, set(corpus.ids()))))
    return all(len(t) <= _SOON or find_kept(project, info, p, t) is not None for p, t in kinds)


def _queries(pairs: Sequence[Pair]) -> list[str]:
    return list(dict.fromkeys(pair.query for pair in pairs))


def _loose(pairs: Sequence[Pair], ids: Any) -> list[str]:
    """The different responses of pairs whose document is not in the corpus."""
    return list(dict.fromkeys(p.response for p in pairs if p.document not in ids))


def _different(places: Sequence[int], rows: Any, count: int) -> list[int]:
    """The first places with different rows: the same question twice teaches the reader nothing."""
    seen: dict[int, int] = {}
    for place in places:
        if len(seen) == count:
            break
        seen.setdefault(int(rows[place]), place)
    return list(seen.values())
