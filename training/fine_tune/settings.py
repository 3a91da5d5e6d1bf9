"""Settings of fine-tuning."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer

from training.settings import ADVANCED, BATCH_SIZE, RecipeSettings


def _numbers(value: Any) -> Any:
    """Numbers as people type them, with commas; anything else is left to the field's own check."""
    return value.replace(",", " ").split() if isinstance(value, str) else value


Dimensions = Annotated[
    tuple[Annotated[int, Field(ge=2, le=65_536)], ...],
    BeforeValidator(_numbers),
    Field(max_length=8),
    PlainSerializer(list, return_type=list[int]),
]


class FineTuneSettings(RecipeSettings):
    """Settings of fine-tuning a SentenceTransformer with MultipleNegativesRankingLoss.

    >>> FineTuneSettings(dimensions="128, 64").dimensions
    (128, 64)
    """

    base: str = Field("generic", min_length=1, title="Start from")
    """“generic” is the project's ready-made model; or a folder, or a model hub id."""
    epochs: int = Field(3, ge=1, le=100, title="Epochs")
    """How often the training sees every pair."""
    batch_size: int = Field(BATCH_SIZE, ge=2, le=65_536, title="Batch size")
    """Each query also learns from the other answers in its batch: larger is better and slower."""
    learning_rate: float = Field(5e-5, gt=0, le=1e-2, title="Learning rate")
    """How far each step moves the model; too high makes it forget."""
    sequence_length: int = Field(128, ge=8, le=8192, title="Sequence length")
    """Texts are cut to this many word pieces while training (not when searching): shorter is faster."""
    hard_negatives: int = Field(0, ge=0, le=16, title="Hard negatives")
    """How many wrong answers that look right each pair gets, found by keyword search and by the start itself. 0 for
    none."""
    negative_margin: float = Field(
        0.95, gt=0, le=1, title="Margin of hard negatives", json_schema_extra=ADVANCED
    )
    """A wrong answer may score at most this share of the right one: what scores higher is probably right, too."""
    warmup: float = Field(0.1, ge=0, le=0.9, title="Warm-up", json_schema_extra=ADVANCED)
    """The share of the steps in which the learning rate rises from zero."""
    patience: int = Field(4, ge=0, le=1000, title="Patience", json_schema_extra=ADVANCED)
    """Stop when so many dev measurements in a row bring nothing better. 0: never."""
    blend: bool = Field(True, title="Blend with the start", json_schema_extra=ADVANCED)
    """Look, on the dev queries, whether a model between the start and the trained one is better than both."""
    dimensions: Dimensions = Field((), title="Shorter vectors", json_schema_extra=ADVANCED)
    """Sizes at which the first numbers of a vector serve as a vector, too, for example 256, 128, 64 (Matryoshka)."""
    mini_batch: int = Field(0, ge=0, le=4096, title="Mini-batch", json_schema_extra=ADVANCED)
    """How many texts go through the model at once; the result is that of the whole batch. 0: the whole batch up to
    128 pairs, else 32."""
    frozen_layers: int = Field(0, ge=0, le=1000, title="Frozen layers", json_schema_extra=ADVANCED)
    """So many of a transformer's lower layers (and its word vectors) stay as they are, and read each text only once:
    faster, less is forgotten, and less is gained. 0: train the whole model."""
    lora_rank: int = Field(0, ge=0, le=512, title="LoRA rank", json_schema_extra=ADVANCED)
    """Train small matrices beside each layer instead of the model, with ten times the learning rate: less memory,
    less forgotten. 0: train the whole model."""
    gradient_checkpointing: bool = Field(
        False, title="Gradient checkpointing", json_schema_extra=ADVANCED
    )
    """Needs less memory and a third more time."""
    bf16: bool = Field(True, title="Half precision", json_schema_extra=ADVANCED)
    """Compute in bfloat16 where the graphics card or the processor is faster with it."""
