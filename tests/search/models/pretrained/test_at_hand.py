"""What a hub could give, by language and size, and what is said when it gives nothing."""

import shutil

import pytest

from search.models.pretrained import at_hand
from search.models.pretrained.add import Choices, add_model
from search.models.pretrained.at_hand import download, models_at_hand, not_at_hand
from search.models.pretrained.catalogue import catalogue
from search.models.sentence_transformer import generic_folder
from search.projects.errors import Refused
from search.projects.project import project_to_be

COMMIT = "e" * 40


@pytest.fixture
def project():
    made = project_to_be("Lab")
    made.create()
    return made


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "hub"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(folder))
    return folder


def cached(cache, name, files):
    target = cache / f"models--{name.replace('/', '--')}" / "snapshots" / COMMIT
    shutil.copytree(files, target)
    return target


def test_the_catalogue_is_by_language_the_smallest_first():
    english, german = catalogue("en"), catalogue("de")
    assert catalogue(None) == english
    assert {model.languages for model in english} == {"en"}
    assert not {model.reference for model in english} & {model.reference for model in german}
    for models in (english, german):
        assert all(50 < model.megabytes < 500 and model.licence for model in models)
        assert all(model.window >= 512 for model in models)
    prompts = {model.reference.split("/")[1]: model.prompts for model in (*english, *german)}
    search = "Represent this sentence for searching relevant passages: "
    for name in ("snowflake-arctic-embed-xs", "mdbr-leaf-ir", "bge-small-en-v1.5"):
        assert (prompts[name].query, prompts[name].document) == (search, "")
    assert prompts["multilingual-e5-small"].document == "passage: "
    assert prompts["gte-small"].query == prompts["granite-embedding-small-english-r2"].query == ""


def test_the_cache_is_read_without_what_is_no_embedding_model(
    project, cache, tiny_model, write_classifier
):
    assert [one.reference for one in models_at_hand(project)] == ["wordllama"], "no cache at all"
    cached(cache, "Snowflake/snowflake-arctic-embed-xs", tiny_model)
    cached(cache, "sentence-transformers/all-MiniLM-L6-v2", generic_folder())
    write_classifier(cache.parent / "judge", labels=2)
    cached(cache, "somebody/judge", cache.parent / "judge")
    broken = cached(cache, "somebody/without-weights", tiny_model)
    (broken / "model.safetensors").unlink()
    found = models_at_hand(project)
    assert [one.reference for one in found] == ["wordllama", "Snowflake/snowflake-arctic-embed-xs"]
    assert [m.reference for m in not_at_hand(project, "en")] == [
        m.reference for m in catalogue("en")[1:]
    ]
    add_model(project, found[1].reference, Choices(commit=COMMIT))
    add_model(project, "static")
    assert models_at_hand(project) == []
    assert len(not_at_hand(project, "en")) == 5
    assert len(not_at_hand(project, "fi")) == 2


def test_too_large_a_model_is_none_to_try(project, cache, tiny_model, monkeypatch):
    cached(cache, "somebody/large", tiny_model)
    assert len(models_at_hand(project)) == 2
    monkeypatch.setattr(at_hand, "_LARGEST", 1_000)
    assert [one.reference for one in models_at_hand(project)] == ["wordllama"]


def test_a_hub_that_cannot_be_reached_is_asked_once_and_is_one_sentence(monkeypatch):
    asked = []

    def away(reference):
        asked.append(reference)
        raise Refused(f"The hub cannot be reached, and {reference} is not on this machine.")

    monkeypatch.setattr(at_hand, "snapshot", away)
    note = download(catalogue("en"))
    assert asked == ["Snowflake/snowflake-arctic-embed-xs"]
    assert note == (
        "The hub cannot be reached, and Snowflake/snowflake-arctic-embed-xs is not on this machine. What is on this machine "
        "was measured without it."
    )
    monkeypatch.setattr(at_hand, "snapshot", asked.append)
    assert download(catalogue("de")) is None
    assert asked[1:] == [model.reference for model in catalogue("de")]
