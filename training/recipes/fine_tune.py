"""Settings of fine-tuning."""

from pydantic import Field

from training.recipes.base import Recipe


class FineTune(Recipe):
    """Settings of fine-tuning a SentenceTransformer with MultipleNegativesRankingLoss."""

    base: str = Field(
        "generic",
        min_length=1,
        title="Start from",
        description="“generic” is the project's ready-made model; or a folder, or a model hub id.",
    )
    epochs: int = Field(
        3, ge=1, le=100, title="Epochs", description="How often the training sees every pair."
    )
    batch_size: int = Field(
        64,
        ge=2,
        le=1024,
        title="Batch size",
        description="Each query also learns from the other answers in its batch: larger is better "
        "and needs more memory.",
    )
    learning_rate: float = Field(
        5e-5,
        gt=0,
        le=1e-2,
        title="Learning rate",
        description="How far each step moves the model; too high makes it forget.",
    )
    warmup: float = Field(
        0.1,
        ge=0,
        le=0.9,
        title="Warm-up",
        description="The share of the steps in which the learning rate rises from zero.",
    )
    sequence_length: int = Field(
        128,
        ge=8,
        le=8192,
        title="Sequence length",
        description="Texts are cut to this many word pieces while training (not when searching): "
        "shorter is faster.",
    )
