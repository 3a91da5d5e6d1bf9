"""The loss: MultipleNegativesRankingLoss, in mini-batches where the batch is large, at several sizes where asked.

For each query the other documents of its batch are wrong answers (Henderson et al. 2017, "Efficient Natural Language
Response Suggestion for Smart Reply"). A large batch goes through the model in mini-batches, and through it again for the
gradients (GradCache; Gao et al. 2021, "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup"): the
gradients are those of the whole batch, the memory that of a mini-batch. Matryoshka (Kusupati et al. 2022) adds the loss of
the first numbers of each vector.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from search.projects.errors import Refused
from training.distributed import alone
from training.fine_tune.settings import FineTuneSettings

if TYPE_CHECKING:
    import torch
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
    from sentence_transformers.sentence_transformer.losses import (
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
    sizes = _sizes(model, settings)
    return MatryoshkaLoss(model, loss, sizes) if sizes else loss


def loss_of_vectors(
    model: "SentenceTransformer", settings: FineTuneSettings
) -> "Callable[[Sequence[torch.Tensor]], torch.Tensor]":
    """The same loss, called with the vectors of queries, answers, and negatives, column by column.

    :raises Refused: when vectors are to be shortened to more numbers than they have.
    """
    import torch
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
    from torch.nn.functional import normalize

    loss = MultipleNegativesRankingLoss(model, gather_across_devices=not alone())
    sizes: list[int | None] = [*_sizes(model, settings)] or [None]

    def of(columns: "Sequence[torch.Tensor]") -> "torch.Tensor":
        cut = [[normalize(column[:, :size]) for column in columns] for size in sizes]
        return torch.stack([loss.compute_loss_from_embeddings(one, None) for one in cut]).sum()

    return of


def _sizes(model: "SentenceTransformer", settings: FineTuneSettings) -> list[int]:
    """By how many of a vector's first numbers the loss is taken; none for all of them alone."""
    whole = model.get_embedding_dimension()
    if not settings.dimensions:
        # What is published keeps these numbers alone, so they alone learn.
        return [] if whole is None or model.truncate_dim is None else [whole]
    if whole is None or max(settings.dimensions) >= whole:
        raise Refused(
            f"Vectors of {settings.base} have {whole} numbers; dimensions={settings.dimensions} must all be less."
        )
    return [whole, *settings.dimensions]
