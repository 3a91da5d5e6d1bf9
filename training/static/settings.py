"""Settings of a static model: one vector a word piece, taught by pairs."""

from typing import Literal

from pydantic import Field

from training.fine_tune.settings import FineTuneSettings
from training.settings import ADVANCED, RecipeSettings

_ANY_LENGTH = 8192


class StaticSettings(RecipeSettings):
    """Settings of a static model.

    >>> StaticSettings(epochs=3).tuning.epochs
    3
    """

    start: Literal["wordllama", "distilled", "scratch"] = Field("wordllama", title="Start")
    """WordLlama’s word vectors, which come with Bespoke; the generic model’s own word pieces, each read alone
    (distilled; takes minutes); or word pieces learned from your documents (scratch)."""
    base: str = Field("generic", min_length=1, title="Distil from", json_schema_extra=ADVANCED)
    """For a distilled start: “generic” is the project's ready-made model; or another transformer of the project, a
    folder, or a model hub id."""
    epochs: int = Field(10, ge=1, le=100, title="Epochs")
    """How often the training sees every pair."""
    batch_size: int = Field(128, ge=2, le=65_536, title="Batch size")
    """Each query also learns from the other answers in its batch."""
    learning_rate: float = Field(3e-3, gt=0, le=1e-2, title="Learning rate")
    """How far each step moves the vectors of the words it saw; a vector's length is about 1."""
    vector_size: int = Field(256, ge=2, le=2048, title="Vector size")
    """Numbers a vector: at most 256 for WordLlama, and as many as the generic model has for a distilled start."""
    pieces: int = Field(8_000, ge=100, le=200_000, title="Word pieces", json_schema_extra=ADVANCED)
    """For a start from scratch: how many words and parts of words get a vector."""
    vectors: Literal["random", "word2vec"] = Field(
        "random", title="First vectors", json_schema_extra=ADVANCED
    )
    """For a start from scratch: drawn at random, which knows equal words, or learned from the documents (word2vec),
    which knows like ones, too."""
    warmup: float = Field(0.1, ge=0, le=0.9, title="Warm-up", json_schema_extra=ADVANCED)
    """The share of the steps in which the learning rate rises from zero."""
    patience: int = Field(4, ge=0, le=1000, title="Patience", json_schema_extra=ADVANCED)
    """Stop when so many dev measurements in a row bring nothing better. 0: never."""
    blend: bool = Field(True, title="Blend with the start", json_schema_extra=ADVANCED)
    """Look, on the dev queries, whether a model between the start and the trained one is better than both."""

    @property
    def tuning(self) -> FineTuneSettings:
        """What the loop of fine-tuning is told: texts are read whole, and nothing is mined."""
        shared = self.model_dump(include=set(FineTuneSettings.model_fields) - {"base"})
        return FineTuneSettings(**shared, sequence_length=_ANY_LENGTH)
