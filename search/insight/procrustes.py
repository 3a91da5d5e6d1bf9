"""Orthogonal Procrustes: turning one set of points so that it lies on another as well as it can."""

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


def aligned(moving: Points, fixed: Points, scaled: bool = False) -> Points:
    """Points turned (and mirrored) onto others, point by point.

    The orthogonal matrix R that makes ||moving R - fixed|| least (Schönemann 1966, "A generalized solution of the
    orthogonal Procrustes problem"): from the singular value decomposition of moving' fixed. A turn of all points
    together, which tells nothing of their meaning, is gone afterwards. Where the dimensions differ the smaller
    set is filled up with zeros.

    :param moving: shape (n, d).
    :param fixed: shape (n, e).
    :param scaled: also shrink or stretch all points by one factor, and move their centre onto the other's.
    :returns: shape (n, max(d, e)).
    :raises ValueError: when the two have different numbers of points.
    """
    if len(moving) != len(fixed):
        raise ValueError(f"not the same number of points: {len(moving)} != {len(fixed)}")
    width = max(moving.shape[1], fixed.shape[1])
    source, target = _widened(moving, width), _widened(fixed, width)
    centre = np.zeros(width)
    if scaled:
        centre = target.mean(axis=0)
        source, target = source - source.mean(axis=0), target - centre
    left, strengths, right = np.linalg.svd(source.T @ target)
    factor = 1.0
    if scaled and (spread := float((source**2).sum())):
        factor = float(strengths.sum()) / spread
    turned: Points = factor * source @ (left @ right) + centre
    return turned


def _widened(points: Points, width: int) -> Points:
    made = np.zeros((len(points), width))
    made[:, : points.shape[1]] = points
    return made
