"""Search by the words themselves."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexes.vector_index import Positions
from search.corpus.corpus import Corpus, ScoredDocument
from search.corpus.filters import Scope
from search.models.registry import KEYWORD
from search.projects.settings import LIMITS
from search.retrieval.bm25.index import K1, B, TermIndex
from search.retrieval.bm25.store import MADE_SO
from search.retrieval.retriever import BaseRetriever, EncodingTime, PreparedQuery, Ranking

SETTINGS = (MADE_SO, K1, B, LIMITS.query_terms)
"""What keyword scores depend on besides the corpus."""
_TELLING = 25  # Terms by which documents like one are looked for.


@dataclass(frozen=True)
class WeighedWords:
    """The words of a query: the numbers of known terms, what all weigh together, and the share of unknown ones.

    >>> WeighedWords({}, 2.5, 1.0).unknown
    1.0
    """

    terms: Mapping[int, float]
    most: float
    unknown: float


class BM25Retriever(BaseRetriever):
    """Ranks by BM25 over the words of title and text: the bar that any embedding should clear.

    :param index: the words of the passages of the corpus.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from search.corpus.corpus import CORPUS_FILE, Corpus
    >>> from search.corpus.document import Document
    >>> from search.corpus.writer import CorpusWriter
    >>> folder = tempfile.TemporaryDirectory()
    >>> writer = CorpusWriter(Path(folder.name))
    >>> _ = writer.add([Document("a", "", "rent in gold"), Document("b", "", "frost and dust")])
    >>> _ = writer.close()
    >>> corpus = Corpus(Path(folder.name) / CORPUS_FILE)
    >>> from search.retrieval.bm25.index import build
    >>> from search.retrieval.bm25.tokenizer import Analysis
    >>> _ = build(corpus.embedded_texts(0, 2), Analysis(), Path(folder.name))
    >>> retriever = BM25Retriever(corpus, TermIndex.load(Path(folder.name), Analysis(), 2))
    >>> [hit.document for hit in retriever.rank(["frost"], 2)[0]]
    [1]
    >>> folder.cleanup()
    """

    name = KEYWORD

    def __init__(self, corpus: Corpus, index: TermIndex) -> None:
        self.corpus = corpus
        self.index = index
        self._owners = corpus.owners if corpus.passages > len(corpus) else None

    def prepare_queries(self, queries: Sequence[str], _timing: EncodingTime) -> PreparedQuery:
        """See `BaseRetriever.prepare_queries`."""
        return self._finder([self._weights(query) for query in queries])

    def prepare_document(self, document: int) -> PreparedQuery:
        """See `BaseRetriever.prepare_document`: by the terms that weigh most in it (count times inverse document frequency).

        So does Lucene's MoreLikeThis, and as there each of them counts once.
        """
        texts = self.corpus.embedded_at(self.corpus.passages_of(document))
        terms = [term for text in texts for term in self.index.analysis.terms(text)]
        return self._finder([dict.fromkeys(self.index.weights(terms, _TELLING), 1.0)])

    def _finder(self, wanted: Sequence[Mapping[int, float]]) -> PreparedQuery:
        def find(k: int, scope: Scope) -> list[Ranking]:
            allowed = self.corpus.within(scope)
            return [self.best(weights, k, allowed) for weights in wanted]

        return find

    def best(
        self, weights: Mapping[int, float], k: int, allowed: Positions | None = None
    ) -> Ranking:
        """The best documents for weighted terms, each by its best passage; equal scores by position.

        :param weights: numbers of terms (see `TermIndex.weights`) and how much each counts.
        :param allowed: the passages that may be found; None for all.
        """
        scores = self.index.score(weights)
        places = np.flatnonzero(scores) if allowed is None else allowed[scores[allowed] > 0]
        if not len(places):
            return []
        found = scores[places]
        if self._owners is not None:
            # The passages of a document stand together: its best score is the largest of a run of equal owners.
            owners = self._owners[places]
            firsts = np.flatnonzero(np.concatenate([[True], owners[1:] != owners[:-1]]))
            found = np.maximum.reduceat(found, firsts)
            stops = np.append(firsts[1:], len(places))
        if k < len(found):
            least = np.partition(found, len(found) - k)[len(found) - k]
            kept = np.flatnonzero(found >= least)
        else:
            kept = np.arange(len(found))
        kept = kept[np.argsort(-found[kept], kind="stable")][:k]
        if self._owners is None:
            return [ScoredDocument(int(places[n]), float(found[n]), int(places[n])) for n in kept]
        ranking = []
        for n in kept:
            run = places[firsts[n] : stops[n]]
            passage = int(run[np.argmax(scores[run])])
            ranking.append(ScoredDocument(int(owners[firsts[n]]), float(found[n]), passage))
        return ranking

    def weighed(self, query: str) -> "WeighedWords":
        """The words of a query, and what they weigh."""
        counts = Counter(self.index.analysis.terms(query))
        rarity = self.index.rarity(list(counts))
        weights = rarity * np.array(list(counts.values()))
        known = self.index.frequencies(list(counts)) > 0
        most = float(weights.sum())
        unknown = float(weights[~known].sum()) / most if most else 0.0
        return WeighedWords(self._weights(query), most, unknown)

    def coverage(self, words: "WeighedWords", passages: Sequence[int]) -> NDArray[np.float64]:
        """How much of what the words of a query weigh some passages have: 0 to 1, as BM25 counts. Shape (len(passages),)."""
        parts = self.index.parts(words.terms, passages).astype(np.float64)
        return parts / words.most if words.most else parts

    def _weights(self, query: str) -> dict[int, float]:
        return self.index.weights(self.index.analysis.terms(query), LIMITS.query_terms)
