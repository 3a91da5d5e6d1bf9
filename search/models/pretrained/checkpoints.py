"""Any SentenceTransformer or BERT-like checkpoint, in a folder or on a hub."""

import hashlib
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.models.prompts import Prompts, prompts_of
from search.models.sentence_transformer import load_sentence_transformer, loaded_with_missing
from search.projects.artifacts import MANIFEST, Manifest
from search.projects.errors import Failed, Refused, first_line
from search.projects.files import known_sha256

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

FORMAT = "checkpoint"
_KINDS = {".safetensors", ".json", ".txt", ".model", ".jinja"}
_ELSEWHERE = {"onnx", "openvino"}
_VOCABULARIES = {"tokenizer.json", "vocab.txt", "vocab.json"}
_PROMPTS_FILE = "config_sentence_transformers.json"
_MODULES_FILE = "modules.json"
_PATIENCE = 10.0  # Seconds that the hub has to answer the first question.
_FILES = ["*.safetensors", "*.json", "*.txt", "*.model", "*.jinja"]
_NOT = ["onnx/*", "openvino/*", "*/onnx/*", "*/openvino/*", ".*"]
_ID = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)


@dataclass(frozen=True)
class ModelFiles:
    """A model's files: where they are, what they hold (one hash), and where they came from.

    `commit` is the version on the hub; None for a folder.

    >>> ModelFiles("intfloat/e5-small-v2", Path("/models/e5"), content="f00d", commit="abc").commit
    'abc'
    """

    reference: str
    folder: Path
    content: str
    commit: str | None = None


def find_checkpoint(reference: str) -> ModelFiles:
    """The checkpoint behind a folder's path or a hub id.

    :raises Refused: when it is neither, or cannot be had.
    """
    path = Path(reference).expanduser()
    if path.is_dir():
        folder = path.resolve()
        return ModelFiles(str(folder), folder, content_of(folder))
    if path.exists():
        raise Refused(f"{reference} is a file. Give the folder of a model (it holds config.json).")
    if not looks_like_hub_id(reference):
        raise Refused(f"There is no folder {reference}, and it is not the id of a model on a hub.")
    folder = snapshot(reference)
    return ModelFiles(reference, folder, content_of(folder), commit=folder.name)


def content_of(folder: Path) -> str:
    """One hash over the weights and settings of a model's folder; what else lies in it does not count."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") or part in _ELSEWHERE for part in inside.parts)
        if hidden or inside.name == MANIFEST or path.suffix not in _KINDS or not path.is_file():
            continue
        digest.update(f"{inside.as_posix()} {known_sha256(path)}\n".encode())
    return digest.hexdigest()


def own_prompts(checkpoint: ModelFiles, query: str | None, document: str | None) -> Prompts:
    """The prompts of a checkpoint; see `prompts_of`."""
    settings = _read_json(checkpoint.folder / _PROMPTS_FILE)
    names = (checkpoint.reference, str(_config(checkpoint.folder).get("_name_or_path") or ""))
    return prompts_of(settings.get("prompts") or {}, names, query, document)


def without_pooling(folder: Path) -> bool:
    """Whether a checkpoint says nothing on how the vectors of its words become one: their mean is taken."""
    return not (folder / _MODULES_FILE).is_file()


def load(folder: Path, prompts: Prompts, max_length: int | None) -> "SentenceTransformer":
    """Load a checkpoint (mean pooling where it has none) with its prompts.

    :param max_length: the longest text in the model's own word pieces; None for what the model says.
    """
    model = load_sentence_transformer(folder)
    model.prompts = {"query": prompts.query, "document": prompts.document}
    model.default_prompt_name = None
    if max_length is not None:
        model.max_seq_length = max_length
    return model


def longest(model: Any) -> int | None:
    """The longest text that a model reads, in its own word pieces; None when there is no bound."""
    length = model.max_seq_length
    return None if length is None or math.isinf(length) or length > 10**9 else int(length)


def check_transformer(folder: Path) -> None:
    """See that a transformer has a tokenizer, and the weights that its settings speak of.

    :raises Refused: when the tokenizer or weights are missing, or of another shape.
    """
    inner = _transformer_folder(folder)
    if inner is None:
        return
    if not any(path.name in _VOCABULARIES or path.suffix == ".model" for path in inner.iterdir()):
        raise Refused(f"{inner} holds no tokenizer (tokenizer.json, vocab.txt or a .model file).")
    from transformers import AutoModel

    try:
        _, lacking = loaded_with_missing(AutoModel, inner)
    except Exception as error:
        raise Refused(f"The model in {folder} cannot be loaded. ({first_line(error)})") from error
    missing = [name for name in lacking if "pooler" not in name]
    if missing:
        raise Refused(
            f"The weights in {inner} are not those of the model that its config.json describes: "
            f"{len(missing):,} are missing ({missing[0]} ...)."
        )


def _transformer_folder(folder: Path) -> Path | None:
    """Where in a checkpoint the transformer is; None when it has none."""
    try:
        modules = json.loads((folder / _MODULES_FILE).read_text(encoding="utf-8"))
        for module in modules:
            if str(module["type"]).rsplit(".", maxsplit=1)[-1] == "Transformer":
                return folder / str(module["path"])
    except FileNotFoundError:
        return folder
    except (ValueError, KeyError, TypeError):
        raise Refused(f"{folder / _MODULES_FILE} is not a list of modules.") from None
    return None


def verified_folder(manifest: Manifest) -> Path:
    """The folder of a checkpoint that was added earlier, when it holds what it held then.

    :raises Failed: when it is gone, or was changed: vectors of two versions must not be mixed.
    """
    details = manifest.details
    name, reference = details["name"], details["reference"]
    if details["commit"] is not None:
        folder = snapshot(reference, details["commit"])
    else:
        folder = Path(reference)
    if not folder.is_dir():
        raise Failed(
            f"The folder of the model {name!r} is gone: {folder}. Bring it back, or add the model again."
        )
    if content_of(folder) != details["content"]:
        raise Failed(
            f"{folder} holds another version of the model {name!r} than the one that was added. Bring that "
            "one back, or add the folder again under another name."
        )
    return folder


def _config(folder: Path) -> dict[str, Any]:
    inner = _transformer_folder(folder)
    return _read_json(inner / "config.json") if inner else {}


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, OSError):
        raise Refused(f"{path} is not JSON, so the model cannot be read.") from None
    if not isinstance(content, dict):
        raise Refused(f"{path} is not a JSON object, so the model cannot be read.")
    return content


def looks_like_hub_id(reference: str) -> bool:
    """Whether a text could be a model's id on a hub: NAME or OWNER/NAME."""
    return _ID.fullmatch(reference) is not None and not reference.startswith((".", "-"))


def snapshot(reference: str, commit: str | None = None) -> Path:
    """The folder with a hub's model, downloaded unless it is here; safetensors and settings only. Its name is the commit.

    :param reference: OWNER/NAME, or the NAME of one of the sentence-transformers.
    :param commit: exactly this version, which needs no hub when it is here; None for the newest.
    :raises Refused: when the hub does not have it, or cannot be reached and it is not here either.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    owned = reference if "/" in reference else f"sentence-transformers/{reference}"
    here = _here(owned, commit) if commit else None
    if here is not None:
        return here
    try:
        found = HfApi().model_info(owned, revision=commit, timeout=_PATIENCE)
        return _fetched(owned, found.sha, here_only=False)
    except GatedRepoError:
        raise Refused(
            f"The hub gives {owned} only to those who accepted its terms. Accept them on its page, and "
            "set HF_TOKEN to your token."
        ) from None
    except RepositoryNotFoundError:
        raise Refused(
            f"The hub has no model {owned} (or it is private: set HF_TOKEN to your token)."
        ) from None
    except Exception as error:  # The hub's own errors, httpx2's and the system's: too many to name.
        here = _here(owned, commit)
        if here is not None:
            return here
        raise Refused(
            f"The hub cannot be reached, and {owned} is not on this machine. Check the network, or give "
            f"the folder of a model instead. ({first_line(error, 200)})"
        ) from None


def _here(owned: str, commit: str | None) -> Path | None:
    """A version that was downloaded before, or None."""
    try:
        return _fetched(owned, commit, here_only=True)
    except OSError:
        return None


def _fetched(owned: str, commit: str | None, here_only: bool) -> Path:
    from huggingface_hub import snapshot_download

    return Path(
        snapshot_download(
            owned,
            revision=commit,
            allow_patterns=_FILES,
            ignore_patterns=_NOT,
            local_files_only=here_only,
        )
    )
