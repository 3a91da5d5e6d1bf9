"""Several models that learned from one start, as one: the mean of their weights.

Models that were tuned from the same start lie in one basin, and their mean is often better than each, at the price of one
(Wortsman et al. 2022, "Model soups: averaging weights of multiple fine-tuned models improves accuracy without increasing
inference time").
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np

from search.models.linear_adapter import LinearAdapter
from training.weight_interpolation import PLACE

if TYPE_CHECKING:
    import torch


def averaged(models: Sequence[Any]) -> Any:
    """The mean of models with the same modules, or of matrices over the same server's vectors; one alone as it is."""
    first, *others = models
    if not others:
        return first
    if isinstance(first, LinearAdapter):
        matrices = [model.matrix for model in models]
        return LinearAdapter(first.base, np.mean(matrices, axis=0, dtype=np.float32), first.side)
    made = deepcopy(first)
    states = [model.state_dict() for model in others]
    made.load_state_dict(
        {
            name: _mean(tensor, [state[name].to(tensor) for state in states])
            for name, tensor in first.state_dict().items()
        }
    )
    return made


def facts_of(facts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the manifest of an average says: what all members' would, and of its place, that it is all that was learned.

    Each member went its own share of its own way, so there is nothing beyond the average to go on to.
    """
    first = dict(facts[0])
    if len(facts) > 1 and PLACE in first:
        moved = any(known[PLACE]["share"] > 0 for known in facts)
        first[PLACE] = {**first[PLACE], "share": float(moved)}
    return first


def _mean(first: "torch.Tensor", others: Sequence["torch.Tensor"]) -> "torch.Tensor":
    """The mean, exactly the first where all are the same; numbers that do not flow stay."""
    if not first.is_floating_point():
        return first
    away = sum((other - first for other in others), start=first * 0)
    return first + away / (1 + len(others))
