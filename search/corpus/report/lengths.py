"""How long texts are: in words, and against what a model reads."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from search.corpus.tokenizer import ModelTokenizer, generic_reader

# Doubling bins: texts of 20 and 40 words differ as much as texts of 1,000 and 2,000.
_BORDERS = (0, 1, 10, 25, 50, 100, 200, 400, 800, 1_600, 3_200)


@dataclass(frozen=True)
class Bin:
    """How many texts have at least `low` and at most `high` words; `high` is None for the last bin."""

    low: int
    high: int | None
    count: int


@dataclass(frozen=True)
class Lengths:
    """Words a text: the middle, the 5th and 95th percentile (each a length that occurs), and all bins."""

    median: int
    p5: int
    p95: int
    bins: tuple[Bin, ...]


@dataclass(frozen=True)
class Unread:
    """What a model leaves unread, because it reads `reads` word pieces of a text and no more; 0 where it reads all.

    `texts` is the number of longer texts, `share` the part (0 to 1) of all word pieces behind the cut.
    """

    reads: int
    texts: int
    share: float


def lengths(counts: Sequence[int]) -> Lengths:
    """The lengths of texts, from the number of words of each; all zero where there are none."""
    array = np.asarray(counts, dtype=np.int64)
    p5, median, p95 = (
        np.percentile(array, [5, 50, 95], method="inverted_cdf") if len(array) else (0, 0, 0)
    )
    counted, _ = np.histogram(array, (*_BORDERS, np.inf))
    ends = [following - 1 for following in _BORDERS[1:]]
    bins = map(Bin, _BORDERS, (*ends, None), counted.tolist())
    return Lengths(int(median), int(p5), int(p95), tuple(bins))


def unread(texts: Sequence[str], reader: ModelTokenizer | None = None) -> Unread:
    """How much of the texts stands behind the last word piece that a model reads.

    :param reader: the model; None for the one that comes with Bespoke.
    """
    model = reader or generic_reader()
    if model.window is None or model.room is None:
        return Unread(0, 0, 0.0)
    counts = np.array([model.counter.of(text) for text in texts], dtype=np.int64)
    behind = np.maximum(counts - model.room, 0)
    share = float(behind.sum() / max(1, counts.sum()))
    return Unread(model.window, int((behind > 0).sum()), share)
