"""The sentence of a text that answers a question, as a column sees it: the nearest to the question by its own model.

A model is asked for each sentence by itself (Yang et al., "Multilingual Universal Sentence Encoder for Semantic Retrieval", 2019,
find answers so); keyword search takes the sentence whose words weigh most.
"""

from collections.abc import Sequence

import numpy as np

from indexes.vector_index import normalised
from search.insight.spans import Span, sentence_spans
from search.retrieval.dense import DenseRetriever
from search.retrieval.retriever import EncodingTime
from search.retrieval.sparse import BM25Retriever

MOST = 60


def answering_sentences(
    retriever: DenseRetriever | BM25Retriever, query: str, texts: Sequence[str], most: int = MOST
) -> list[Span | None]:
    """Of each text the sentence that answers best; None where there is no choice, or no reason for one.

    :param most: how many sentences of a text are looked at.
    """
    spans = [sentence_spans(text)[:most] for text in texts]
    said = [
        [text[span.start : span.stop] for span in own]
        for text, own in zip(texts, spans, strict=True)
    ]
    distinct = list(dict.fromkeys(part for own in said if len(own) > 1 for part in own))
    if not distinct:
        return [None] * len(texts)
    score = dict(zip(distinct, _scores(retriever, query, distinct), strict=True))
    chosen: list[Span | None] = []
    for own, parts in zip(spans, said, strict=True):
        best = max(range(len(own)), key=lambda i: score[parts[i]]) if len(own) > 1 else None
        chosen.append(None if best is None or score[parts[best]] <= 0 else own[best])
    return chosen


def _scores(
    retriever: DenseRetriever | BM25Retriever, query: str, sentences: Sequence[str]
) -> list[float]:
    """How near each sentence is to a question: cosines, or what the words that both have weigh."""
    if isinstance(retriever, DenseRetriever):
        asked = normalised(retriever.vectors_of([query], EncodingTime()))
        read = normalised(np.asarray(retriever.encoder.encode_document(list(sentences))))
        cosines: list[float] = (read @ asked[0]).tolist()
        return cosines
    terms = retriever.index.analysis.terms
    wanted = list(dict.fromkeys(terms(query)))
    weights = dict(zip(wanted, retriever.index.rarity(wanted).tolist(), strict=True))
    return [sum(weights[term] for term in set(terms(part)) & weights.keys()) for part in sentences]
