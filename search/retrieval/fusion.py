"""How keyword search and a model are joined: by ranks or by scores, with what weight, how deep.

By rank: reciprocal rank fusion (Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and
individual Rank Learning Methods", SIGIR 2009), with their k of 60: 1 / (60 + rank) from each side. Ranks need no common
scale, which BM25 and cosines do not have. By score: a convex combination of scores that were brought to one scale query
by query, which wins where something is known to weigh the sides by (Bruch, Gai and Ingber, "An Analysis of Fusion
Functions for Hybrid Retrieval", TOIS 2023).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from search.corpus.corpus import ScoredDocument
from search.retrieval.retriever import Ranking

CONSTANT = 60
DEPTH = 200
"""How many documents of each side are fused, at least: the same for every k, so that ten hits are the first ten of a
hundred."""

Scale = Literal["ranks", "scores"]
Values = NDArray[np.float64]


class Sides(NamedTuple):
    """What two rankings give to the documents that either holds, in the order of the second, then of the first.

    `values` are what each side gives, `held` whether it holds it: shape (2, documents).

    >>> sides = Sides([7, 8], np.array([[1.0, 0.0], [0.5, 1.0]]), np.array([[True, False], [True, True]]))
    >>> sides.totals(np.array([0.5, 1.0])).tolist()
    [[0.75, 0.5], [1.0, -inf]]
    """

    documents: list[int]
    values: Values
    held: NDArray[np.bool_]

    def totals(self, weights: Values) -> Values:
        """The sums by the share of the first side: shape (weights, documents); -inf where no side with a share holds it."""
        shares = np.stack([weights, 1 - weights])[:, :, None]
        counted = ((shares > 0) & self.held[:, None]).any(axis=0)
        sums: Values = shares[0] * self.values[0] + shares[1] * self.values[1]
        return np.where(counted, sums, -np.inf)


@dataclass(frozen=True)
class Fusion:
    """One way to join two rankings of a query.

    :param weight: the share of the keywords, 0 to 1. What only a side without a share holds is left out.
    :param scale: ranks are joined by reciprocal rank. Scores are joined after each side's were brought between 0 (the last of
        the first `depth`; no word in common, where keyword search found fewer) and 1 (the first). A document that a side
        does not hold has that side's lowest value. Equal sums follow the model: with all the weight on the words, scores
        leave it to the model to part what has equal ones.

    >>> words = [ScoredDocument(0, 9.0, 0), ScoredDocument(1, 8.0, 1)]
    >>> model = [ScoredDocument(2, 0.9, 2), ScoredDocument(1, 0.8, 1), ScoredDocument(0, 0.1, 0)]
    >>> [hit.document for hit in Fusion(scale="scores").fuse(words, model)]
    [1, 2, 0]
    >>> [hit.document for hit in Fusion(0.0).fuse(words, model)]
    [2, 1, 0]
    """

    weight: float = 0.5
    scale: Scale = "ranks"
    depth: int = DEPTH

    @property
    def is_one_side(self) -> bool:
        """Whether it gives the ranking of one side, untouched."""
        return self.scale == "ranks" and self.weight in (0.0, 1.0)

    def sides(self, words: Sequence[ScoredDocument], model: Sequence[ScoredDocument]) -> Sides:
        """What each side gives to each document, before it is weighed."""
        documents = list(dict.fromkeys(hit.document for side in (model, words) for hit in side))
        at = {document: i for i, document in enumerate(documents)}
        values = np.zeros((2, len(documents)))
        held = np.zeros((2, len(documents)), dtype=bool)
        for row, side in enumerate((words, model)):
            own = [at[hit.document] for hit in side]
            scaled, values[row] = self._scaled(side, by_words=side is words)
            values[row, own], held[row, own] = scaled, True
        return Sides(documents, values, held)

    def fuse(self, words: Sequence[ScoredDocument], model: Sequence[ScoredDocument]) -> Ranking:
        """The documents of both, best first; equal ones in the order of the model, then of the keywords.

        A document stands there with the passage of the side that ranks it higher.
        """
        passages: dict[int, tuple[int, int]] = {}
        for side, share in ((words, self.weight), (model, 1 - self.weight)):
            for rank, hit in enumerate(side) if share else ():
                best = passages.get(hit.document, (rank, hit.passage))
                passages[hit.document] = best if best[0] < rank else (rank, hit.passage)
        sides = self.sides(words, model)
        (totals,) = sides.totals(np.array([self.weight])).tolist()
        # Sorting is stable: what has equal sums stays in the order of the model.
        order = sorted(zip(sides.documents, totals, strict=True), key=lambda one: -one[1])
        return [
            ScoredDocument(document, total, passages[document][1])
            for document, total in order
            if document in passages
        ]

    def _scaled(self, side: Sequence[ScoredDocument], by_words: bool) -> tuple[Values, float]:
        """The values of what a side holds, and that of what it does not hold."""
        if self.scale == "ranks":
            return 2 / (CONSTANT + np.arange(1.0, len(side) + 1)), 0.0
        scores = np.array([hit.score for hit in side], dtype=np.float64)
        if not len(scores):
            return scores, 0.0
        # Where keyword search found fewer, it has no more to find: all others have no word in common, a score of 0.
        no_more = by_words and len(scores) < self.depth
        zero = 0.0 if no_more else float(scores[: self.depth].min())
        unit = float(scores.max()) - zero
        scaled = (scores - zero) / unit if unit > 0 else np.ones(len(scores))
        return scaled, min(0.0, float(scaled.min()))
