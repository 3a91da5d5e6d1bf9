"""What an adapter over a model of one's own making learns from: the pairs and the dev pool, encoded by that model.

The whole corpus would take too long; the dev pool, drawn from it, stands for it.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from indexes.vector_index import Vectors, normalised
from search.models.encoding.texts import encode_texts
from search.projects.progress import Progress, Stage
from training.data.answering_passages import answering_passages
from training.dev_set import DevSet
from training.embeddings import Embedded, numbered
from training.training_data import TrainingData


@dataclass(frozen=True)
class Asked:
    """Vectors of the dev queries and of the pool, of length 1.

    >>> from search.evaluation.query_set import QuerySet
    >>> dev = DevSet(QuerySet({"1": "due?"}, {"1": {"d": 1}}), [0, 1], ["c", "d"], ["Frost.", "Rent is due."])
    >>> pool = np.eye(2, dtype=np.float32)
    >>> Asked(queries=pool[1:], pool=pool).scores(dev)
    [1.0]
    """

    queries: Vectors
    pool: Vectors

    def scores(self, dev: DevSet) -> list[float]:
        """nDCG@10 of each dev query."""
        return dev.scores_of_vectors(self.queries, self.pool)


def asked(model: Any, dev: DevSet, progress: Progress) -> Asked:
    """Encode the dev queries and the pool."""
    return Asked(*map(normalised, dev.encoded(model, None, progress)))


def embedded_by(
    model: Any, material: TrainingData, known: Asked, progress: Progress
) -> tuple[Embedded, DevSet]:
    """The material as a model sees it, and the dev set with the pool as all the documents there are."""
    pairs = answering_passages(material.guarded.pairs, material.corpus)
    ids = {identity: position for position, identity in enumerate(material.corpus.ids())}
    queries = encode_texts(
        model, None, [p.query for p in pairs], "query", Stage(progress, 0.0, 0.3), "queries"
    )
    responses = _answers(
        model, [p.response for p in pairs], material.dev, known, Stage(progress, 0.3, 1.0)
    )
    dimension = queries.shape[1]
    data = Embedded(
        queries=normalised(queries),
        responses=responses,
        negatives=np.zeros((len(pairs), 0, dimension), dtype=np.float32),
        answers=np.array([ids.get(p.document or "", -1) for p in pairs], dtype=np.int64),
        texts=numbered([p.query for p in pairs]),
        documents=known.pool,
        owners=np.asarray(material.corpus.owners[material.dev.positions]),
        dev_queries=known.queries,
    )
    return data, replace(material.dev, positions=list(range(len(known.pool))))


def _answers(
    model: Any, texts: list[str], dev: DevSet, known: Asked, progress: Progress
) -> Vectors:
    """Vectors of answers, of length 1: each encoded once, and not at all where it stands in the dev pool."""
    rows = {text: known.pool[position] for position, text in enumerate(dev.texts)}
    new = [text for text in dict.fromkeys(texts) if text not in rows]
    if new:
        vectors = normalised(encode_texts(model, None, new, "document", progress, "answers"))
        rows |= dict(zip(new, vectors, strict=True))
    return np.stack([rows[text] for text in texts])
