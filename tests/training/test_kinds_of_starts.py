"""Trainings on models as people bring them: what says "ready" can be indexed, exported, and has the vectors it had."""

from pathlib import Path

import numpy as np
import pytest

from indexes.vector_index import normalised
from search.corpus.corpus import current_corpus
from search.models.linear_adapter import matrix_of
from search.models.load import load_encoder
from search.models.pretrained.add import Choices, add_model
from search.models.registry import find_model
from search.models.sentence_transformer import load_sentence_transformer
from search.projects.errors import Refused
from search.projects.project import project_to_be
from search.retrieval.indexing.build import index_model
from search.retrieval.search import compare
from tests import tiny_models as tiny
from training.base_model import load_base_model
from training.export.card import model_card
from training.export.export import export
from training.similarity_cost import lengthened, similarity_notes
from training.train import train

QUICK = {"epochs": 1, "learning_rate": 0.01}


@pytest.fixture
def project(import_tiny):
    made = project_to_be("lab")
    import_tiny(made)
    return made


@pytest.fixture
def bare(tmp_path):
    return tiny.write(tmp_path / "bare", "bert")


@pytest.mark.parametrize(
    ("recipe", "setting"),
    [("adapter", "epochs=2"), pytest.param("auto", "minutes=0.05", marks=pytest.mark.slow)],
)
def test_what_is_trained_on_half_precision_is_indexed(call_cli, project, tmp_path, recipe, setting):
    folder = tiny.write(tmp_path / "half", "bert", "bfloat16")
    assert call_cli("add-model", "lab", folder, "--name", "half").status == 0
    start = ("--set", "base=half", "--set", setting)
    done = call_cli("train", "lab", "--recipe", recipe, *start)
    assert (done.status, done.out) == (0, f"The model '{recipe}' is ready.\n"), done.err
    done = call_cli("index", "lab", "--model", recipe)
    assert done.status == 0 and "40 vectors of 32 dimensions" in done.out, done.err


@pytest.mark.parametrize("side", ["both", "query"])
def test_an_adapter_on_a_model_with_truncate_dim_sees_what_is_left(project, bare, tmp_path, side):
    folder = tiny.as_sentence_transformer(tmp_path / "cut", bare, truncate_dim=16)
    info = add_model(project, str(folder), Choices(name="cut")).info
    assert info.dimension == 16
    train(project, "adapter", "mine", {"base": "cut", "side": side, **QUICK})
    mine, base = (load_encoder(project, find_model(project, name)) for name in ("mine", "cut"))
    texts = ["who files the deed", "frost"]
    matrix = matrix_of(mine)
    assert matrix.shape == (16, 16)
    turned = normalised(normalised(base.encode_query(texts)) @ matrix.T)
    np.testing.assert_allclose(mine.encode_query(texts), turned, atol=1e-5)
    documents = normalised(base.encode_document(texts))
    wanted = documents if side == "query" else normalised(documents @ matrix.T)
    np.testing.assert_allclose(mine.encode_document(texts), wanted, atol=1e-5)
    assert index_model(project, "mine").details["dimension"] == 16
    (result,) = compare(project, texts[0], ["mine"], k=3).results
    best = result.hits[0]
    embedded = current_corpus(project)[1].embedded_texts(0, 40)
    scores = mine.encode_document(embedded) @ mine.encode_query(texts[:1])[0]
    assert best.score == pytest.approx(float(scores.max()), abs=1e-5)


def test_fine_tuning_a_model_with_truncate_dim_keeps_it(project, bare, tmp_path):
    folder = tiny.as_sentence_transformer(tmp_path / "cut", bare, truncate_dim=16)
    train(project, "fine-tune", "tuned", {"base": str(folder), "epochs": 1, "batch_size": 16})
    assert find_model(project, "tuned").dimension == 16
    assert index_model(project, "tuned").details["dimension"] == 16


def test_what_peft_saved_is_trained_on_and_exported_whole(project, bare, tmp_path):
    folder = tiny.write_lora(tmp_path / "lora", bare)
    add_model(project, str(folder), Choices(name="lora"))
    texts = ["who files the deed", "frost"]
    wanted = load_encoder(project, find_model(project, "lora")).encode_document(texts)
    export(project, "lora", tmp_path / "out")
    whole = load_sentence_transformer(tmp_path / "out")
    np.testing.assert_allclose(whole.encode_document(texts), wanted, atol=1e-5)
    for name, recipe, more in (
        ("adapter-on-it", "adapter", {"epochs": 1}),
        ("tuned-lora", "fine-tune", {"epochs": 1, "lora_rank": 2}),
    ):
        train(project, recipe, name, {"base": "lora", **more})
        assert index_model(project, name).details["vectors"] == 40
        assert not list(
            (project.folder / "models" / find_model(project, name).id).rglob("adapter_*")
        )


@pytest.mark.parametrize("recipe", ["adapter", "auto", "fine-tune", "static"])
def test_an_asymmetric_start_is_refused_before_the_work(project, bare, tmp_path, recipe, tree):
    add_model(project, str(tiny.write_router(tmp_path / "router", bare)), Choices(name="two-ways"))
    index_model(project, "two-ways")
    before = tree(project.folder)
    start = {"base": "two-ways"} | ({"start": "distilled"} if recipe == "static" else {})
    with pytest.raises(Refused, match="'two-ways' is asymmetric"):
        train(project, recipe, "mine", start)
    assert tree(project.folder) == before


def test_a_start_given_as_a_folder_has_what_add_model_gives_it(project, tmp_path, monkeypatch):
    folder = tiny.write(
        tmp_path / "e5-small-mine", "roberta", max_length=None, max_position_embeddings=66
    )
    monkeypatch.chdir(tmp_path)
    info = add_model(project, "e5-small-mine", Choices(name="added")).info
    added, start = load_encoder(project, info), load_base_model(project, "e5-small-mine")
    assert start.prompts == added.prompts == {"query": "query: ", "document": "passage: "}
    assert start.max_seq_length == added.max_seq_length == 65
    train(project, "adapter", "mine", {"base": "e5-small-mine", **QUICK})
    manifest = project.artifact("models", find_model(project, "mine").id)
    assert manifest.details["settings"]["base"] == str(folder), (
        "a path that is right from everywhere"
    )
    assert manifest.details["place"]["start"] == str(folder)
    card = model_card(project, find_model(project, "mine"))
    assert "base_model:" not in card and "query_encode_kwargs" in card and "cosine" in card
    with pytest.raises(Refused, match="no embedding model but a tagger"):
        load_base_model(project, str(tiny.write(tmp_path / "tagger", "tagger")))


def test_the_card_of_a_query_side_says_what_plain_encode_leaves_out(project, bare, tmp_path):
    train(project, "adapter", "asks", {"base": str(bare), "side": "query", **QUICK})
    card = model_card(project, find_model(project, "asks"))
    assert "turns queries only" in card and "LlamaIndex" in card
    export(project, "asks", tmp_path / "out")
    model = load_sentence_transformer(tmp_path / "out")
    np.testing.assert_allclose(
        model.encode(["frost"], task="query", prompt_name="query"),
        model.encode_query(["frost"]),
        atol=1e-6,
        err_msg="the advice in the card",
    )
    np.testing.assert_allclose(model.encode(["frost"]), model.encode_document(["frost"]), atol=1e-6)
    assert model.similarity_fn_name == "cosine"


def test_a_folder_that_is_called_like_a_model_of_the_hub_is_not_that(project, bare, tmp_path):
    like = Path(tiny.as_sentence_transformer(tmp_path / "all-MiniLM-L6-v2", bare))
    add_model(project, str(like), Choices(name="own"))
    train(project, "adapter", "mine", {"base": "own", **QUICK})
    assert "base_model:" not in model_card(project, find_model(project, "mine"))


def test_what_cosine_costs_is_measured_on_dev(project, bare, tmp_path, call_cli):
    folder = tiny.as_sentence_transformer(tmp_path / "d", bare, similarity_fn_name="dot")
    add_model(project, str(folder), Choices(name="inner"))
    (note,) = similarity_notes(project, ["generic", "inner"])
    assert "by cosine on 8 dev queries" in note and "by dot product" in note
    for command in (["index", "lab"], ["evaluate", "lab", "--model", "generic"]):
        assert note in call_cli(*command, "--model", "inner").err
    rng = np.random.default_rng(1)
    queries, documents = rng.standard_normal((5, 8)), rng.standard_normal((30, 8))
    longer = normalised(lengthened(documents).astype(np.float32))
    by_cosine = np.pad(queries, ((0, 0), (0, 1))) @ longer.T
    np.testing.assert_array_equal(np.argsort(-by_cosine), np.argsort(-(queries @ documents.T)))
