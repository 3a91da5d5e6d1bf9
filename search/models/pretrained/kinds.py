"""What a model's folder is by what its configuration says: other kinds of models load as embeddings without a word.

sentence-transformers gives a sparse encoder, a cross-encoder or a late-interaction model a mean over the last layer, and
transformers a decoder to an encoder that was saved alone. What the folder says is asked before anything is loaded.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from search.models.import_order import before_transformers
from search.projects.errors import Refused

MODULES_FILE = "modules.json"
SETTINGS_FILE = "config_sentence_transformers.json"
ADAPTER_FILE = "adapter_config.json"
_LIMIT = 16 * 1024 * 1024  # Settings of a model are kilobytes.

_SPARSE = (
    "a sparse encoder (SPLADE and its kin: a weight for each word of its vocabulary, not a vector)"
)
_LATE = "a late-interaction model (ColBERT and its kin: a vector for each word piece, not for each text)"
_CROSS = (
    "a cross-encoder: it reads a question and a passage together. Add it with: python cli.py add-reranker PROJECT FOLDER "
    "--name NAME"
)
_KINDS = {"SparseEncoder": _SPARSE, "MultiVectorEncoder": _LATE, "CrossEncoder": _CROSS}
# Modules by the last part of their type, or by the package that they are from.
_MODULES = (
    (re.compile(r"(^|\.)(SpladePooling|MLMTransformer|SparseAutoEncoder|CSRSparsity|SparseStatic\w*|IDF)$"), _SPARSE),
    (re.compile(r"(^|\.)sparse_encoder\."), _SPARSE),
    (re.compile(r"^pylate\.|(^|\.)multi_vector_encoder\.|(^|\.)(MultiVectorMask|TokenPooling)$"), _LATE),
    (re.compile(r"(^|\.)cross_encoder\.|(^|\.)LogitScore$"), _CROSS),
)  # fmt: skip
_HEADS = {
    "TokenClassification": "a tagger of words",
    "QuestionAnswering": "a model that marks answers in a text",
    "MultipleChoice": "a model that chooses among answers",
    "NextSentencePrediction": "a model that tells whether a sentence follows another",
    "CausalLM": "a model that continues texts (a causal language model), and says nothing of how its vectors become one",
    "LMHeadModel": "a model that continues texts (a causal language model), and says nothing of how its vectors become one",
    "ImageClassification": "a classifier of images",
    "ForRetrieval": _LATE,
}


def refuse_other_kinds(folder: Path, reference: str) -> None:
    """Refuse what is no model that gives one dense vector a text, by what its files say.

    :param reference: what it was called, for the message.
    :raises Refused: naming what it is.
    """
    kind = _other_kind(folder, reference)
    if kind is not None:
        raise Refused(f"{reference} is no embedding model but {kind}.")


def _other_kind(folder: Path, reference: str) -> str | None:
    """What a folder holds instead of an embedding model, in words; None when it may be one."""
    settings = read_settings(folder / SETTINGS_FILE)
    declared = str(settings.get("model_type"))
    if declared in _KINDS:
        return _KINDS[declared]
    late = str(settings.get("similarity_fn_name") or "").lower() == "maxsim"
    if (
        late or (folder / "artifact.metadata").is_file()
    ):  # ColBERT's own checkpoints have that file.
        return _LATE
    modules = list(module_types(folder))
    for module in modules:
        for pattern, kind in _MODULES:
            if pattern.search(module):
                return kind
    if modules:  # It says itself how a text becomes a vector.
        return None
    config = read_settings(folder / "config.json")
    return _by_architecture(config, reference)


def _by_architecture(config: dict[str, Any], reference: str) -> str | None:
    """The same of a folder that transformers saved, which has no modules."""
    for architecture in map(str, config.get("architectures") or []):
        if "colbert" in architecture.lower():
            return _LATE
        if architecture.endswith("ForSequenceClassification"):
            return _classifier(config)
        for head, kind in _HEADS.items():
            if architecture.endswith(head):
                return kind
    names = (reference.rstrip("/").rsplit("/", maxsplit=1)[-1], str(config.get("_name_or_path")))
    if _continues_texts(str(config.get("model_type"))):
        return _HEADS["CausalLM"]
    # A SPLADE model without modules.json is, by its settings, any masked language model: its name is all that says so.
    if any("splade" in name.lower() for name in names):
        return _SPARSE
    return None


def _continues_texts(model_type: str) -> bool:
    """Whether transformers knows an architecture for continuing texts, and none of it for reading them both ways."""
    before_transformers()
    from transformers.models.auto import modeling_auto

    continues: Mapping[str, Any] = modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    reads: Mapping[str, Any] = modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES
    return model_type in continues and model_type not in reads


def _classifier(config: dict[str, Any]) -> str:
    labels = config.get("id2label")
    count = len(labels) if isinstance(labels, dict) else int(config.get("num_labels") or 2)
    return _CROSS if count == 1 else f"a classifier of texts with {count} labels"


def module_types(folder: Path) -> Iterator[str]:
    """The types of a folder's modules, those inside of Routers among them.

    :raises Refused: when its modules.json is no list of modules.
    """
    for row in module_rows(folder):
        yield str(row["type"])
        inner = read_settings(folder / str(row.get("path", "")) / "router_config.json")
        types = inner.get("types")
        yield from map(str, types.values() if isinstance(types, dict) else ())


def module_rows(folder: Path) -> list[dict[str, Any]]:
    """What modules.json lists; nothing where there is none.

    :raises Refused: when it is no list of modules.
    """
    path = folder / MODULES_FILE
    try:
        rows = json.loads(_text_of(path))
    except FileNotFoundError:
        return []
    except (ValueError, OSError, RecursionError):
        rows = None
    if not isinstance(rows, list) or not all(isinstance(r, dict) and "type" in r for r in rows):
        raise Refused(f"{path} is not a list of modules.")
    return rows


def read_settings(path: Path) -> dict[str, Any]:
    """A JSON object of a model's folder; empty where there is no such file.

    :raises Refused: when it is no JSON object.
    """
    try:
        content = json.loads(_text_of(path))
    except FileNotFoundError:
        return {}
    except (ValueError, OSError, RecursionError):
        raise Refused(f"{path} is not JSON, so the model cannot be read.") from None
    if not isinstance(content, dict):
        raise Refused(f"{path} is not a JSON object, so the model cannot be read.")
    return content


def _text_of(path: Path) -> str:
    if path.stat().st_size > _LIMIT:
        raise Refused(f"{path} is larger than the settings of any model, so it is not read.")
    return path.read_text(encoding="utf-8")


def transformer_folder(folder: Path) -> Path | None:
    """Where in a checkpoint the transformer is; None when it has none at its beginning.

    :raises Refused: when its modules.json is no list of modules.
    """
    if not (folder / MODULES_FILE).exists():
        return folder
    for row in module_rows(folder):
        if str(row["type"]).rsplit(".", maxsplit=1)[-1] == "Transformer":
            return folder / str(row.get("path", ""))
    return None
