"""What speaks for a hit, and for a question: the shape of a column's best scores, and the words of the question beside them.

A score alone says little: each question has a scale of its own. What stands out from the scores below it says more, as the
prediction of query performance knows (Shtok et al., "Predicting Query Performance by Query-Drift Estimation", 2012; Zhou and
Croft, "Query Performance Prediction in Web Search Environments", 2007), and so does a second opinion: how much of the
question's words a passage has, and whether keyword search thinks alike (Diaz, "Performance Prediction Using Spatial
Autocorrelation", 2007).
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.corpus.corpus import ScoredDocument
from search.retrieval.retriever import Ranking
from search.retrieval.sparse import BM25Retriever

DEPTH = 50
_TOP = 10
_SUBJECT = (0, 6, 8, 10, 11, 13, 14, 16)

Table = NDArray[np.float64]
"""One row a hit, or a question; one column a measure."""


@dataclass(frozen=True)
class Evidence:
    """What is looked at of one question in one column.

    `scores` are the column's best, falling, DEPTH of them (the last one again where there are fewer); `coverage` is the share
    of the question's words, by what they weigh, in the passages of its ranking; `shared` how many of the first ten keyword
    search has among its own first ten, of ten; `ranks` where keyword search has a document, from 0.

    >>> made = Evidence(np.linspace(1, 0.02, DEPTH), np.full(DEPTH, 0.5), 0.8, 0.25, 3.0, 0.1, {7: 0})
    >>> made.hits([ScoredDocument(7, 1.0, 7)], np.array([0.5])).shape, made.question().shape
    ((1, 13), (17,))
    >>> made.subject().shape
    (8,)
    """

    scores: Table
    coverage: Table
    best_coverage: float
    unknown: float
    weight: float
    shared: float
    ranks: dict[int, int]

    def hits(self, ranking: Sequence[ScoredDocument], coverage: Table) -> Table:
        """The measures of some hits of the question: shape (hits, 13).

        :param coverage: of the passage of each.
        """
        own = np.array([hit.score for hit in ranking])
        position = np.searchsorted(-self.scores, -own)
        mean, spread = self.scores.mean(), self.scores.std() + 1e-9
        alike = [1 / (1 + self.ranks.get(hit.document, 10**6)) for hit in ranking]
        each = [
            own,
            self.scores[0] - own,
            own - self._below(position, 1),
            own - self._below(position, 5),
            (own - mean) / spread,
            np.log2(position + 2.0),
            coverage,
            coverage / max(self.best_coverage, 1e-9),
            np.array(alike),
        ]
        whole = [
            self.scores[0] - self.scores[1],
            self.best_coverage,
            self.weight,
            self.shared,
        ]
        return np.column_stack([*each, *(np.full(len(own), value) for value in whole)])

    def question(self) -> Table:
        """The measures of the question as a whole: shape (17,)."""
        scores, words = self.scores, self.coverage
        return np.array([
            scores[0],
            scores[0] - scores[1],
            scores[0] - scores[4],
            scores[0] - scores[9],
            scores[0] - scores[-1],
            scores[2] - scores[-1],
            scores.mean(),
            scores.std(),
            words[0],
            words[:3].max(),
            words[:_TOP].max(),
            words[:_TOP].mean(),
            words[0] - words[_TOP:].mean(),
            self.best_coverage,
            self.unknown,
            self.weight,
            self.shared,
        ])  # fmt: skip

    def subject(self) -> Table:
        """The measures that say whether the question is of the corpus's subject at all: shape (8,).

        Fewer than of `question`: how sharply scores fall is another thing in each field, so that strangers look at home by it.
        """
        chosen: Table = self.question()[list(_SUBJECT)]
        return chosen

    def _below(self, position: NDArray[np.int64], by: int) -> Table:
        return self.scores[np.minimum(position + by, len(self.scores) - 1)]


def read_evidence(
    words: BM25Retriever, query: str, ranking: Ranking, without: Set[int] = frozenset()
) -> Evidence | None:
    """The evidence for a question in a column; None where the column found nothing.

    :param words: keyword search over the same documents.
    :param ranking: the column's, best first: DEPTH documents beside those left out.
    :param without: documents that count as if they were not there.
    """
    seen = [hit for hit in ranking if hit.document not in without][:DEPTH]
    if not seen:
        return None
    weighed = words.weighed(query)
    others = words.best(weighed.terms, DEPTH + len(without))
    others = [hit for hit in others if hit.document not in without][:DEPTH]
    scores = np.array([hit.score for hit in seen])
    coverage = words.coverage(weighed, [hit.passage for hit in seen])
    most = others[0].score / weighed.most if others and weighed.most else 0.0
    first = {hit.document for hit in seen[:_TOP]} & {hit.document for hit in others[:_TOP]}
    return Evidence(
        np.pad(scores, (0, DEPTH - len(scores)), mode="edge"),
        np.pad(coverage, (0, DEPTH - len(coverage))),
        most,
        weighed.unknown,
        float(np.log1p(weighed.most)),
        len(first) / _TOP,
        {hit.document: position for position, hit in enumerate(others)},
    )
