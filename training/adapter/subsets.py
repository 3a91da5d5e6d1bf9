"""Some of the pairs that an adapter learns from, out of vectors that were computed once."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from training.adapter.data import Embedded


def only(data: Embedded, places: Sequence[int]) -> Embedded:
    """The data with the pairs at these places alone; documents and dev queries stay."""
    chosen = np.asarray(places, dtype=np.int64)
    return replace(
        data,
        queries=data.queries[chosen],
        responses=data.responses[chosen],
        negatives=data.negatives[chosen],
        answers=data.answers[chosen],
        texts=data.texts[chosen],
        mined=None if data.mined is None else data.mined[chosen],
    )
