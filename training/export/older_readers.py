"""An exported folder in the spelling that its readers of earlier years know.

sentence-transformers 6 names modules, pooling and settings, and transformers 5 the tokenizer, otherwise than those before them:
sentence-transformers 3.4.1, and servers built on it, cannot read what it writes (tried); text-embeddings-inference looks for
`pooling_mode_mean_tokens` (its source). It reads the earlier spelling itself, so a folder is written in that one.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from search.projects.files import write_json

_MODULES, _CLASS = "modules.json", "tokenizer_class"
_POOLINGS = {
    "cls": "cls_token",
    "mean": "mean_tokens",
    "max": "max_tokens",
    "mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "weightedmean": "weightedmean_tokens",
    "lasttoken": "lasttoken",
}
_DENSE = ("in_features", "out_features", "bias", "activation_function")
_IN_AND_OUT = {
    "module_input_name": "sentence_embedding",
    "module_output_name": "sentence_embedding",
}
_USUAL = {
    "transformer_task": "feature-extraction",
    "modality_config": {"text": {"method": "forward", "method_output_name": "last_hidden_state"}},
    "module_output_name": "token_embeddings",
}
_BOTH = {"max_seq_length", "do_lower_case"}
_ENDLESS = 10**6  # Where a tokenizer knows no longest text, it says a number beyond all.


def respell(folder: Path) -> bool:
    """Write the settings of a SentenceTransformer's folder in the earlier spelling; what that cannot say stays as it is.

    :returns: whether it could.
    """
    modules = _read(folder / _MODULES)
    settings: dict[Path, Mapping[str, Any]] = {}
    for module in modules:
        kind = module["type"].rsplit(".", maxsplit=1)[-1]
        inside = folder / module["path"]
        if not module["type"].startswith("sentence_transformers.") or not _fits(
            kind, inside, settings
        ):
            return False
        module["type"] = f"sentence_transformers.models.{kind}"
    for path, content in settings.items():
        write_json(path, content)
    write_json(folder / _MODULES, modules)
    return True


def _fits(kind: str, folder: Path, settings: dict[Path, Mapping[str, Any]]) -> bool:
    """Whether a module can be said in the earlier spelling; adds the files that do."""
    if kind in ("Normalize", "StaticEmbedding"):
        return True
    if kind == "Transformer":
        return _transformer(folder, settings)
    if kind not in ("Dense", "Pooling"):
        return False
    path = folder / "config.json"
    said = _read(path)
    if kind == "Dense":
        settings[path] = {key: said[key] for key in _DENSE}
        return all(said.get(key, usual) == usual for key, usual in _IN_AND_OUT.items())
    if "pooling_mode" not in said:  # It is spelt so already.
        return True
    mode = said["pooling_mode"]
    if (
        not isinstance(mode, str) or mode not in _POOLINGS
    ):  # Of several at once, the earlier spelling knows no order.
        return False
    settings[path] = {
        "word_embedding_dimension": said["embedding_dimension"],
        **{f"pooling_mode_{older}": name == mode for name, older in _POOLINGS.items()},
        "include_prompt": said["include_prompt"],
    }
    return True


def _transformer(folder: Path, settings: dict[Path, Mapping[str, Any]]) -> bool:
    path = folder / "sentence_bert_config.json"
    said, words = _read(path), _read(folder / "tokenizer_config.json")
    if "transformer_task" in said:
        if (
            any(said.pop(key, usual) != usual for key, usual in _USUAL.items())
            or said.keys() - _BOTH
        ):
            return False
        longest = int(words.get("model_max_length", _ENDLESS))
        settings[path] = {
            "max_seq_length": longest if longest < _ENDLESS else None,
            "do_lower_case": said.get("do_lower_case", False),
        }
    if words.get(_CLASS) == "TokenizersBackend":
        settings[folder / "tokenizer_config.json"] = {**words, _CLASS: "PreTrainedTokenizerFast"}
    return True


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
