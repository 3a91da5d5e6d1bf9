"""An exported folder is spelt as readers before sentence-transformers 6 know it, and reads the same with it."""

import json
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, Pooling

from tests.conftest import tiny_text
from training.export.older_readers import respell

# What sentence-transformers 3.4.1 gives Pooling(**config) and Transformer(**config), and reads of a Dense.
POOLING = {
    "word_embedding_dimension", "pooling_mode_cls_token", "pooling_mode_mean_tokens", "pooling_mode_max_tokens",
    "pooling_mode_mean_sqrt_len_tokens", "pooling_mode_weightedmean_tokens", "pooling_mode_lasttoken", "include_prompt",
}  # fmt: skip


def said(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("mode", ["mean", "cls"])
def test_it_is_spelt_otherwise_and_gives_the_same(tiny_model, tmp_path, mode):
    model = SentenceTransformer(str(tiny_model), device="cpu")
    model[1] = Pooling(32, mode)
    model.append(Dense(32, 8))
    model.max_seq_length = 12
    model.save(str(tmp_path / "out"), create_model_card=False)
    assert respell(tmp_path / "out")
    rows = said(tmp_path / "out" / "modules.json")
    assert {row["type"].rpartition(".")[0] for row in rows} == {"sentence_transformers.models"}
    pooling = said(tmp_path / "out" / "1_Pooling" / "config.json")
    assert set(pooling) == POOLING
    told = {name for name, on in pooling.items() if on is True}
    assert told == {
        "include_prompt",
        {"mean": "pooling_mode_mean_tokens", "cls": "pooling_mode_cls_token"}[mode],
    }
    (dense,) = (row["path"] for row in rows if row["type"].endswith("Dense"))
    assert "module_input_name" not in said(tmp_path / "out" / dense / "config.json")
    assert said(tmp_path / "out" / "sentence_bert_config.json") == {
        "max_seq_length": 12,
        "do_lower_case": False,
    }
    words = said(tmp_path / "out" / "tokenizer_config.json")
    assert words["tokenizer_class"] == "PreTrainedTokenizerFast"
    again = SentenceTransformer(str(tmp_path / "out"), device="cpu")
    texts = [tiny_text(number) for number in range(6)]
    assert again.max_seq_length == 12
    np.testing.assert_allclose(again.encode(texts), model.encode(texts), atol=1e-6)
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.json")}
    assert respell(tmp_path / "out")  # What is spelt so stays so.
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("what", ["dense", "pooling"])
def test_what_the_earlier_spelling_cannot_say_stays_as_it_is(tiny_model, tmp_path, what):
    model = SentenceTransformer(str(tiny_model), device="cpu")
    if what == "dense":
        model.append(Dense(32, 8, module_output_name="other"))
    else:  # It puts them into an order of its own, which the earlier one does not.
        model[1] = Pooling(32, ("mean", "max"))
    model.save(str(tmp_path / "out"), create_model_card=False)
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.json")}
    assert not respell(tmp_path / "out")
    assert {path: path.read_bytes() for path in before} == before
