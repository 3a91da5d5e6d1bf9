"""Between a start and what was trained from it: the straight line of weights, and the best place on it.

Going only part of the way from the start to the tuned weights often serves both the new task and the old ones better than
either end (WiSE-FT; Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    Weights = dict[str, "torch.Tensor"]

SHARES = (0.25, 0.5, 0.75)
"""How much of the way is tried, beside all of it."""


def between(start: "Weights", tuned: "Weights", share: float) -> "Weights":
    """Weights on the way from a start (share 0) to a tuned model (share 1); numbers that do not flow stay.

    :param start: weights by name.
    :param tuned: weights of the same names and shapes.
    """
    return {
        name: tensor + (tuned[name].to(tensor) - tensor) * share
        if tensor.is_floating_point()
        else tuned[name]
        for name, tensor in start.items()
    }


def best_share(measure: Callable[[float], float], whole: float) -> tuple[float, dict[float, float]]:
    """Which share of the way serves best, by what `measure` says of it, and all that it said.

    :param measure: the dev score of a share.
    :param whole: the dev score of share 1; it stays unless another one is better.
    """
    scores = {share: measure(share) for share in SHARES} | {1.0: whole}
    return max(scores, key=lambda share: (scores[share], share)), scores
