"""What can be trained: one validated settings model per recipe, the same for JSON, form and terminal."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from search.errors import Refused


class Recipe(BaseModel):
    """Settings that every recipe has. The title of a field is its label, the description its help."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    seed: int = Field(
        42, ge=0, le=2**31 - 1, title="Seed", description="The same seed gives the same model."
    )


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


class WordVectorRecipe(Recipe):
    """Settings that Word2Vec and FastText share."""

    vector_size: int = Field(
        100,
        ge=2,
        le=2000,
        title="Vector size",
        description="Numbers a word: more can tell more apart.",
    )
    window: int = Field(
        5, ge=1, le=100, title="Window", description="How many words to each side count as context."
    )
    min_count: int = Field(
        2,
        ge=1,
        le=10_000,
        title="Minimum count",
        description="Words that occur less often get no vector of their own.",
    )
    epochs: int = Field(
        15, ge=1, le=1000, title="Epochs", description="How often the training reads the corpus."
    )
    workers: int = Field(
        1,
        ge=1,
        le=64,
        title="Workers",
        description="Threads. More than one is faster, but two runs then differ slightly.",
    )
    algorithm: Literal["skip-gram", "cbow"] = Field(
        "skip-gram",
        title="Algorithm",
        description="Skip-gram is better for rare words, CBOW is faster.",
    )
    pooling: Literal["sif", "mean"] = Field(
        "sif",
        title="Pooling",
        description="SIF lets rare words count more than frequent ones; mean treats all alike.",
    )


class Word2Vec(WordVectorRecipe):
    """Settings of Word2Vec."""


class FastText(WordVectorRecipe):
    """Settings of FastText."""

    min_n: int = Field(
        3, ge=1, le=20, title="Shortest n-gram", description="Letters in the shortest word part."
    )
    max_n: int = Field(
        6, ge=1, le=20, title="Longest n-gram", description="Letters in the longest word part."
    )
    buckets: int = Field(
        100_000,
        ge=1_000,
        le=5_000_000,
        title="Buckets",
        description="Vectors for word parts; more is finer and makes the model larger.",
    )


@dataclass(frozen=True)
class RecipeInfo:
    """A recipe as people meet it."""

    name: str
    title: str
    summary: str
    settings: type[Recipe]
    needs_pairs: bool


RECIPES: dict[str, RecipeInfo] = {
    info.name: info
    for info in (
        RecipeInfo(
            "adapter",
            "Adapter",
            "Learns, in seconds to a minute or two, how to turn the generic model’s vectors towards your queries and "
            "answers. Needs pairs, best a thousand or more. Its index is ready at once.",
            Adapter,
            True,
        ),
        RecipeInfo(
            "fine-tune",
            "Fine-tune",
            "Teaches the whole model your queries and answers. Needs pairs and, without a graphics "
            "card, minutes; with few pairs often the best.",
            FineTune,
            True,
        ),
        RecipeInfo(
            "word2vec",
            "Word2Vec",
            "Learns words from scratch from your documents alone, in seconds. For languages and "
            "jargon that no model fits; it knows only words that it has seen.",
            Word2Vec,
            False,
        ),
        RecipeInfo(
            "fasttext",
            "FastText",
            "As Word2Vec, but it also learns word parts: misspelt and unseen words get a vector.",
            FastText,
            False,
        ),
    )
}


_FEW_PAIRS = 1_000


def recommended(pairs: int) -> tuple[str, str]:
    """The recipe to start with, and why, from the number of pairs (see the README's table).

    On the sets measured (README), fine-tuning scored higher than an adapter below a thousand pairs; above,
    the adapter scored higher, in a fraction of the time.
    """
    if pairs == 0:
        return "fasttext", "it needs no pairs, and reads words that it has never seen"
    if pairs < _FEW_PAIRS:
        return (
            "fine-tune",
            f"with only {pairs:,} pairs, teaching the whole model usually gains more than an adapter",
        )
    return (
        "adapter",
        f"with {pairs:,} pairs, it usually gains much in a fraction of a fine-tune's time",
    )


def recipe_info(name: str) -> RecipeInfo:
    """The recipe of that name.

    :raises Refused: naming the recipes that there are.
    """
    if name not in RECIPES:
        raise Refused(f"There is no recipe {name!r}. The recipes are: {', '.join(RECIPES)}.")
    return RECIPES[name]


def validated(info: RecipeInfo, values: Mapping[str, Any]) -> Recipe:
    """Settings of a recipe from texts or values; those not given take their defaults.

    :raises Refused: naming the setting, what is wrong with it, and what is allowed.
    """
    try:
        settings = info.settings.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known = ", ".join(info.settings.model_fields)
            raise Refused(
                f"{info.name} has no setting {key!r}. Its settings are: {known}."
            ) from None
        message = first["msg"][:1].lower() + first["msg"][1:]
        raise Refused(f"{info.name}: {key}={first['input']} cannot be used ({message}).") from None
    if isinstance(settings, FastText) and settings.min_n > settings.max_n:
        raise Refused(f"fasttext: min_n={settings.min_n} is greater than max_n={settings.max_n}.")
    return settings
