"""Settings of recipes: defaults, texts from a terminal, and refusals that name the setting."""

import pytest

from search.projects.errors import Refused
from training.fine_tune.settings import FineTuneSettings
from training.recipes import RECIPES, recipe_info, validated
from training.word_vectors.settings import FastTextSettings, Word2VecSettings


def test_the_recipes_and_what_they_need():
    assert {"fine-tune": True, "word2vec": False, "fasttext": False}.items() <= {
        name: info.needs_pairs for name, info in RECIPES.items()
    }.items()
    assert {
        "fine-tune": FineTuneSettings,
        "word2vec": Word2VecSettings,
        "fasttext": FastTextSettings,
    }.items() <= {name: info.settings for name, info in RECIPES.items()}.items()
    assert all(info.name == name and info.summary for name, info in RECIPES.items())


def test_an_unknown_recipe_is_refused_with_those_that_there_are():
    with pytest.raises(Refused, match=f"'bert'. The recipes are: {', '.join(RECIPES)}"):
        recipe_info("bert")


@pytest.mark.parametrize("name", list(RECIPES))
def test_every_setting_has_a_label_a_help_and_a_default_that_is_allowed(name):
    info = recipe_info(name)
    settings = validated(info, {})
    assert settings == info.settings()
    for key, field in info.settings.model_fields.items():
        assert field.title, key
        assert field.description, key
        assert validated(info, {key: field.default}) == settings


@pytest.mark.parametrize("name", list(RECIPES))
def test_settings_survive_json(name):
    info = recipe_info(name)
    settings = validated(info, {"seed": 7})
    assert info.settings.model_validate_json(settings.model_dump_json()) == settings
    assert validated(info, settings.model_dump()) == settings


def test_texts_from_a_terminal_become_numbers():
    settings = validated(
        recipe_info("fine-tune"), {"epochs": "5", "learning_rate": "2e-5", "base": "generic"}
    )
    assert (settings.epochs, settings.learning_rate, settings.batch_size) == (5, 2e-5, 64)
    settings = validated(recipe_info("fasttext"), {"algorithm": "cbow", "min_n": "2"})
    assert (settings.algorithm, settings.min_n, settings.max_n) == ("cbow", 2, 6)


@pytest.mark.parametrize(
    ("recipe", "key", "value"),
    [
        ("fine-tune", "epochs", "0"),
        ("fine-tune", "epochs", "101"),
        ("fine-tune", "epochs", "two"),
        ("fine-tune", "epochs", "1.5"),
        ("fine-tune", "epochs", ""),
        ("fine-tune", "batch_size", "1"),
        ("fine-tune", "learning_rate", "0"),
        ("fine-tune", "learning_rate", "-1e-5"),
        ("fine-tune", "learning_rate", "0.02"),
        ("fine-tune", "learning_rate", "nan"),
        ("fine-tune", "learning_rate", "inf"),
        ("fine-tune", "warmup", "1"),
        ("fine-tune", "warmup", "nan"),
        ("fine-tune", "sequence_length", "7"),
        ("fine-tune", "base", ""),
        ("fine-tune", "seed", "-1"),
        ("fine-tune", "seed", str(2**31)),
        ("word2vec", "vector_size", "1"),
        ("word2vec", "vector_size", "many"),
        ("word2vec", "window", "0"),
        ("word2vec", "min_count", "0"),
        ("word2vec", "epochs", "1001"),
        ("word2vec", "workers", "0"),
        ("word2vec", "algorithm", "glove"),
        ("word2vec", "pooling", "max"),
        ("fasttext", "buckets", "999"),
        ("fasttext", "max_n", "21"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(recipe, key, value):
    with pytest.raises(Refused) as caught:
        validated(recipe_info(recipe), {key: value})
    message = str(caught.value)
    assert message.startswith(f"{recipe}: {key}={value} cannot be used (")
    assert "\n" not in message


@pytest.mark.parametrize(("recipe", "key"), [("word2vec", "buckets"), ("fine-tune", "lr")])
def test_an_unknown_setting_is_refused_with_those_that_there_are(recipe, key):
    with pytest.raises(Refused, match=f"{recipe} has no setting '{key}'. Its settings are: seed, "):
        validated(recipe_info(recipe), {key: "1"})


def test_n_grams_must_be_a_range():
    with pytest.raises(Refused, match="min_n=5 is greater than max_n=4"):
        validated(recipe_info("fasttext"), {"min_n": "5", "max_n": "4"})
    assert validated(recipe_info("fasttext"), {"min_n": "4", "max_n": "4"}).max_n == 4
