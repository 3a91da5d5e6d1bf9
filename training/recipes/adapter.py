"""Settings of an adapter."""

from typing import Literal

from pydantic import Field

from training.recipes.base import Recipe


class Adapter(Recipe):
    """Settings of a linear adapter over the vectors of a model that stays as it is."""

    base: str = Field(
        "generic",
        min_length=1,
        title="Start from",
        description="“generic” is the project's ready-made model; or another of its models, a folder, or "
        "a model hub id.",
    )
    epochs: int = Field(
        20, ge=1, le=1000, title="Epochs", description="How often the training sees every pair."
    )
    batch_size: int = Field(
        256, ge=2, le=8192, title="Batch size", description="How many pairs each step learns from."
    )
    learning_rate: float = Field(
        1e-3,
        gt=0,
        le=1.0,
        title="Learning rate",
        description="How far each step moves the matrix.",
    )
    negatives: Literal["auto", "batch", "corpus"] = Field(
        "auto",
        title="Negatives",
        description="What a query learns to keep away from: the other answers of its batch, "
        "documents drawn from the corpus, or (auto) whichever serves the dev queries better.",
    )
