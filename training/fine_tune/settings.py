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
        BATCH_SIZE,
        ge=2,
        le=65_536,
        title="Batch size",
        description="Each query also learns from the other answers in its batch: larger is better "
        "and slower.",
    )
    learning_rate: float = Field(
        5e-5,
        gt=0,
        le=1e-2,
        title="Learning rate",
        description="How far each step moves the model; too high makes it forget.",
    )
    sequence_length: int = Field(
        128,
        ge=8,
        le=8192,
        title="Sequence length",
        description="Texts are cut to this many word pieces while training (not when searching): "
        "shorter is faster.",
    )
    hard_negatives: int = Field(
        0,
        ge=0,
        le=16,
        title="Hard negatives",
        description="How many wrong answers that look right each pair gets, found by keyword search "
        "and by the start itself. 0 for none.",
    )
    negative_margin: float = Field(
        0.95,
        gt=0,
        le=1,
        title="Margin of hard negatives",
        description="A wrong answer may score at most this share of the right one: what scores higher "
        "is probably right, too.",
        json_schema_extra=ADVANCED,
    )
    warmup: float = Field(
        0.1,
        ge=0,
        le=0.9,
        title="Warm-up",
        description="The share of the steps in which the learning rate rises from zero.",
        json_schema_extra=ADVANCED,
    )
    patience: int = Field(
        4,
        ge=0,
        le=1000,
        title="Patience",
        description="Stop when so many dev measurements in a row bring nothing better. 0: never.",
        json_schema_extra=ADVANCED,
    )
    blend: bool = Field(
        True,
        title="Blend with the start",
        description="Look, on the dev queries, whether a model between the start and the trained one "
        "is better than both.",
        json_schema_extra=ADVANCED,
    )
    dimensions: Dimensions = Field(
        (),
        title="Shorter vectors",
        description="Sizes at which the first numbers of a vector serve as a vector, too, for example "
        "256, 128, 64 (Matryoshka).",
        json_schema_extra=ADVANCED,
    )
    mini_batch: int = Field(
        0,
        ge=0,
        le=4096,
        title="Mini-batch",
        description="How many texts go through the model at once; the result is that of the whole batch. "
        "0: the whole batch up to 128 pairs, else 32.",
        json_schema_extra=ADVANCED,
    )
    lora_rank: int = Field(
        0,
        ge=0,
        le=512,
        title="LoRA rank",
        description="Train small matrices beside each layer instead of the model, with ten times the "
        "learning rate: less memory, less forgotten. 0: train the whole model.",
        json_schema_extra=ADVANCED,
    )
    gradient_checkpointing: bool = Field(
        False,
        title="Gradient checkpointing",
        description="Needs less memory and a third more time.",
        json_schema_extra=ADVANCED,
    )
    bf16: bool = Field(
        True,
        title="Half precision",
        description="Compute in bfloat16 on a graphics card that can; never on a processor.",
        json_schema_extra=ADVANCED,
    )
