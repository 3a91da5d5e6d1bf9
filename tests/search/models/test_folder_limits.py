"""Models' folders that ask for more than any model: refused in one sentence, and nothing of them is built."""

import json
import shutil
import struct

import pytest

from search.models.cross_encoders import add_reranker
from search.models.folder_limits import check_built, check_folder
from search.models.pretrained.add import Choices, add_model
from search.models.sentence_transformer import load_sentence_transformer
from search.projects.errors import Refused
from search.projects.project import project_to_be
from training.train import train

BERT = {
    "model_type": "bert", "architectures": ["BertModel"], "vocab_size": 100, "hidden_size": 16, "num_hidden_layers": 1,
    "num_attention_heads": 2, "intermediate_size": 16, "max_position_embeddings": 64,
}  # fmt: skip
GPT2 = {
    "model_type": "gpt2",
    "vocab_size": 100,
    "n_embd": 16,
    "n_layer": 1,
    "n_head": 2,
    "n_positions": 64,
}


def weights(path, header=None, data=b"", length=None):
    header = (
        {"a": {"dtype": "F32", "shape": [2, 4], "data_offsets": [0, 32]}}
        if header is None
        else header
    )
    text = json.dumps(header).encode() if isinstance(header, dict) else header
    data = data or bytes(32)
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "model"
    made.mkdir()
    weights(made / "model.safetensors")
    (made / "config.json").write_text(json.dumps(BERT))
    return made


def test_what_is_no_configuration_may_count_what_it_likes(folder):
    """A manifest of ours names the bytes of its files, a trainer's state the operations of all its steps."""
    files = {"model.safetensors": {"size": 90_900_000, "sha256": "0" * 64}}
    (folder / "manifest.json").write_text(json.dumps({"files": files}))
    (folder / "trainer_state.json").write_text(
        json.dumps({"total_flos": 1.2e17, "step_size": 10**9})
    )
    check_folder(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"num_hidden_layers": 600}, {"hidden_size": 10**9}, {"vocab_size": 10**9}, {"intermediate_size": 10**8},
        {"max_position_embeddings": 10**10}, {"num_attention_heads": 10**6}, {"type_vocab_size": 10**8},
        {"num_experts": 10**6}, {"anything": 10**30}, {"hidden_size": float("inf")}, {"num_labels": 10**6},
        {"text_config": {"num_layers": 10**6}}, {"sub": [{"sub": [{"d_model": -(10**9)}]}]}, {"hidden_size": float("nan")},
    ],
)  # fmt: skip
def test_numbers_beyond_any_model(folder, change):
    check_folder(folder)
    (folder / "config.json").write_text(json.dumps({**BERT, **change}))
    with pytest.raises(Refused, match=r"config.json: \w+ is \S+, more than that of any model"):
        check_folder(folder)


@pytest.mark.parametrize(
    "config",
    [
        {**BERT, "num_hidden_layers": 8, "hidden_size": 4_096},
        {**BERT, "vocab_size": 1_000_000, "hidden_size": 1_024},
        {**BERT, "max_position_embeddings": 10_000_000},
        {**GPT2, "n_positions": 10_000_000},
        {"model_type": "t5", "vocab_size": 900_000, "d_model": 512, "num_layers": 1},
    ],
    ids=["layers", "words", "positions", "positions of another", "another family"],
)
def test_each_number_may_be_and_all_together_not(folder, config):
    check_built(folder)
    (folder / "config.json").write_text(json.dumps(config))
    check_folder(folder)
    with pytest.raises(Refused, match=r"describes a model of .* they do not belong together"):
        check_built(folder)


def test_layers_of_sentence_transformers(folder):
    (folder / "2_Dense").mkdir()
    dense = {"in_features": 500_000, "out_features": 500_000, "bias": True}
    (folder / "2_Dense" / "config.json").write_text(json.dumps(dense))
    with pytest.raises(Refused, match="describes a layer of 250,000,000,000 numbers"):
        check_folder(folder)


@pytest.mark.parametrize(
    ("header", "length"),
    [
        (b"", 2**62), (b"{}", 10**12), (b"[]", None), (b"no", None), (b"[" * 100_000, None),
        ({"a": {"dtype": "F32", "shape": [10**6, 10**6], "data_offsets": [0, 32]}}, None),
        ({"a": {"dtype": "F32", "shape": [8], "data_offsets": [0, 3200]}}, None),
        ({"a": {"dtype": "F32", "shape": [8], "data_offsets": [-32, 0]}}, None),
        ({"a": {"dtype": "F32", "shape": [-2, -4], "data_offsets": [0, 32]}}, None),
        ({"a": {"dtype": "XX", "shape": [8], "data_offsets": [0, 10**9]}}, None),
        ({"a": 1}, None),
    ],
)  # fmt: skip
def test_weights_whose_header_speaks_of_other_data(folder, header, length):
    weights(folder / "model.safetensors", header, length=length)
    with pytest.raises(Refused, match="no file of weights, or damaged: its header does not fit"):
        check_folder(folder)


def test_files_beyond_any_model(folder, monkeypatch):
    from search.models import folder_limits as room

    monkeypatch.setattr(room, "_SETTINGS_BYTES", 1_000)
    monkeypatch.setattr(room, "_VOCABULARY_BYTES", 2_000)
    (folder / "tokenizer.json").write_text(json.dumps({"x": "y" * 1_500}))
    check_folder(folder)
    (folder / "vocab.txt").write_text("y" * 3_000)
    with pytest.raises(
        Refused, match=r"vocab.txt has 3,000 bytes, more than that file of any model"
    ):
        check_folder(folder)
    (folder / "vocab.txt").unlink()
    (folder / "config.json").write_text(json.dumps({**BERT, "x": "y" * 1_500}))
    with pytest.raises(Refused, match=r"config.json has .* bytes"):
        check_folder(folder)
    (folder / "config.json").write_text(
        json.dumps({"id2label": {str(n): "" for n in range(20_000)}})
    )
    monkeypatch.setattr(room, "_SETTINGS_BYTES", 10**7)
    with pytest.raises(Refused, match="names 20,000 labels"):
        check_folder(folder)
    (folder / "config.json").write_text('{"a":' * 100 + "1" + "}" * 100)
    with pytest.raises(Refused, match="settings inside settings"):
        check_folder(folder)
    monkeypatch.setattr(room, "_FILES", 1)
    with pytest.raises(Refused, match="holds more than 1 files"):
        check_folder(folder)


def test_every_door_is_watched(tiny_model, tmp_path, workspace):
    copy = tmp_path / "copy"
    shutil.copytree(tiny_model, copy)
    load_sentence_transformer(copy)
    config = next(copy.rglob("config.json"))
    config.write_text(json.dumps({**json.loads(config.read_text()), "num_hidden_layers": 10**7}))
    lab = project_to_be("lab").create()
    for door in (
        lambda: load_sentence_transformer(copy),
        lambda: add_model(lab, str(copy), Choices(name="m")),
        lambda: add_reranker(lab, str(copy), "r"),
    ):
        with pytest.raises(Refused, match="num_hidden_layers is 1e\\+07"):
            door()


@pytest.mark.parametrize("named", ["{folder}", "{folder}/..", "/nothing/there", "~/models", "."])
def test_where_others_reach_the_app_nobody_names_a_folder_of_its_machine(
    workspace, folder, named, monkeypatch
):
    """It may be a model of a project that they are not in, and whether it is there is nobody's to ask."""
    lab = project_to_be("lab").create()
    asked = named.format(folder=folder)
    monkeypatch.setenv("BESPOKE_BEYOND_LOOPBACK", "1")
    for add in (
        lambda: add_model(lab, asked, Choices(name="mine")),
        lambda: add_reranker(lab, asked, "mine"),
        lambda: train(lab, "adapter", values={"base": asked}),
    ):
        with pytest.raises(Refused, match="not the id of a model on a hub"):
            add()
