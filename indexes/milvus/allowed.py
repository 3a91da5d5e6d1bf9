"""The positions that a search may find, as an expression that Milvus filters by while it searches."""

import numpy as np

from indexes.vector_index import Positions

FIELD = "id"
_RANGES = 20  # Each nests the expression two deeper, and a server reads a hundred levels (protobuf's limit).
_SINGLES = 10_000


def expression(allowed: Positions, count: int) -> str | None:
    """A boolean expression over the positions 0 to count-1 that is true for the allowed ones.

    What is allowed is written out, or else what is not; runs of positions are ranges.

    :param allowed: ascending, none twice.
    :returns: None where it would be too long for a server to read in good time.
    """
    if len(allowed) == count:
        return ""
    parts = _parts(allowed)
    if parts is not None:
        ranges, singles = parts
        written = [f"({FIELD} >= {first} and {FIELD} <= {last})" for first, last in ranges]
        return " or ".join(written + ([f"{FIELD} in {singles}"] if singles else []))
    mask = np.ones(count, dtype=bool)
    mask[allowed] = False
    parts = _parts(np.flatnonzero(mask))
    if parts is None:
        return None
    # Milvus 2.3 knows no "not (...)": each part is turned round by itself.
    ranges, singles = parts
    written = [f"({FIELD} < {first} or {FIELD} > {last})" for first, last in ranges]
    return " and ".join(written + ([f"{FIELD} not in {singles}"] if singles else []))


def _parts(positions: Positions) -> tuple[list[tuple[int, int]], list[int]] | None:
    """Positions as ranges (first, last) and single ones; None where they are too scattered."""
    borders = np.flatnonzero(np.diff(positions) != 1) + 1
    if len(borders) > _SINGLES + _RANGES:
        return None
    runs = sorted(np.split(positions, borders), key=len)
    # The longest runs are ranges; the others are written out.
    cut = max(len(runs) - _RANGES, sum(len(run) < 3 for run in runs))
    singles = sorted(int(p) for run in runs[:cut] for p in run)
    if len(singles) > _SINGLES:
        return None
    return sorted((int(run[0]), int(run[-1])) for run in runs[cut:]), singles
