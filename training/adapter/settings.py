"""Settings of an adapter."""

from typing import Literal

from pydantic import Field

from training.settings import ADVANCED, RecipeSettings


class AdapterSettings(RecipeSettings):
    """Settings of a linear adapter over the vectors of a model that stays as it is.

    >>> AdapterSettings(epochs="5").epochs
    5
    """

    base: str = Field("generic", min_length=1, title="Start from")
    """“generic” is the project's ready-made model; or another of its models, of whatever kind, a folder, or a model
    hub id."""
    epochs: int = Field(20, ge=1, le=1000, title="Epochs")
    """How often the training sees every pair."""
    batch_size: int = Field(256, ge=2, le=8192, title="Batch size")
    """How many pairs each step learns from."""
    learning_rate: float = Field(1e-3, gt=0, le=1.0, title="Learning rate")
    """How far each step moves the matrix."""
    negatives: Literal["auto", "batch", "corpus", "mined"] = Field("auto", title="Negatives")
    """What a query learns to keep away from: the other answers of its batch, documents drawn from the corpus, the
    batch and hard negatives that look right (mined), or (auto) whichever of the first two serves the dev queries
    better."""
    side: Literal["both", "query"] = Field("both", title="What is turned")
    """Queries and documents, or queries alone: then the index of the start serves as it is."""
    rank: int = Field(0, ge=0, le=4096, title="Rank", json_schema_extra=ADVANCED)
    """0 for a whole matrix; else a small correction of this rank, which has less to learn and forgets less."""
    hard_negatives: int = Field(4, ge=1, le=16, title="Hard negatives", json_schema_extra=ADVANCED)
    """How many wrong answers each pair gets, where they are mined."""
    negative_margin: float = Field(
        0.95, gt=0, le=1, title="Margin of hard negatives", json_schema_extra=ADVANCED
    )
    """A wrong answer may score at most this share of the right one: what scores higher is probably right, too."""
    temperature: float = Field(0.05, gt=0, le=1, title="Temperature", json_schema_extra=ADVANCED)
    """Lower makes each step care more for the wrong answers that come closest."""
    patience: int = Field(0, ge=0, le=100, title="Patience", json_schema_extra=ADVANCED)
    """Give up on a kind of negatives after so many dev scores in a row that were not its best; 0 goes on to the end.
    There are about ten in a training."""
