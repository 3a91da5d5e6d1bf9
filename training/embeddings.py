"""Vectors for an adapter to learn from: every text encoded once, and no text that an index has already."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexes.vector_index import Vectors, normalised
from search.corpus.labels import Pair
from search.models.encoding.index_vectors import vectors_of
from search.models.encoding.texts import encode_texts
from search.models.prompts import Role
from search.models.registry import ModelInfo, named
from search.projects.artifacts import Manifest
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project
from search.retrieval.indexing.build import build_index, find_index
from training.training_data import TrainingData

_MOST_NEGATIVES = 4

Encode = Callable[[list[str], Role, str, Progress], Vectors]
"""Texts, their role, what they are called, and whom to tell: vectors of length 1, in the texts' order."""


@dataclass(frozen=True)
class TeacherRanking:
    """How a teacher ranks some passages for each query.

    :param rows: of `Embedded.documents`, shape (pairs, candidates).
    :param shares: the teacher's probabilities of them, which sum to 1 for each query.
    """

    rows: NDArray[np.int64]
    shares: Vectors


@dataclass(frozen=True)
class Embedded:
    """Everything the training sees, as vectors of the base model.

    `queries` and `responses` have one row a pair; `negatives`, of shape (pairs, most of a pair, dimension), the
    wrong answers that came with them, zero where a pair has fewer. `documents` has one row a passage of the
    corpus, and `owners` the position of its document. `answers` is the position of a pair's document, or -1.
    `texts` tells equal queries by equal numbers. `mined`, of shape (pairs, most of a pair), are the rows of `documents`
    that are hard negatives of a pair, -1 where it has fewer; None where none were looked for. `teacher` is what an adapter
    learns that is taught a ranking.
    """

    queries: Vectors
    responses: Vectors
    negatives: Vectors
    answers: NDArray[np.int64]
    texts: NDArray[np.int64]
    documents: Vectors
    owners: NDArray[np.int64]
    dev_queries: Vectors
    mined: NDArray[np.int64] | None = None
    teacher: TeacherRanking | None = None

    def only(self, pairs: Sequence[int]) -> "Embedded":
        """The same with these pairs alone; documents and dev queries stay."""
        chosen = np.asarray(pairs, dtype=np.int64)
        return replace(
            self,
            queries=self.queries[chosen],
            responses=self.responses[chosen],
            negatives=self.negatives[chosen],
            answers=self.answers[chosen],
            texts=self.texts[chosen],
            mined=None if self.mined is None else self.mined[chosen],
            teacher=None,
        )


def numbered(texts: Sequence[str]) -> NDArray[np.int64]:
    """The same number for the same text."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(text, len(numbers)) for text in texts], dtype=np.int64)


def document_vectors(
    project: Project, name: str, base: Any, material: TrainingData, progress: Progress
) -> tuple[Vectors, Manifest | None]:
    """Vectors of all passages under the base: from its index (built when missing) where it has one."""
    info = named(project, name)
    if info is not None:
        manifest, corpus = material.corpus_manifest, material.corpus
        index = find_index(project, info, manifest)
        if index is None:
            index = build_index(project, info, base, manifest, corpus, progress)
        return vectors_of(project, index), index
    texts = material.corpus.embedded_texts(0, material.corpus.passages)
    return normalised(encode_texts(base, None, texts, "document", progress, "passages")), None


def embedded(
    base: Any,
    info: ModelInfo | None,
    material: TrainingData,
    documents: Vectors,
    progress: Progress,
) -> Embedded:
    """Vectors of everything the adapter trains on; a response that is a document is not encoded again.

    A document of several passages answers by the one that is nearest to the query, as in a search.

    :param info: the base as the project knows it: what was encoded with it before is not encoded again.
    """

    def encoded(texts: list[str], role: Role, what: str, stage: Progress) -> Vectors:
        return normalised(encode_texts(base, info, texts, role, stage, what))

    pairs = material.guarded.pairs
    corpus = material.corpus
    ids = {identity: position for position, identity in enumerate(corpus.ids())}
    answers = np.array([ids.get(p.document or "", -1) for p in pairs], dtype=np.int64)
    known = sorted({int(a) for a in answers if a >= 0})
    texts = {
        a: {d.embedded, d.text} for a, d in zip(known, corpus.documents_at(known), strict=True)
    }
    whole = [p.response in texts.get(int(a), ()) for p, a in zip(pairs, answers, strict=True)]
    queries = encoded([p.query for p in pairs], "query", "queries", Stage(progress, 0.0, 0.5))
    passages = {a: corpus.passages_of(a) for a in known}
    responses = np.zeros_like(queries)
    missing = [position for position, is_whole in enumerate(whole) if not is_whole]
    for position, query in enumerate(queries):
        if whole[position]:
            own = documents[passages[int(answers[position])]]
            responses[position] = own[int(np.argmax(own @ query))]
    if missing:
        lacking = [pairs[position].response for position in missing]
        responses[missing] = encoded(lacking, "document", "responses", Stage(progress, 0.5, 0.8))
    return Embedded(
        queries=queries,
        responses=responses,
        negatives=_negatives(encoded, pairs, queries.shape[1], Stage(progress, 0.8, 1.0)),
        answers=answers,
        texts=numbered([p.query for p in pairs]),
        documents=documents,
        owners=corpus.owners,
        dev_queries=encoded(material.dev.queries, "query", "dev queries", silent),
    )


def _negatives(
    encoded: Encode, pairs: Sequence[Pair], dimension: int, progress: Progress
) -> Vectors:
    """Vectors of the wrong answers that came with the pairs: shape (pairs, most of a pair, dimension)."""
    most = min(max(len(p.negatives) for p in pairs), _MOST_NEGATIVES)
    vectors = np.zeros((len(pairs), most, dimension), dtype=np.float32)
    given = [(n, slot) for n, p in enumerate(pairs) for slot in range(min(len(p.negatives), most))]
    if given:
        texts = [pairs[position].negatives[slot] for position, slot in given]
        vectors[*zip(*given, strict=True)] = encoded(texts, "document", "hard negatives", progress)
    return vectors
