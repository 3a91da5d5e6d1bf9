"""What can be trained, by name: its title, its settings (the same for JSON, form and terminal), and what trains it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from search.projects.errors import Refused
from training.adapter.recipe import learn_adapter
from training.adapter.settings import AdapterSettings
from training.auto.recipe import learn_auto
from training.auto.settings import AutoSettings
from training.fine_tune.recipe import learn_fine_tune
from training.fine_tune.settings import FineTuneSettings
from training.publish import publish_result
from training.result import Learn, Request, Trained
from training.settings import RecipeSettings
from training.static.recipe import learn_static
from training.static.settings import StaticSettings
from training.training_data import load_training_data
from training.word_vectors.recipe import make_word_vectors
from training.word_vectors.settings import FastTextSettings, Word2VecSettings, WordVectorSettings


@dataclass(frozen=True)
class RecipeInfo:
    """A recipe as people meet it.

    :param train: makes a model and publishes it; None in a process that only helped (see `training.distributed`).
    """

    name: str
    title: str
    summary: str
    settings: type[RecipeSettings]
    train: Callable[[Request], Trained | None]
    needs_pairs: bool = True


def _from_pairs(learn: Learn) -> Callable[[Request], Trained | None]:
    """Learning from a project's pairs, and publishing what was learned."""

    def train(request: Request) -> Trained | None:
        request.progress(0, 0, "keeping training and test apart")
        data = load_training_data(request.project, request.strict)
        result = learn(request, data)
        return None if result is None else publish_result(request, data, result)

    return train


_INFOS = (
    RecipeInfo(
        "auto",
        "Auto",
        "Tries what fits into ten minutes (or as long as you say) of the ways below, shows what each brings, and keeps "
        "the best. Needs pairs.",
        AutoSettings,
        _from_pairs(learn_auto),
    ),
    RecipeInfo(
        "adapter",
        "Adapter",
        "Learns, in seconds to a minute or two, how to turn the generic model’s vectors towards your queries and "
        "answers. Needs pairs, best a thousand or more. Its index is ready at once.",
        AdapterSettings,
        _from_pairs(learn_adapter),
    ),
    RecipeInfo(
        "fine-tune",
        "Fine-tune",
        "Teaches the whole model your queries and answers. Needs pairs and, without a graphics "
        "card, minutes; with few pairs often the best.",
        FineTuneSettings,
        _from_pairs(learn_fine_tune),
    ),
    RecipeInfo(
        "static",
        "Static",
        "Teaches a vector to each word piece: no transformer, so that it runs on any processor in a fraction of the "
        "time. Needs pairs. It knows words, not what they mean in a sentence.",
        StaticSettings,
        _from_pairs(learn_static),
    ),
    RecipeInfo(
        "word2vec",
        "Word2Vec",
        "Learns words from scratch from your documents alone, in seconds. For languages and "
        "jargon that no model fits; it knows only words that it has seen.",
        Word2VecSettings,
        make_word_vectors,
        needs_pairs=False,
    ),
    RecipeInfo(
        "fasttext",
        "FastText",
        "As Word2Vec, but it also learns word parts: misspelt and unseen words get a vector.",
        FastTextSettings,
        make_word_vectors,
        needs_pairs=False,
    ),
)
RECIPES: dict[str, RecipeInfo] = {info.name: info for info in _INFOS}


def recipe_info(name: str) -> RecipeInfo:
    """The recipe of that name.

    :raises Refused: naming the recipes that there are.
    """
    if name not in RECIPES:
        raise Refused(f"There is no recipe {name!r}. The recipes are: {', '.join(RECIPES)}.")
    return RECIPES[name]


def validated(info: RecipeInfo, values: Mapping[str, Any]) -> RecipeSettings:
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
    if isinstance(settings, FastTextSettings) and settings.min_n > settings.max_n:
        raise Refused(f"fasttext: min_n={settings.min_n} is greater than max_n={settings.max_n}.")
    if isinstance(settings, WordVectorSettings) and settings.phrases and settings.tokens != "words":
        raise Refused(
            f"{info.name}: phrases=true goes with tokens=words only, for phrases are of whole words."
        )
    return settings
