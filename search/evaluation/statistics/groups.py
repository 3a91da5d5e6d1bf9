"""Which queries are independent: those that ask alike, or for the same documents, are one group.

Queries of one group gain and lose together, so that their number says too much of how sure a mean is. The groups,
not the queries, are what the test flips and the bootstrap draws (cluster bootstrap: Cameron, Gelbach and Miller,
Review of Economics and Statistics 2008; the effective number is that of Kish 1965 for clusters of unequal size).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.evaluation.query_sets.query_set import QuerySet
from search.text.near_duplicates import Groups, NearDuplicates, SimilarSets

OVERLAP = 0.5
"""The least Jaccard overlap of the documents relevant to two queries that makes them ask for the same."""
FEWEST = 6
"""Under so many groups nothing can be told: with five, no pattern of signs has a p below .05."""
FEW = 30
"""Under so many groups a bootstrap interval is too narrow (Cameron, Gelbach and Miller 2008)."""
_LARGEST_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class QueryGroups:
    """One group a query, in the order of the evaluation's queries.

    :param labels: of shape (queries,), whole numbers from 0 without a gap.

    >>> groups = QueryGroups(np.array([0, 0, 1, 2]))
    >>> groups.count, groups.largest, round(groups.effective, 2), groups.few
    (3, 2, 2.67, True)
    """

    labels: NDArray[np.int32]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QueryGroups) and np.array_equal(self.labels, other.labels)

    def __hash__(self) -> int:
        return hash(self.labels.tobytes())

    @classmethod
    def single(cls, queries: int) -> "QueryGroups":
        """Every query a group of its own."""
        return cls(np.arange(queries, dtype=np.int32))

    @property
    def sizes(self) -> NDArray[np.int64]:
        """How many queries each group has, of shape (groups,)."""
        return np.bincount(self.labels)

    @property
    def count(self) -> int:
        """How many groups there are."""
        return len(self.sizes)

    @property
    def largest(self) -> int:
        """How many queries the largest group has."""
        return int(self.sizes.max(initial=0))

    @property
    def effective(self) -> float:
        """As many groups of one size would tell as much: (Σn)² / Σn²."""
        squares = float((self.sizes.astype(np.float64) ** 2).sum())
        return len(self.labels) ** 2 / squares if squares else 0.0

    @property
    def few(self) -> bool:
        """Whether the groups are so few, or one so large, that the interval is found by inverting the test."""
        return self.count < FEW or self.largest > _LARGEST_SHARE * len(self.labels)

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sum of each group: of shape (rows, groups) for values of shape (rows, queries)."""
        order = np.argsort(self.labels, kind="stable")
        starts = np.concatenate(([0], np.cumsum(self.sizes)[:-1]))
        result: NDArray[np.float64] = np.add.reduceat(values[:, order], starts, axis=1)
        return result

    def totals(
        self, values: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The sum of each group, of shape (rows, groups), and of how many values it is, of shape (1, groups)."""
        return self.sums(values), self.sizes.astype(np.float64)[None, :]

    def only(self, chosen: NDArray[np.bool_]) -> "QueryGroups":
        """The groups of some of the queries.

        :param chosen: of shape (queries,).
        """
        _, labels = np.unique(self.labels[chosen], return_inverse=True)
        return QueryGroups(labels.astype(np.int32))

    @property
    def sentence(self) -> str:
        """What they are, for people."""
        if self.count == len(self.labels):
            return f"{len(self.labels):,} queries, each independent of the others."
        return (
            f"{len(self.labels):,} queries in {self.count:,} independent groups; the largest has {self.largest:,}, and they "
            f"count as {self.effective:,.1f} of one size."
        )

    def as_json(self) -> dict[str, Any]:
        """What `evaluate --json` says of them."""
        return {
            "queries": len(self.labels),
            "groups": self.count,
            "largest": self.largest,
            "effective": round(self.effective, 1),
        }


def group_queries(query_set: QuerySet, copies: Mapping[str, str] | None = None) -> QueryGroups:
    """Group the queries of a set (sorted by id, as an evaluation has them).

    Two are linked when their texts are near-duplicates or when of the documents relevant to either at least half
    are relevant to both; a group is what is linked, directly or through others.

    :param copies: the id of a document to the id that stands for all documents of the same text.
    """
    alike = copies or {}
    queries = sorted(query_set.queries)
    texts = [query_set.queries[query] for query in queries]
    answers = [frozenset(alike.get(d, d) for d in query_set.relevant(query)) for query in queries]
    near, overlapping = NearDuplicates(texts), SimilarSets(answers, OVERLAP)
    joined = Groups(len(queries))
    for i, (text, asked) in enumerate(zip(texts, answers, strict=True)):
        for other in (*near.of(text), *overlapping.of(asked)):
            joined.join(i, other)
    _, labels = np.unique([joined.find(i) for i in range(len(queries))], return_inverse=True)
    return QueryGroups(labels.astype(np.int32))
