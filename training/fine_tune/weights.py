"""The weights that a training changes: the whole model's, or those of small matrices beside its layers (LoRA)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from search.projects.errors import Refused
from training.fine_tune.settings import FineTuneSettings

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

Weights = dict[str, "torch.Tensor"]
LORA_RATE = 10.0
"""LoRA learns best at about ten times the learning rate (Schulman et al. 2025, "LoRA Without Regret")."""


def weights_of(model: "SentenceTransformer") -> Weights:
    """A copy of all that a model's state is."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


class TrainableWeights:
    """A model in training.

    LoRA (Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models") puts a product of two small matrices beside
    each linear layer and leaves everything else as it is; at the end the product is added into the layer, so that what
    is published is the plain model, and loads without PEFT.

    :param model: changed in place; always trained in 32 bits.
    :raises Refused: for LoRA on a model without a transformer.

    >>> import torch
    >>> weights = TrainableWeights(torch.nn.Linear(2, 1, bias=False), FineTuneSettings(learning_rate=1e-3))
    >>> weights.put({"weight": torch.ones(1, 2)})
    >>> weights.rate, weights.copy()
    (0.001, {'weight': tensor([[1., 1.]])})
    """

    def __init__(self, model: "SentenceTransformer", settings: FineTuneSettings) -> None:
        self.model = model.float()
        self._tuner: Any = None
        if settings.lora_rank:
            self._tuner = _with_lora(model, settings)
        if settings.gradient_checkpointing:
            model.gradient_checkpointing_enable({"use_reentrant": False})
        self.rate = settings.learning_rate * (LORA_RATE if settings.lora_rank else 1.0)

    @property
    def parameters(self) -> Weights:
        """What learns, by name."""
        return {name: p for name, p in self.model.named_parameters() if p.requires_grad}

    def freeze(self, modules: "Iterable[torch.nn.Module]") -> None:
        """Let some modules stay as they are until the training ends."""
        for module in modules:
            module.requires_grad_(False)

    def copy(self) -> Weights:
        """The weights as they stand."""
        return {name: p.detach().clone() for name, p in self.parameters.items()}

    def put(self, weights: Weights) -> None:
        """Put weights in place of those that stand."""
        import torch

        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(weights[name])

    def plain(self) -> None:
        """End the training: what was learned beside the layers is added into them."""
        if self._tuner is not None:
            self._tuner.merge_and_unload()
            self._tuner = None
        for parameter in self.model.parameters():
            parameter.requires_grad_(True)
        self.model.eval()


def _with_lora(model: "SentenceTransformer", settings: FineTuneSettings) -> Any:
    from peft import LoraConfig
    from peft.tuners.lora import LoraModel
    from transformers import PreTrainedModel

    inner = getattr(model[0], "auto_model", None)
    if not isinstance(inner, PreTrainedModel):
        raise Refused(
            f"{settings.base!r} has no transformer, so there are no layers for LoRA. Set lora_rank=0."
        )
    config = LoraConfig(
        r=settings.lora_rank, lora_alpha=2 * settings.lora_rank, target_modules="all-linear"
    )
    return LoraModel(inner, config, "default")
