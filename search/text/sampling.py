"""Some of many, spread evenly over the whole."""

import numpy as np


def evenly_spaced(count: int, most: int) -> list[int]:
    """Positions in a sequence of `count` items, rising: all of them, or `most`, the first and the last among them."""
    positions: list[int] = np.linspace(0, count - 1, min(count, most)).round().astype(int).tolist()
    return positions
