"""Which interval a difference gets: the bootstrap's, or the one found by inverting the test where little differs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from search.evaluation.statistics.flips import DRAWS, Flips
from search.evaluation.statistics.groups import QueryGroups
from search.evaluation.statistics.resampling import Resamples

FEW_DIFFERENCES = 50
"""Where fewer groups differ at all, BCa intervals of 95 % held the truth 88 to 92 times in 100 (see the tables of
docs/evaluation.md), the inverted ones 94 to 96 times: most queries tie, and the others are few."""
_LEAST_EFFECTIVE = 15
"""The same of groups of several queries: where so few make up most of the spread, (Σd²)² / Σd⁴."""

_ROUNDING = 1e-12


class Intervals:
    """Intervals of several rows of differences.

    :param groups: of the queries; where they are few, every interval is inverted.
    :param sums: what the differences of each group add up to, of shape (rows, groups).
    :param sizes: of how many queries the sums are: of the same shape, or one row for all.
    :param flips: the patterns of signs that tested them.

    >>> groups = QueryGroups.single(10)
    >>> Intervals(groups, *groups.totals(np.array([[0.2] * 10])), Flips(groups)).at(0.95).round(3).tolist()
    [[0.2, 0.2]]
    """

    def __init__(
        self,
        groups: QueryGroups,
        sums: NDArray[np.float64],
        sizes: NDArray[np.float64],
        flips: Flips,
        draws: int = DRAWS,
    ) -> None:
        self._sums = sums
        self._sizes = np.broadcast_to(sizes, sums.shape)
        self._flips = flips
        self._drawn = Resamples(sums, self._sizes, draws)
        self._inverted = self._too_few_differ() | groups.few

    def _too_few_differ(self) -> NDArray[np.bool_]:
        few = (np.abs(self._sums) > _ROUNDING).sum(axis=1) < FEW_DIFFERENCES
        means = self._sums.sum(axis=1, keepdims=True) / self._sizes.sum(axis=1, keepdims=True)
        squares = (self._sums - self._sizes * means) ** 2
        uneven = squares.sum(axis=1) ** 2 < _LEAST_EFFECTIVE * (squares**2).sum(axis=1)
        result: NDArray[np.bool_] = few | (uneven & (self._sizes.max(axis=1) > 1))
        return result

    def at(
        self, level: float | NDArray[np.float64], rows: Sequence[int] | None = None
    ) -> NDArray[np.float64]:
        """The interval of each row's mean, or of those of some rows.

        :param level: one for all, or one a row.
        :returns: of shape (rows, 2).
        """
        chosen = np.arange(len(self._sums)) if rows is None else np.array(rows)
        levels = np.broadcast_to(np.asarray(level), chosen.shape)
        result = np.empty((len(chosen), 2))
        few = self._inverted[chosen]
        if few.any():
            at = chosen[few]
            result[few] = self._flips.intervals_of_sums(
                self._sums[at], self._sizes[at], levels[few]
            )
        if not few.all():
            result[~few] = self._drawn.intervals(levels[~few], chosen[~few].tolist())
        return result

    def together(self, rows: Sequence[int]) -> NDArray[np.float64]:
        """The 95 % intervals of some rows that hold at once: of shape (rows, 2)."""
        return self.at(self._drawn.joint_levels(rows, 0.95), rows)
