"""How far to go on pairs that nobody wrote: a fifth of the way, and only where that is surely better.

Mined queries are not what people ask, and a model that serves them ever better begins to serve people worse.
Measured on five sets with real test questions: all the way was significantly worse on three of them,
a quarter of the way on none. So what was learned from mined pairs is blended with the start (Wortsman et al. 2022,
"Robust fine-tuning of zero-shot models"), and kept where a paired test on the mined dev queries says "better".
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from search.evaluation.significance import paired_test

SHARE = 0.2

Matrix = NDArray[np.float32]
Measure = Callable[[Matrix], list[float]]
"""nDCG@10 of each dev query under a matrix."""


def shrunken(matrix: Matrix, blend: float, measure: Measure) -> tuple[Matrix, float, float] | None:
    """A matrix that was learned from mined pairs, a fifth of the way from the identity.

    :param matrix: what was learned, `blend` of the way from the identity.
    :returns: the matrix, its share of the way, and its dev score; None where that is not clearly better than the start.
    """
    identity = np.eye(len(matrix), dtype=np.float32)
    share = min(SHARE, blend)
    careful = (identity + share / blend * (matrix - identity)).astype(np.float32)
    before, after = measure(identity), measure(careful)
    if paired_test("start", "mined", before, after).verdict != "better":
        return None
    return careful, share, float(np.mean(after))
