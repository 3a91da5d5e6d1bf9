"""Models of every kind as people bring them: read rightly, or refused by what their configuration says."""

import json
import shutil

import numpy as np
import pytest
import torch

from search.models.load import load_encoder
from search.models.pretrained.add import Choices, add_model
from search.models.pretrained.opening import open_checkpoint
from search.projects.errors import Failed, Refused
from tests import tiny_models as tiny

TEXTS = ["who files the summons about frost", "insulin is kept in the fridge", "rent"]
LONG = "the tenant pays rent " * 60


def mean_by_hand(model, words, texts):
    """The mean over the last layer, without sentence-transformers."""
    tokens = words(texts, padding=True, return_tensors="pt")
    with torch.no_grad():
        states = model(tokens["input_ids"], attention_mask=tokens["attention_mask"])
    mask = tokens["attention_mask"].unsqueeze(-1)
    return ((states.last_hidden_state * mask).sum(dim=1) / mask.sum(dim=1)).numpy()


def added(project, folder, **choices):
    made = add_model(project, str(folder), Choices(**choices))
    return made, load_encoder(project, made.info)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_is_computed_in_float32(project, tmp_path, dtype):
    from transformers import AutoModel

    folder = tiny.write(tmp_path / "half", "bert", dtype)
    made, encoder = added(project, folder)
    assert any(f"kept in {dtype}" in note for note in made.notes)
    assert {parameter.dtype for parameter in encoder.parameters()} == {torch.float32}
    whole = AutoModel.from_pretrained(str(folder), dtype=torch.float32).eval()
    wanted = mean_by_hand(whole, tiny.tokenizer(64), TEXTS)
    np.testing.assert_allclose(encoder.encode_document(TEXTS), wanted, atol=1e-5)


def test_of_a_t5_saved_as_an_encoder_alone_nothing_is_missing(project, tmp_path):
    from transformers import T5EncoderModel

    folder = tiny.write(tmp_path / "t5", "t5-encoder")
    _, encoder = added(project, folder)
    own = T5EncoderModel.from_pretrained(str(folder)).eval()
    wanted = mean_by_hand(own, tiny.tokenizer(64), TEXTS)
    np.testing.assert_allclose(encoder.encode_document(TEXTS), wanted, atol=1e-4)


def test_positions_that_hold_less_than_was_promised_are_found_when_it_is_added(project, tmp_path):
    folder = tiny.write(
        tmp_path / "roberta", "roberta", max_length=None, max_position_embeddings=66, pad_token_id=1
    )
    made, encoder = added(project, folder)
    assert project.artifact("models", made.info.id).details["max_length"] == 64
    assert any("66 word pieces, but it has positions for 64" in note for note in made.notes)
    whole = " ".join(LONG.split()[:62])
    np.testing.assert_allclose(
        encoder.encode_document([LONG]), encoder.encode_document([whole]), atol=1e-5
    )
    assert open_checkpoint(str(folder)).model.max_seq_length == 64, "a start has what is added"
    with pytest.raises(Refused, match=r"--max-length is 65, but the model has positions for 64"):
        add_model(project, str(folder), Choices(name="longer", max_length=65))
    shorter, _ = added(project, folder, name="shorter", max_length=32)
    assert project.artifact("models", shorter.info.id).details["max_length"] == 32


def test_a_tokenizer_without_a_token_for_padding_is_given_one(project, tmp_path):
    bare = tiny.write(tmp_path / "gpt", "gpt2", padding=False)
    folder = tiny.as_sentence_transformer(tmp_path / "last-token", bare, pooling="lasttoken")
    _, encoder = added(project, folder)
    together = encoder.encode_document([TEXTS[0], "rent"])
    np.testing.assert_allclose(together[1:], encoder.encode_document(["rent"]), atol=1e-5)
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        tiny.change_settings(folder, name, sep_token=None, cls_token=None, unk_token=None)
    with pytest.raises(Refused, match="no token for padding"):
        add_model(project, str(folder), Choices(name="none"))


def splade(folder):
    tiny.as_sentence_transformer(folder, tiny.write(folder / "bare", "masked"))
    rows = json.loads((folder / "modules.json").read_text())
    rows[1]["type"] = "sentence_transformers.sparse_encoder.models.SpladePooling"
    (folder / "modules.json").write_text(json.dumps(rows))


def late(folder):
    tiny.as_sentence_transformer(folder, tiny.write(folder / "bare", "bert"))
    rows = json.loads((folder / "modules.json").read_text())
    rows[1]["type"] = "pylate.models.Dense.Dense"
    (folder / "modules.json").write_text(json.dumps(rows))


def max_sim(folder):
    tiny.as_sentence_transformer(folder, tiny.write(folder / "bare", "bert"))
    tiny.change_settings(folder, "config_sentence_transformers.json", similarity_fn_name="MaxSim")


def declared(folder):
    tiny.as_sentence_transformer(folder, tiny.write(folder / "bare", "bert"))
    tiny.change_settings(folder, "config_sentence_transformers.json", model_type="CrossEncoder")


def colbert(folder):
    tiny.change_settings(tiny.write(folder, "bert"), "config.json", architectures=["HF_ColBERT"])


def without_word_vectors(folder):
    from transformers import DPRConfig, DPRQuestionEncoder

    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = DPRConfig(vocab_size=120, intermediate_size=32, **sizes)
    DPRQuestionEncoder(config).save_pretrained(str(folder), safe_serialization=True)
    tiny.tokenizer(64).save_pretrained(str(folder))


def written(kind, **more):
    return lambda folder: tiny.write(folder, kind, **more)


def adapter_with_a_head(folder):
    tiny.write_lora(folder, tiny.write(folder.with_name("beneath"), "bert"), task="SEQ_CLS")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (splade, "a sparse encoder"),
        (late, "a late-interaction model"),
        (max_sim, "a late-interaction model"),
        (colbert, "a late-interaction model"),
        (declared, "a cross-encoder: .*add-reranker"),
        (written("classifier", num_labels=1), "a cross-encoder: .*add-reranker"),
        (written("classifier", num_labels=3), "a classifier of texts with 3 labels"),
        (written("tagger"), "a tagger of words"),
        (written("answers"), "marks answers"),
        (written("gpt2"), "a causal language model"),
        (written("gpt2-without-head"), "a causal language model"),
        (written("bart"), "turns texts into texts"),
        (without_word_vectors, "(for texts )?"),
        (adapter_with_a_head, "a classifier or cross-encoder, saved by PEFT"),
    ],
)
def test_what_is_no_embedding_model_is_refused_by_what_it_says(project, tmp_path, tree, make, said):
    make(tmp_path / "model")
    before = tree(project.folder)
    with pytest.raises(Refused, match=f"no embedding model (but|for) .*{said}"):
        add_model(project, str(tmp_path / "model"))
    assert tree(project.folder) == before


def test_a_sparse_model_without_modules_is_known_by_its_name_and_a_raw_one_is_averaged(
    project, tmp_path
):
    with pytest.raises(Refused, match="a sparse encoder"):
        add_model(project, str(tiny.write(tmp_path / "splade-small", "masked")))
    made, _ = added(project, tiny.write(tmp_path / "raw", "masked"))
    assert any("their mean is taken" in note for note in made.notes)


def test_what_peft_saved_is_the_merged_model_and_both_folders_must_stay(project, tmp_path):
    from peft import PeftModel
    from transformers import AutoModel

    base = tiny.write(tmp_path / "base", "bert")
    folder = tiny.write_lora(tmp_path / "lora", base)
    made, encoder = added(project, folder)
    assert any(str(base) in note and "added into" in note for note in made.notes)
    merged = PeftModel.from_pretrained(AutoModel.from_pretrained(str(base)), str(folder))
    wanted = mean_by_hand(merged.merge_and_unload().eval(), tiny.tokenizer(64), TEXTS)
    np.testing.assert_allclose(encoder.encode_document(TEXTS), wanted, atol=1e-5)
    _, alone = added(project, base, name="alone")
    assert np.abs(alone.encode_document(TEXTS) - wanted).max() > 0.01
    encoder.save(str(tmp_path / "whole"), create_model_card=False)
    assert not list((tmp_path / "whole").rglob("adapter*")), "it stands alone"
    np.testing.assert_allclose(
        added(project, tmp_path / "whole", name="whole")[1].encode_document(TEXTS),
        wanted,
        atol=1e-5,
    )
    tiny.change_settings(base, "config.json", layer_norm_eps=1e-6)
    with pytest.raises(Failed, match="base holds another version of the model 'lora'"):
        load_encoder(project, made.info)
    shutil.rmtree(base)
    with pytest.raises(Failed, match=r"folder of the model 'lora' is gone: .*base"):
        load_encoder(project, made.info)
    with pytest.raises(Refused, match=r"cannot be had: .*adapter_config.json"):
        add_model(project, str(folder), Choices(name="anew"))


def test_an_adapter_names_no_folder_that_is_no_model(project, tmp_path):
    base = tiny.write(tmp_path / "base", "bert")
    folder = tiny.write_lora(tmp_path / "lora", base, named="/")
    with pytest.raises(Refused, match="which it names, is no model"):
        add_model(project, str(folder))
    tiny.change_settings(folder, "adapter_config.json", base_model_name_or_path="../base")
    assert added(project, folder)[0].info.dimension == tiny.SIZE, "a path from the adapter"
    upon = tiny.write_lora(tmp_path / "upon", base, named=str(folder))
    with pytest.raises(Refused, match="stands on another model itself"):
        add_model(project, str(upon), Choices(name="upon"))


def test_an_adapter_that_says_nothing_on_pooling_has_that_of_the_model_beneath(project, tmp_path):
    bare = tiny.write(tmp_path / "bare", "bert")
    base = tiny.as_sentence_transformer(
        tmp_path / "base", bare, "cls", prompts={"query": "a question ", "passage": "the "}
    )
    made, encoder = added(project, tiny.write_lora(tmp_path / "lora", base))
    assert not any("mean" in note for note in made.notes)
    assert encoder.prompts == {"query": "a question ", "document": "the "}
    assert [module.pooling_mode for module in encoder if hasattr(module, "pooling_mode")] == ["cls"]


def test_prompts_are_named_and_an_empty_one_hides_none(project, tmp_path):
    bare = tiny.write(tmp_path / "bare", "bert")
    prompts = {"query": "a question ", "document": "", "passage": "the ", "s2s": "rent "}
    folder = tiny.as_sentence_transformer(tmp_path / "prompted", bare, prompts=prompts)
    made, encoder = added(project, folder)
    assert any("s2s: “rent ”" in note and "not used" in note for note in made.notes)
    plain = load_encoder(
        project,
        add_model(project, str(folder), Choices("plain", query_prompt="", document_prompt="")).info,
    )
    np.testing.assert_allclose(
        encoder.encode_document(["frost"]), plain.encode_document(["the frost"]), atol=1e-6
    )
    start = open_checkpoint(str(folder)).model
    np.testing.assert_allclose(
        start.encode_document(["frost"]), encoder.encode_document(["frost"]), atol=1e-6
    )


def test_a_model_made_for_dot_products_says_so_unless_its_vectors_are_normalised(project, tmp_path):
    bare = tiny.write(tmp_path / "bare", "bert")
    dot = tiny.as_sentence_transformer(tmp_path / "a", bare, similarity_fn_name="dot")
    made, _ = added(project, dot, name="inner")
    assert any("made for dot products" in note for note in made.notes)
    assert project.artifact("models", made.info.id).details["similarity"] == "dot"
    unit = tiny.as_sentence_transformer(
        tmp_path / "b", bare, behind=("normalize",), similarity_fn_name="dot"
    )
    assert added(project, unit, name="unit")[0].notes == []
    named = shutil.copytree(dot, tmp_path / "msmarco-tiny-dot-v5")
    tiny.change_settings(named, "config_sentence_transformers.json", similarity_fn_name=None)
    assert any("dot products" in note for note in added(project, named, name="known")[0].notes)


def test_an_asymmetric_model_is_searched_with_as_it_is(project, tmp_path):
    bare = tiny.write(tmp_path / "bare", "roberta", max_position_embeddings=40)
    folder = tiny.write_router(tmp_path / "router", bare)
    made, encoder = added(project, folder)
    assert any("but it has positions for 39" in note for note in made.notes)
    assert np.isfinite(encoder.encode_document([LONG])).all()
    assert made.info.dimension == tiny.SIZE
    query, document = encoder.encode_query(["rent"]), encoder.encode_document(["rent"])
    assert query.shape == document.shape and np.abs(query - document).max() > 0.01
