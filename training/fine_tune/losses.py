"""The loss: MultipleNegativesRankingLoss, in mini-batches where the batch is large, at several sizes where asked.

For each query the other documents of its batch are wrong answers (Henderson et al. 2017, "Efficient Natural Language
Response Suggestion for Smart Reply"). A large batch goes through the model in mini-batches, and through it again for the
gradients (GradCache; Gao et al. 2021, "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup"): the
gradients are those of the whole batch, the memory that of a mini-batch. Matryoshka (Kusupati et al. 2022) adds the loss of
the first numbers of each vector.
"""

from typing import TYPE_CHECKING, Any

from search.projects.errors import Refused
from training.distributed import alone
from training.fine_tune.settings import FineTuneSettings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_WHOLE = 128
_MINI = 32


def mini_batch(settings: FineTuneSettings) -> int | None:
    """How many texts go through the model at once; None for the whole batch."""
    wanted = settings.mini_batch or (_MINI if settings.batch_size > _WHOLE else 0)
    return wanted if 0 < wanted < settings.batch_size else None


def ranking_loss(model: "SentenceTransformer", settings: FineTuneSettings) -> Any:
    """The loss for a model, called with the features of queries, answers, and negatives, column by column.

    :raises Refused: when vectors are to be shortened to more numbers than they have.
    """
    from sentence_transformers.base.losses.gradcache import has_static_embedding_input
    from sentence_transformers.losses import (
        CachedMultipleNegativesRankingLoss,
        MatryoshkaLoss,
        MultipleNegativesRankingLoss,
    )

    mini, gather = mini_batch(settings), {"gather_across_devices": not alone()}
    loss: Any
    # Word vectors need no memory to speak of.
    if mini is None or has_static_embedding_input(model):
        loss = MultipleNegativesRankingLoss(model, **gather)
    else:
        loss = CachedMultipleNegativesRankingLoss(model, mini_batch_size=mini, **gather)
    whole = model.get_embedding_dimension()
    if not settings.dimensions:
        # What is published keeps these numbers alone, so they alone learn.
        return loss if model.truncate_dim is None else MatryoshkaLoss(model, loss, [whole])
    if whole is None or max(settings.dimensions) >= whole:
        raise Refused(
            f"Vectors of {settings.base} have {whole} numbers; dimensions={settings.dimensions} must all be less."
        )
    return MatryoshkaLoss(model, loss, [whole, *settings.dimensions])
