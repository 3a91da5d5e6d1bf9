"""Evaluations that are drawn from real ones: per-query differences of real columns, whole groups with replacement.

Centred to a mean of zero (ties stay ties) they are null data with the skew and correlations of real columns. (Swapping the labels
of two columns at random would make the test right by construction.) Every evaluation drawn is tested by the code that
tests a real one.
"""

import json
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.evaluation.statistics.family import holm
from search.evaluation.statistics.flips import Flips
from search.evaluation.statistics.groups import QueryGroups
from search.evaluation.statistics.intervals import Intervals
from search.evaluation.statistics.significance import ALPHA
from tests.proofs import SEED

DRAWS = 999
SCORES = json.loads(Path(__file__).with_name("real_scores.json").read_text(encoding="utf-8"))
"""Of each shared data set: the groups of its test queries, and nDCG@10 of generic and others by query."""
SETS = tuple(SCORES)
_AT_ONCE = 250


@dataclass(frozen=True)
class Real:
    """nDCG@10 of real columns on one data set: the differences to its generic model, and its groups of queries."""

    labels: NDArray[np.int64]
    differences: NDArray[np.float64]

    def centred(self) -> "Real":
        """The same with a mean of zero in every column; what ties goes on to tie."""
        differing = self.differences != 0
        means = self.differences.sum(axis=1, keepdims=True) / differing.sum(axis=1, keepdims=True)
        return Real(self.labels, np.where(differing, self.differences - means, 0.0))

    def single(self) -> "Real":
        """The same with every query a group of its own."""
        return Real(np.arange(len(self.labels)), self.differences)


@dataclass(frozen=True)
class Drawn:
    """Evaluations: the sums and the sizes of the groups that were drawn, of shape (evaluations, columns or 1, groups)."""

    sums: NDArray[np.float64]
    sizes: NDArray[np.float64]

    def first(self, columns: int) -> "Drawn":
        """The first columns alone."""
        return Drawn(self.sums[:, :columns], self.sizes)

    def p_values(self) -> NDArray[np.float64]:
        """Each column's own p in each evaluation, by one matrix of signs."""
        count, columns, groups = self.sums.shape
        flips = Flips(QueryGroups.single(groups), DRAWS)
        return np.concatenate(
            [
                flips.p_of_sums(self.sums[i : i + _AT_ONCE].reshape(-1, groups))
                for i in range(0, count, _AT_ONCE)
            ]
        ).reshape(count, columns)

    def intervals(self) -> NDArray[np.float64]:
        """The 95 % interval of each evaluation's first column, of shape (evaluations, 2)."""
        count, _, groups = self.sums.shape
        single = QueryGroups.single(groups)
        flips = Flips(single, DRAWS)
        parts = [slice(i, i + _AT_ONCE) for i in range(0, count, _AT_ONCE)]
        return np.concatenate(
            [
                Intervals(single, self.sums[p, 0], self.sizes[p, 0], flips, DRAWS).at(0.95)
                for p in parts
            ]
        )


@cache
def real(name: str) -> Real:
    """What was measured on one of the shared data sets."""
    stored = SCORES[name]
    scores = {column: np.array(values) for column, values in stored["scores"].items()}
    generic = scores.pop("generic")
    return Real(np.array(stored["groups"]), np.stack([each - generic for each in scores.values()]))


def generator(*names: object) -> np.random.Generator:
    """A generator whose seed is the suite's and these names: fixed before anything was run."""
    return np.random.default_rng([*SEED.encode(), zlib.crc32(repr(names).encode())])


def draw(data: Real, queries: int, evaluations: int, rng: np.random.Generator) -> Drawn:
    """Evaluations of about so many queries: whole groups of the data, drawn with replacement."""
    sizes = np.bincount(data.labels).astype(np.float64)
    sums = QueryGroups(data.labels.astype(np.int32)).sums(data.differences)
    groups = max(2, round(queries / sizes.mean()))
    drawn = rng.integers(0, len(sizes), (evaluations, groups))
    return Drawn(np.moveaxis(sums[:, drawn], 0, 1), sizes[drawn][:, None])


def planted(
    data: Real, groups: int, size: int, evaluations: int, rng: np.random.Generator
) -> tuple[Drawn, Drawn]:
    """Queries in groups of one size with a correlation of one half: half of a difference's variance is its group's.

    :returns: the evaluations by groups, and the same queries each for itself.
    """
    pool = data.differences
    shared = pool[:, rng.integers(0, pool.shape[1], (evaluations, groups, 1))]
    own = pool[:, rng.integers(0, pool.shape[1], (evaluations, groups, size))]
    mixed = np.moveaxis((shared + own) / np.sqrt(2), 0, 1)
    together = Drawn(mixed.sum(axis=3), np.full((evaluations, 1, groups), float(size)))
    flat = mixed.reshape(evaluations, len(pool), groups * size)
    return together, Drawn(flat, np.ones((evaluations, 1, groups * size)))


def verdicts(p_values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which columns of which evaluations get a verdict, by Holm's p over the columns of each."""
    held = [[p < ALPHA for p in holm(row)] for row in p_values.tolist()]
    return np.array(held)
