"""What an adapter is on disk: its matrix alone. The model beneath is named, shared, missed when gone, and exported with it."""

import shutil

import numpy as np
import pytest
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer

from search.models.linear_adapter import read_matrix, with_adapter, write_matrix
from search.models.load import load_encoder
from search.models.registry import BUILT_IN, find_model, models
from search.models.sentence_transformer import load_generic
from search.models.tokenizers import reader_of, size_of
from search.projects.errors import Failed
from search.projects.project import project
from search.retrieval.indexing.build import index_model
from training import publish
from training.interpolation.publish import blend

TEXTS = ["what helps against velkorin in the hand", "the registrar files a summons"]


@pytest.fixture
def lab(tiny_beir, call_cli):
    assert call_cli("import", "lab", tiny_beir).status == 0
    return project("lab")


@pytest.fixture
def adapt(call_cli, tiny_model):
    def run(name, *more, base=tiny_model):
        start = ("--set", f"base={base}", "--set", "learning_rate=0.02", "--set", "epochs=4")
        return call_cli("train", "lab", "--recipe", "adapter", "--name", name, *start, *more)

    return run


def manifest_of(lab, name):
    return lab.artifact("models", find_model(lab, name).id)


@pytest.mark.sample(1)
@pytest.mark.parametrize("side", ["both", "query"])
def test_the_matrix_alone_is_stored_and_the_export_is_whole(
    lab, adapt, call_cli, tiny_model, tmp_path, side
):
    done = adapt("mine", "--set", f"side={side}")
    assert done.status == 0, done.err
    assert f"{tiny_model} is a model of the project now, 'model'" in done.out + done.err
    mine = manifest_of(lab, "mine")
    assert set(mine.files) == {"matrix.safetensors", "trained_on.jsonl"}
    assert (
        sum(record.size for record in mine.files.values())
        < 50_000
        < size_of(lab, find_model(lab, "mine"))
    ), "its size is told with the model beneath"
    base = find_model(lab, "model")
    assert mine.details["adapter_of"] == mine.details["place"]["start_id"] == base.id
    assert mine.details["adapter_base"] == {"name": "model", "fingerprint": base.fingerprint}
    assert reader_of(lab, find_model(lab, "mine")).window == reader_of(lab, base).window

    again = adapt("second", "--set", f"side={side}", "--set", "seed=7")
    assert again.status == 0 and "is a model of the project now" not in again.out + again.err
    names = [info.name for info in models(lab) if info.kind == "generic"]
    assert names == ["generic", "model"], "the base is there once, and shared"

    encoder = load_encoder(lab, find_model(lab, "mine"))
    assert call_cli("export", "lab", "mine", tmp_path / "out").status == 0
    whole = SentenceTransformer(str(tmp_path / "out"), device="cpu")
    assert whole.similarity_fn_name == "cosine"
    start = SentenceTransformer(str(tiny_model), device="cpu")
    for way in ("encode_query", "encode_document"):
        vectors = getattr(whole, way)(TEXTS)
        np.testing.assert_allclose(vectors, getattr(encoder, way)(TEXTS), atol=1e-6)
        matrix = read_matrix(lab.folder_of(mine))
        assert np.abs(matrix - np.eye(len(matrix))).max() > 0.01, "it learned"
        if (side, way) == ("query", "encode_document"):
            matrix = np.eye(len(matrix))
        wanted = start.encode(TEXTS) @ matrix.T
        wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
        np.testing.assert_allclose(vectors, wanted, atol=1e-5)


def test_a_base_that_is_gone_is_said_and_one_that_comes_back_serves(
    lab, adapt, call_cli, tiny_model, tmp_path
):
    assert adapt("mine").status == 0
    before = load_encoder(lab, find_model(lab, "mine")).encode_query(TEXTS)
    refused = call_cli("remove-model", "lab", "model")
    assert refused.status != 0 and "mine cannot do without 'model'" in refused.err
    index_model(lab, "mine")
    shutil.rmtree(lab.folder / "models" / find_model(lab, "model").id)
    for command in (
        ("search", "lab", "frost", "--model", "mine"),
        ("evaluate", "lab", "--model", "mine"),
        ("export", "lab", "mine", tmp_path / "out"),
    ):
        done = call_cli(*command)
        assert done.status != 0 and "Traceback" not in done.err
        assert (
            "'mine' is an adapter on a model that is gone (model). Bring that one back" in done.err
        )
        lines = [line for line in done.err.splitlines() if " decides; less than " not in line]
        assert len(lines) == 1
    assert not (tmp_path / "out").exists()
    assert call_cli("add-model", "lab", tiny_model, "--name", "again").status == 0
    info = find_model(lab, "mine")
    np.testing.assert_array_equal(load_encoder(lab, info).encode_query(TEXTS), before)
    refused = call_cli("remove-model", "lab", "again")
    assert refused.status != 0 and "mine cannot do without 'again'" in refused.err


def test_another_version_of_the_base_is_refused(lab, tiny_model):
    with lab.publish("models", name="mine", recipe="adapter", format="adapter", dimension=384,
                     origin="x", adapter_of=BUILT_IN,
                     adapter_base={"name": "all-MiniLM-L6-v2", "fingerprint": "other"}) as draft:  # fmt: skip
        write_matrix(draft.folder, np.eye(384, dtype=np.float32), {"fingerprint": "other"})
    with pytest.raises(Failed, match="adapter on 'all-MiniLM-L6-v2', which is another version now"):
        load_encoder(lab, find_model(lab, "mine"))


def test_what_stands_on_the_built_in_model_has_a_copy_that_may_be_trained(lab):
    with lab.publish("models", name="mine", recipe="adapter", format="adapter", dimension=384,
                     origin="x", adapter_of=BUILT_IN) as draft:  # fmt: skip
        write_matrix(draft.folder, np.eye(384, dtype=np.float32))
    mine, generic = load_encoder(lab, find_model(lab, "mine")), load_generic()
    np.testing.assert_allclose(mine.encode(TEXTS), generic.encode(TEXTS), atol=1e-6)
    assert mine[0] is not generic[0], "a training of it would change every search with generic"


def test_the_fingerprint_covers_the_base_and_the_side(lab):
    def fingerprint(about):
        with lab.publish("reports") as draft:
            write_matrix(draft.folder, np.eye(2, dtype=np.float32), about)
        return lab.artifact("reports", draft.id).fingerprint

    said = {"fingerprint": "f00d", "side": "both"}
    assert fingerprint(said) == fingerprint(dict(reversed(said.items())))
    assert (
        len(
            {
                fingerprint({**said, **more})
                for more in ({}, {"side": "query"}, {"fingerprint": "b"})
            }
        )
        == 3
    )


def test_what_was_stored_whole_is_still_read(lab, tiny_model):
    start = SentenceTransformer(str(tiny_model), device="cpu")
    matrix = np.eye(start.get_embedding_dimension(), dtype=np.float32)[::-1].copy()
    whole = with_adapter(start, matrix)
    with lab.publish("models", name="old", recipe="adapter", format="sentence-transformer",
                     dimension=len(matrix), origin="x", adapter_of="gone") as draft:  # fmt: skip
        whole.save(str(draft.folder), create_model_card=False)
    info = find_model(lab, "old")
    wanted = start.encode(TEXTS, normalize_embeddings=True)[:, ::-1]
    np.testing.assert_allclose(load_encoder(lab, info).encode(TEXTS), wanted, atol=1e-5)
    assert size_of(lab, info) > 50_000


def test_what_fails_while_it_is_published_leaves_neither_adapter_nor_base(
    lab, adapt, monkeypatch, tree
):
    before = tree(lab.folder / "models")

    def fail(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(publish, "write_pairs", fail)
    assert adapt("mine").status != 0
    assert tree(lab.folder / "models") == before
    assert [info.name for info in models(lab)] == ["generic"]


def test_a_base_that_changes_while_an_adapter_is_trained_on_it_is_noticed(
    lab, adapt, tiny_model, tmp_path, monkeypatch
):
    base = shutil.copytree(tiny_model, tmp_path / "base")
    knew = publish.general_ndcg

    def change(model):
        (weights,) = base.rglob("model.safetensors")
        other = {name: tensor.flip(0).clone() for name, tensor in load_file(weights).items()}
        weights.unlink()  # What is loaded may still be read from the old file.
        save_file(other, weights, metadata={"format": "pt"})
        return knew(model)

    monkeypatch.setattr(publish, "general_ndcg", change)
    done = adapt("mine", base=base)
    assert done.status != 0 and "was changed while the adapter was trained on it" in done.err
    assert lab.manifests("models") == []


def test_the_untouched_start_and_blends_have_no_copy_either(lab, adapt, ask_themselves):
    assert adapt("model").status == 0, "its base takes another name"
    assert [info.name for info in models(lab)] == ["generic", "model-2", "model"]
    blend(lab, "model", 0.5, "half")
    half = manifest_of(lab, "half")
    assert set(half.files) == {"matrix.safetensors", "trained_on.jsonl"}
    ask_themselves(lab)
    assert adapt("same", base="model-2").status == 0
    same = manifest_of(lab, "same")
    assert same.details["is_start"] and set(same.files) == set(half.files)
    matrix = read_matrix(lab.folder_of(same))
    np.testing.assert_array_equal(matrix, np.eye(len(matrix)))


@pytest.mark.parametrize("by", ["folder", "name"])
def test_a_fine_tuning_that_kept_its_start_is_a_reference(
    lab, call_cli, tiny_model, ask_themselves, tmp_path, by
):
    if by == "name":
        assert call_cli("add-model", "lab", tiny_model, "--name", "model").status == 0
    ask_themselves(lab)
    base = tiny_model if by == "folder" else "model"
    settings = ("--set", f"base={base}", "--set", "epochs=1", "--set", "learning_rate=0.01")
    done = call_cli("train", "lab", "--recipe", "fine-tune", "--name", "same", *settings)
    assert done.status == 0, done.err
    same = manifest_of(lab, "same")
    assert same.details["is_start"] and set(same.files) == {
        "matrix.safetensors",
        "trained_on.jsonl",
    }
    assert same.files["matrix.safetensors"].size < 400, "not even a matrix that turns nothing"
    assert same.details["adapter_of"] == find_model(lab, "model").id
    assert same.details["place"]["kind"] == "weights"
    start = SentenceTransformer(str(tiny_model), device="cpu")
    encoder = load_encoder(lab, find_model(lab, "same"))
    wanted = start.encode(TEXTS, normalize_embeddings=True)
    np.testing.assert_allclose(encoder.encode_query(TEXTS), wanted, atol=1e-6)
    assert call_cli("export", "lab", "same", tmp_path / "out").status == 0
    whole = SentenceTransformer(str(tmp_path / "out"), device="cpu")
    np.testing.assert_allclose(whole.encode(TEXTS), wanted, atol=1e-6)


def test_no_step_of_a_fine_tuning_is_a_reference_too(lab, call_cli, tiny_model):
    settings = ("--set", f"base={tiny_model}", "--set", "epochs=2", "--set", "learning_rate=0.003")
    done = call_cli("train", "lab", "--recipe", "fine-tune", "--name", "tuned", *settings)
    assert done.status == 0 and "model.safetensors" in "".join(manifest_of(lab, "tuned").files)
    blend(lab, "tuned", 0.0, "none")
    none = manifest_of(lab, "none")
    assert none.details["is_start"] and none.details["format"] == "adapter"
    assert set(none.files) == {"matrix.safetensors", "trained_on.jsonl"}
    start = SentenceTransformer(str(tiny_model), device="cpu")
    encoder = load_encoder(lab, find_model(lab, "none"))
    wanted = start.encode(TEXTS, normalize_embeddings=True)
    np.testing.assert_allclose(encoder.encode(TEXTS), wanted, atol=1e-6)
