"""The bootstrap over groups of queries, for any number of differences at once: BCa intervals, and how far all may err at once.

Groups are drawn with replacement and their sums divided by their counts (the cluster bootstrap: Cameron, Gelbach and
Miller 2008; Efron 1987 for the bias-corrected and accelerated interval, its acceleration from the jackknife over
groups). One set of draws serves all columns and metrics.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from search.evaluation.statistics.flips import DRAWS, SEED

_CHUNK = 4_000_000
_ROUNDING = 1e-12


class Resamples:
    """What the means of several rows of differences are in each draw of groups.

    The draws are those of `scipy.stats.bootstrap` with the same seed.

    :param sums: what the differences of each group add up to, of shape (rows, groups).
    :param sizes: of how many queries the sums are: of the same shape, or one row for all.
    :param draws: how many times as many groups as there are are drawn.
    :param seed: of the draws.

    >>> drawn = Resamples(np.array([[0.1, 0.3] * 20]), np.ones((1, 40)))
    >>> drawn.intervals(0.95).round(2).tolist()
    [[0.17, 0.23]]
    """

    def __init__(
        self,
        sums: NDArray[np.float64],
        sizes: NDArray[np.float64],
        draws: int = DRAWS,
        seed: int = SEED,
    ) -> None:
        self._sums = sums
        self._sizes = sizes
        self._draws = draws
        self._seed = seed

    @cached_property
    def means(self) -> NDArray[np.float64]:
        """Of each row in each draw: of shape (rows, draws)."""
        count = self._sums.shape[1]
        rng = np.random.default_rng(self._seed)
        means = np.empty((len(self._sums), self._draws))
        rows = max(1, _CHUNK // count)
        for start in range(0, self._draws, rows):
            drawn = rng.integers(0, count, (min(rows, self._draws - start), count))
            drawn += count * np.arange(len(drawn))[:, None]
            times = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape)
            often = times.astype(np.float64)
            means[:, start : start + len(often)] = (self._sums @ often.T) / (self._sizes @ often.T)
        return means

    @cached_property
    def _mean(self) -> NDArray[np.float64]:
        mean: NDArray[np.float64] = self._sums.sum(axis=1) / self._sizes.sum(axis=1)
        return mean

    def intervals(
        self, level: float | NDArray[np.float64], rows: Sequence[int] | None = None
    ) -> NDArray[np.float64]:
        """The BCa interval of each row's mean.

        :param level: one for all rows, or one a row.
        :param rows: of these rows alone.
        :returns: of shape (rows, 2).
        """
        from scipy.special import ndtr, ndtri

        chosen = slice(None) if rows is None else list(rows)
        means, mean = self.means[chosen], self._mean[chosen, None]
        below, not_above = means < mean - _ROUNDING, means <= mean + _ROUNDING
        share = (below.mean(axis=1) + not_above.mean(axis=1)) / 2
        bias = ndtri(np.clip(share, 0.5 / self._draws, 1 - 0.5 / self._draws))
        ends = ndtri((1 - np.broadcast_to(np.asarray(level), len(mean))) / 2)
        acceleration = self._acceleration()[chosen]
        each = np.sort(means, axis=1)
        lines = np.arange(len(mean))
        result = np.empty((len(mean), 2))
        for side, end in enumerate((ends, -ends)):
            moved = bias + end
            at = ndtr(bias + moved / (1 - acceleration * moved)) * (self._draws - 1)
            low = np.clip(np.floor(at), 0, self._draws - 1).astype(np.int64)
            high = np.minimum(low + 1, self._draws - 1)
            before, after = each[lines, low], each[lines, high]
            result[:, side] = before + (at - low) * (after - before)
        flat = np.ptp(means, axis=1) <= _ROUNDING
        result[flat] = mean[flat]
        return result

    def _acceleration(self) -> NDArray[np.float64]:
        """How fast each row's spread changes with its mean, by leaving each group out in turn."""
        without = (self._sums.sum(axis=1, keepdims=True) - self._sums) / (
            self._sizes.sum(axis=1, keepdims=True) - self._sizes
        )
        influence = without.mean(axis=1, keepdims=True) - without
        spread = (influence**2).sum(axis=1) ** 1.5
        skew = (influence**3).sum(axis=1)
        result: NDArray[np.float64] = np.divide(
            skew, 6 * spread, out=np.zeros_like(skew), where=spread > 1e-18
        )
        return result

    def joint_levels(self, rows: Sequence[int], level: float) -> NDArray[np.float64]:
        """The level at which some rows' own intervals are to be taken for all of these to hold at once with `level`.

        By the largest of the rows' errors in each draw, each in units of its own spread (max-|t|: Westfall and
        Young 1993; Carterette, TOIS 2012, for information retrieval). One row's is `level` itself.

        :returns: of shape (rows,).
        """
        if len(rows) == 1:
            return np.array([level])
        means, mean = self.means[list(rows)], self._mean[list(rows), None]
        spread = means.std(axis=1, keepdims=True)
        off = np.abs(means - mean)
        errors = np.divide(off, spread, out=np.zeros_like(off), where=spread > _ROUNDING)
        most = np.quantile(errors.max(axis=0), level)
        levels: NDArray[np.float64] = (errors <= most).mean(axis=1)
        return np.maximum(levels, level)
