"""The paired randomization test over groups of queries, for any number of differences at once, and its interval.

Were two columns the same, each difference could as well have the other sign; queries that belong together change
signs together (Fisher; Smucker, Allan and Carterette, CIKM 2007: the randomization test is to be preferred among
those used in information retrieval). One matrix of signs serves all columns, metrics and slices.
"""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from search.evaluation.statistics.groups import QueryGroups

DRAWS = 9_999
SEED = 20_240_501
EXACT_GROUPS = 13
"""Up to so many groups (2^13 = 8,192 patterns of signs) every pattern is tried."""
_CHUNK = 4_000_000
_ROUNDING = 1e-12


class Flips:
    """Patterns of signs, one sign a group: all there are up to 13 groups, else drawn at random.

    The draws are those of `scipy.stats.permutation_test` with the same seed, so where each query is a group p is
    scipy's: twice the smaller tail, (1 + hits) / (1 + draws) where patterns are drawn, hits / 2^groups where all are
    tried.

    :param groups: of the queries.
    :param draws: how many patterns are drawn where not all are tried.
    :param seed: of the draws.

    >>> flips = Flips(QueryGroups.single(10))
    >>> differences = np.array([[0.5] * 10, [0.3, -0.3] * 5])
    >>> flips.p_values(differences).tolist()
    [0.001953125, 1.0]
    >>> flips.intervals(differences)[0].tolist()
    [0.5, 0.5]
    """

    def __init__(self, groups: QueryGroups, draws: int = DRAWS, seed: int = SEED) -> None:
        self.groups = groups
        self.exact = groups.count <= EXACT_GROUPS
        self._draws = draws
        self._seed = seed

    @cached_property
    def _flipped(self) -> NDArray[np.uint8]:
        """Of each pattern, which groups change their sign: eight groups a byte."""
        count = self.groups.count
        if self.exact:
            patterns = np.arange(2**count)[:, None] >> np.arange(count)
            return np.packbits((patterns & 1).astype(bool), axis=1)
        rng = np.random.default_rng(self._seed)
        rows = max(1, _CHUNK // count)
        drawn = [
            # As numpy permutes a pair: an even number exchanges the two.
            rng.integers(0, 2**32, (min(rows, self._draws - start), count), np.uint32) & 1 == 0
            for start in range(0, self._draws, rows)
        ]
        return np.concatenate([np.packbits(chunk, axis=1) for chunk in drawn])

    def p_values(
        self, differences: NDArray[np.float64], within: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float64]:
        """The two-sided p of each row of differences.

        :param differences: of shape (rows, queries).
        :param within: of the same shape, which queries each row is about; all where none.
        :returns: of shape (rows,).
        :raises ValueError: where a difference is not a number.
        """
        return self.p_of_sums(self._by_group(differences, within)[0])

    def p_of_sums(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same of what the differences of each group add up to, of shape (rows, groups)."""
        near = _ROUNDING * np.abs(sums).sum(axis=1)
        above = np.zeros(len(sums), dtype=np.int64)
        below = np.zeros(len(sums), dtype=np.int64)
        for chunk in self._chunks():
            parts = chunk @ sums.T
            above += (parts <= near).sum(axis=0)
            below += (parts >= -near).sum(axis=0)
        extra = 0 if self.exact else 1
        p_values: NDArray[np.float64] = np.minimum(
            1.0, 2 * (np.minimum(above, below) + extra) / (len(self._flipped) + extra)
        )
        return p_values

    def intervals(
        self,
        differences: NDArray[np.float64],
        within: NDArray[np.bool_] | None = None,
        level: float | NDArray[np.float64] = 0.95,
    ) -> NDArray[np.float64]:
        """The interval of each row's mean: every value that the test with these patterns would not refuse.

        A value is refused where the differences less that value have a p below 1 - level. The sum of what a
        pattern flips decides, so each pattern refuses from the mean of its flipped queries on: the ends are two of
        these means (typical values: Hartigan, JASA 1969). An end that no pattern sets is -1 or 1, the most that a
        difference of metrics can be.

        :param level: one for all rows, or one a row.
        :returns: of shape (rows, 2). It holds 0 exactly where p is not below 1 - level.
        :raises ValueError: where a difference is not a number.
        """
        return self.intervals_of_sums(*self._by_group(differences, within), level)

    def intervals_of_sums(
        self,
        sums: NDArray[np.float64],
        sizes: NDArray[np.float64],
        level: float | NDArray[np.float64] = 0.95,
    ) -> NDArray[np.float64]:
        """The same of what the differences of each group add up to.

        :param sums: of shape (rows, groups).
        :param sizes: of how many queries the sums are: of the same shape, or one row for all.
        """
        near = _ROUNDING * np.abs(sums).sum(axis=1)
        means = np.empty((len(sums), len(self._flipped)))
        start = 0
        for chunk in self._chunks():
            parts, counts = chunk @ sums.T, chunk @ sizes.T
            parts[np.abs(parts) <= near] = 0.0
            with np.errstate(invalid="ignore", divide="ignore"):
                means[:, start : start + len(chunk)] = (parts / counts).T
            start += len(chunk)
        means.sort(axis=1)  # What flips nothing is not a number, and stands last.
        patterns = np.count_nonzero(~np.isnan(means), axis=1)
        extra = 0 if self.exact else 1
        total = len(self._flipped) + extra
        always = len(self._flipped) - patterns + extra
        # The first k for which 2 (always + k) / total is not below 1 - level.
        wrong = np.broadcast_to(1.0 - np.asarray(level), len(sums))
        k = np.ceil(wrong * total / 2 - 1e-9).astype(np.int64) - always
        rows = np.arange(len(sums))
        bounded = (k >= 1) & (k <= patterns)
        first = np.clip(k - 1, 0, None)
        last = np.clip(patterns - k, 0, None)
        low = np.where(bounded, means[rows, np.where(bounded, first, 0)], -1.0)
        high = np.where(bounded, means[rows, np.where(bounded, last, 0)], 1.0)
        return np.stack([low, high], axis=1)

    def _by_group(
        self, differences: NDArray[np.float64], within: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The sums of each row's differences by group, and how many queries they are of."""
        if not np.isfinite(differences).all():
            raise ValueError("a difference is not a number, so nothing can be tested")
        if within is None:
            return self.groups.totals(differences)
        return (
            self.groups.sums(np.where(within, differences, 0.0)),
            self.groups.sums(within.astype(np.float64)),
        )

    def _chunks(self) -> Iterator[NDArray[np.float64]]:
        """The patterns, 1 for what is flipped, of shape (some, groups)."""
        count = self.groups.count
        rows = max(1, _CHUNK // count)
        for start in range(0, len(self._flipped), rows):
            bits = np.unpackbits(self._flipped[start : start + rows], axis=1, count=count)
            yield bits.astype(np.float64)
