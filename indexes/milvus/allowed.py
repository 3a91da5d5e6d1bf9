"""The positions that a search may find, as an expression that Milvus filters by while it searches."""

import numpy as np

from indexes.vector_index import Positions

FIELD = "id"
_RANGES = 200
_SINGLES = 10_000


def expression(allowed: Positions, count: int) -> str | None:
    """A boolean expression over the positions 0 to count-1 that is true for the allowed ones.

    Whichever is shorter: what is allowed, or what is not; runs of positions are ranges.

    :param allowed: ascending, none twice.
    :returns: None where it would be too long for a server to read in good time.
    """
    if len(allowed) == count:
        return ""
    written = _written(allowed)
    if written is None:
        mask = np.ones(count, dtype=bool)
        mask[allowed] = False
        rest = _written(np.flatnonzero(mask))
        written = None if rest is None else f"not ({rest})"
    return written


def _written(positions: Positions) -> str | None:
    """The positions as ranges and a list; None where they are too scattered."""
    borders = np.flatnonzero(np.diff(positions) != 1) + 1
    if len(borders) > _SINGLES + _RANGES:
        return None
    runs = np.split(positions, borders)
    long = [run for run in runs if len(run) > 2]
    if len(long) > _RANGES:  # The longest stay ranges; the others are written out.
        long = sorted(long, key=len)[-_RANGES:]
    kept = {int(run[0]) for run in long}
    singles = [int(p) for run in runs if int(run[0]) not in kept for p in run]
    if len(singles) > _SINGLES:
        return None
    parts = [f"({FIELD} >= {run[0]} and {FIELD} <= {run[-1]})" for run in long]
    if singles:
        parts.append(f"{FIELD} in {singles}")
    return " or ".join(parts)
