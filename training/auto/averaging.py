"""The average of several fine-tunings of one start: their weights, which lie in one valley, added up and divided.

"Model soups" (Wortsman et al. 2022): what each of them took from its own order of the pairs and its own learning rate falls away, and what
they agree in stays; it costs no training, and nothing when it searches.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from training.blending import between

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


def averaged(
    start: "SentenceTransformer", models: Sequence["SentenceTransformer"]
) -> "SentenceTransformer":
    """The mean of the weights of some models.

    :param start: of the same shape; changed in place, and returned.
    :param models: one at the least; they stay as they are.
    """
    weights = models[0].state_dict()
    for number, model in enumerate(models[1:], 2):
        weights = between(weights, model.state_dict(), 1 / number)
    start.load_state_dict(weights)
    return start.eval()
