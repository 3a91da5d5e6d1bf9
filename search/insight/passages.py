"""Where in a corpus a model looks: the passage of a document for a query, the documents like a text."""

import numpy as np

from indexes.vector_index import Positions
from search.corpus.corpus import Found
from search.retrieval.dense import Searcher
from search.retrieval.retriever import Clock
from search.retrieval.tiers import Ranking

_PASSAGES = 4  # How many passages are fetched for a document that is wanted.


def passage_of(searcher: Searcher, query: str, document: int) -> int | None:
    """The position of a document's passage that is nearest to a query; None where none can be."""
    own = np.asarray(searcher.corpus.passages_of(document), dtype=np.int64)
    positions, _ = searcher.index.search(searcher.vectors_of([query], Clock()), 1, own)
    return int(positions[0, 0]) if positions[0, 0] >= 0 else None


def documents_like(searcher: Searcher, text: str, k: int, documents: Positions) -> Ranking:
    """Up to k of some documents that are nearest to the text of a document, best first."""
    corpus = searcher.corpus
    whole = corpus.passages == len(corpus)
    owners = np.arange(len(corpus), dtype=np.int64) if whole else corpus.owners
    allowed = np.flatnonzero(np.isin(owners, documents))
    if not len(allowed):
        return []
    vectors = np.asarray(searcher.encoder.encode_document([text]), dtype=np.float32)
    fetch = min(len(allowed), k if whole else k * _PASSAGES)
    positions, scores = searcher.index.search(vectors, fetch, allowed)
    best: dict[int, Found] = {}
    for place, score in zip(positions[0].tolist(), scores[0].tolist(), strict=True):
        if place >= 0:
            owner = int(owners[place])
            best.setdefault(owner, Found(owner, score, place))
    return list(best.values())[:k]
