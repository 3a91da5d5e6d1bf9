"""What keyword search knows of a corpus, learned by an adapter without anybody's labels.

For queries that were mined from the documents, cosines and BM25 rank the nearest passages together, and the adapter learns
that ranking (distillation: Hinton, Vinyals, Dean 2015, "Distilling the Knowledge in a Neural Network"; without labels, as
Wang et al. 2022, "GPL: Generative Pseudo Labeling for Unsupervised Domain Adaptation of Dense Retrieval", with a teacher that
costs nothing). Rare words decide in a corpus that a general model has seldom read. How far it may be followed is the
business of whoever asks: where keyword search is the worse one, it teaches its faults as well.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from indexes.vector_index import Vectors
from search.projects.progress import Progress
from search.projects.project import Project
from search.projects.settings import LIMITS
from search.retrieval.bm25.store import keyword_index
from training.adapter.fit import FittedAdapter, Learner
from training.adapter.settings import AdapterSettings
from training.embeddings import Embedded, TeacherRanking
from training.training_data import TrainingData
from training.weight_interpolation import between_matrices

KEYWORDS = "keyword search’s"
"""What stands as the kind of negatives of an adapter that learned from nothing else."""
_QUERIES, _PASSAGES = 1_500, 20_000
_NEAREST, _CANDIDATES = 32, 96
_WEIGHT = 0.5
"""Of keyword search beside the cosines, both as standard scores over the candidates."""
_SHARPNESS = 2.0
_EPOCHS, _BATCH = 10, 128
_OF_PAIRS = 0.5
"""How much of what the pairs taught goes beside what keyword search taught: the two often say the same."""


def teacher_shares(cosines: Vectors, keywords: Vectors) -> Vectors:
    """The teacher's probabilities of each query's candidates.

    :param cosines: shape (queries, candidates); `keywords` their BM25 scores.

    >>> cosines, keywords = np.array([[0.9, 0.1]], np.float32), np.array([[2.0, 0.0]], np.float32)
    >>> print(teacher_shares(cosines, keywords).round(4))  # 1.5 standard deviations apart from the mean, both.
    [[0.9975 0.0025]]
    """
    scores = _SHARPNESS * (_standard(cosines) + _WEIGHT * _standard(keywords))
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), dtype=np.float32)


def keyword_matrix(
    project: Project,
    material: TrainingData,
    data: Embedded,
    settings: AdapterSettings,
    progress: Progress,
) -> Vectors:
    """The matrix that ranks as cosines and keyword search do together on the queries of the material.

    :param data: the material as the base sees it.
    :returns: shape (dimension, dimension).
    """
    random = np.random.default_rng(settings.seed)
    chosen = np.sort(random.permutation(len(data.queries))[:_QUERIES])
    texts = [material.guarded.pairs[position].query for position in chosen.tolist()]
    passages = random.permutation(len(data.documents))[:_PASSAGES]
    part = data.only(chosen.tolist())
    words = keyword_index(project, material.corpus_manifest, material.corpus)
    documents = data.documents[passages]
    rows, cosines, keywords = [], [], []
    for number, text in enumerate(texts):
        near = documents @ part.queries[number]
        terms = words.analysis.terms(text)
        by_words = words.score(words.weights(terms, LIMITS.query_terms))[passages]
        best = _candidates(near, by_words)
        rows.append(passages[best])
        cosines.append(near[best])
        keywords.append(by_words[best])
    shares = teacher_shares(np.stack(cosines), np.stack(keywords))
    part = replace(part, teacher=TeacherRanking(np.stack(rows), shares))
    once = settings.model_copy(update={"epochs": _EPOCHS, "batch_size": _BATCH})
    learner = Learner(part, once, "teacher")
    for epoch in range(_EPOCHS):
        progress(epoch, _EPOCHS, f"learning from keyword search, epoch {epoch + 1} of {_EPOCHS}")
        learner.epoch()
    return learner.matrix


def with_keywords(adapted: FittedAdapter, matrix: Vectors) -> FittedAdapter:
    """What was learned from pairs and from keyword search, together and all of the way.

    :param matrix: what keyword search taught.
    """
    whole = matrix
    if adapted.epoch:
        pairs = between_matrices(adapted.matrix, _OF_PAIRS / adapted.blend)
        whole = pairs + matrix - np.eye(len(matrix), dtype=np.float32)
        return replace(adapted, matrix=whole, blend=1.0)
    return replace(adapted, matrix=whole, blend=1.0, epoch=_EPOCHS, negatives=KEYWORDS)


def _candidates(cosines: Vectors, keywords: Vectors) -> NDArray[np.int64]:
    """The nearest by vectors and by words, and others (passages come in no order) up to so many, each once."""
    near = [np.argsort(-scores, kind="stable")[:_NEAREST] for scores in (cosines, keywords)]
    every = np.concatenate([*near, np.arange(min(len(cosines), _CANDIDATES))])
    _, first = np.unique(every, return_index=True)
    return np.asarray(every[np.sort(first)][:_CANDIDATES], dtype=np.int64)


def _standard(scores: Vectors) -> Vectors:
    """Standard scores, row by row."""
    away = scores - scores.mean(axis=1, keepdims=True)
    return np.asarray(away / (scores.std(axis=1, keepdims=True) + 1e-6))
