"""Any SentenceTransformer or BERT-like checkpoint, in a folder or on a hub."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.models.pretrained import peft_folders
from search.models.pretrained.kinds import (
    ADAPTER_FILE,
    MODULES_FILE,
    SETTINGS_FILE,
    read_settings,
    refuse_other_kinds,
    transformer_folder,
)
from search.models.pretrained.longest_text import set_longest
from search.models.pretrained.multilingual.folder import REFERENCE as MULTILINGUAL
from search.models.pretrained.multilingual.folder import multilingual_folder
from search.models.prompts import Prompts, prompts_of
from search.models.sentence_transformer import (
    load_sentence_transformer,
    loaded_with_missing,
    refuse_pickled,
)
from search.projects.artifacts import MANIFEST, Manifest
from search.projects.errors import Failed, Refused, first_line
from search.projects.files import known_sha256
from search.projects.settings import settings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

FORMAT = "checkpoint"
_KINDS = {".safetensors", ".json", ".txt", ".model", ".jinja"}
_ELSEWHERE = {"onnx", "openvino"}
_VOCABULARIES = {"tokenizer.json", "vocab.txt", "vocab.json"}
_PATIENCE = 10.0  # Seconds that the hub has to answer the first question.
_FILES = ["*.safetensors", "*.json", "*.txt", "*.model", "*.jinja"]
_NOT = ["onnx/*", "openvino/*", "*/onnx/*", "*/openvino/*", ".*"]
_ID = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)


@dataclass(frozen=True)
class ModelFiles:
    """A model's files: where they are, what they hold (one hash), and where they came from.

    `commit` is the version on the hub; None for a folder. `base` is the model beneath, where the files are weights beside
    another model's layers (see `peft_folders`).

    >>> ModelFiles("intfloat/e5-small-v2", Path("/models/e5"), content="f00d", commit="abc").commit
    'abc'
    """

    reference: str
    folder: Path
    content: str
    commit: str | None = None
    base: "ModelFiles | None" = None

    @property
    def parts(self) -> "list[ModelFiles]":
        """These files, and those of the model beneath."""
        return [self, self.base] if self.base else [self]

    def as_json(self) -> dict[str, Any]:
        """What a manifest says of files that are read together with these; see `verified_files`."""
        return {"reference": self.reference, "commit": self.commit, "content": self.content}


def find_checkpoint(reference: str, commit: str | None = None) -> ModelFiles:
    """The checkpoint behind a folder's path or a hub id, with the model beneath it where it has one.

    :param commit: exactly this version of the hub's, which needs no hub where it is here; None for the newest.
    :raises Refused: when it is neither, cannot be had, or is no embedding model.
    """
    found = find_files(reference, commit)
    base: ModelFiles | None = None
    if peft_folders.is_adapter(found.folder):
        base = _beneath(found)
        together = hashlib.sha256(f"{found.content} {base.content}".encode()).hexdigest()
        found = ModelFiles(found.reference, found.folder, together, found.commit, base)
    refuse_other_kinds(found.folder, reference)
    if base is not None and not (found.folder / MODULES_FILE).is_file():
        refuse_other_kinds(base.folder, f"{base.reference}, on which {reference} stands,")
    return found


def _beneath(files: ModelFiles) -> ModelFiles:
    """The model that an adapter stands on.

    :raises Refused: when it is not here, or an adapter itself.
    """
    named = peft_folders.beneath(files.folder)
    path = Path(named.reference).expanduser()
    beside = files.folder / path
    # A path that was noted relative is looked for from here, then from the adapter.
    where = str(beside) if not path.is_dir() and beside.is_dir() else named.reference
    folder = Path(where).expanduser()
    # Somebody else wrote this path: no folder is read through that is no model's.
    signs = ("config.json", MODULES_FILE, ADAPTER_FILE)
    if folder.is_dir() and not any((folder / name).is_file() for name in signs):
        raise Refused(
            f"{files.reference} holds what PEFT learned on another model, and {folder}, which it names, is no model."
        )
    try:
        base = find_files(where, named.revision)
    except Refused as error:
        raise Refused(
            f"{files.reference} holds what PEFT learned on another model, {named.reference}, and that one cannot be had: "
            f"{error} The model's address stands in its {ADAPTER_FILE} (base_model_name_or_path)."
        ) from None
    if peft_folders.is_adapter(base.folder):
        raise Refused(
            f"{files.reference} stands on {base.reference}, which stands on another model itself. Merge that one first."
        )
    refuse_pickled(base.folder)
    return base


def find_files(reference: str, commit: str | None = None) -> ModelFiles:
    """A model's folder, or what a hub or the package of the multilingual one has of it, whatever kind of model it is.

    In an app that is open to others no folder is looked into: it may be another project's, or nobody's to know of.

    :raises Refused: when it is neither, or cannot be had.
    """
    if reference == MULTILINGUAL:
        folder = multilingual_folder()
        return ModelFiles(reference, folder, content_of(folder))
    if settings().beyond_loopback:
        refuse_folder(reference)
        folder = snapshot(reference, commit)
        return ModelFiles(reference, folder, content_of(folder), commit=folder.name)
    path = Path(reference).expanduser()
    if path.is_dir():
        folder = path.resolve()
        return ModelFiles(str(folder), folder, content_of(folder))
    if path.exists():
        raise Refused(f"{reference} is a file. Give the folder of a model (it holds config.json).")
    if not looks_like_hub_id(reference):
        raise Refused(f"There is no folder {reference}, and it is not the id of a model on a hub.")
    folder = snapshot(reference, commit)
    return ModelFiles(reference, folder, content_of(folder), commit=folder.name)


def refuse_folder(reference: str) -> None:
    """See that an app that is open to others is asked for no folder of its machine.

    :raises Refused: whether there is one or not.
    """
    if settings().beyond_loopback and not looks_like_hub_id(reference):
        raise Refused(
            f"{reference} is not the id of a model on a hub, and this app is open to others: a folder is added by whoever "
            "runs Bespoke, in a terminal (python cli.py add-model PROJECT FOLDER)."
        )


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
    names: list[str] = []
    for part in checkpoint.parts:
        inner = transformer_folder(part.folder)
        config = read_settings(inner / "config.json") if inner else {}
        names += [part.reference, str(config.get("_name_or_path") or "")]
    return prompts_of(named_prompts(checkpoint), tuple(names), query, document)


def named_prompts(checkpoint: ModelFiles) -> dict[str, str]:
    """The prompts that a checkpoint's settings hold, by name; its own, else those of the model beneath."""
    for part in checkpoint.parts:
        prompts = read_settings(part.folder / SETTINGS_FILE).get("prompts")
        if isinstance(prompts, dict) and any(prompts.values()):
            return {str(name): str(text or "") for name, text in prompts.items()}
    return {}


def without_pooling(checkpoint: ModelFiles) -> bool:
    """Whether a checkpoint says nothing on how the vectors of its words become one: their mean is taken."""
    return not any((part.folder / MODULES_FILE).is_file() for part in checkpoint.parts)


def load(files: ModelFiles, prompts: Prompts, max_length: int | None) -> "SentenceTransformer":
    """Load a checkpoint (mean pooling where it has none) with its prompts.

    :param max_length: the longest text in the model's own word pieces; None for what the model says.
    :raises Refused: when it cannot be loaded.
    """
    refuse_pickled(files.folder)
    with _plain_folder(files) as folder:
        model = load_sentence_transformer(folder)
    if files.base is not None:
        peft_folders.merge(model, files.folder)
        model[0].model.config._name_or_path = files.base.reference
    model.prompts = {"query": prompts.query, "document": prompts.document}
    model.default_prompt_name = None
    if max_length is not None:
        set_longest(model, max_length)
    return model


@contextmanager
def _plain_folder(files: ModelFiles) -> Iterator[Path]:
    """The files as one folder that stands alone; what PEFT saved is still to be merged then."""
    if files.base is None:
        yield files.folder
        return
    with peft_folders.whole_folder(files.folder, files.base.folder) as folder:
        yield folder


def check_transformer(files: ModelFiles, model: "SentenceTransformer") -> None:
    """See that a transformer has a tokenizer, and the weights that its settings speak of.

    :param model: the files as `load` loaded them: its class decides what weights there must be.
    :raises Refused: when the tokenizer or weights are missing, or of another shape.
    """
    with _plain_folder(files) as folder:
        inner = transformer_folder(folder)
        if inner is None:
            return
        shown = inner if files.base is None else files.folder
        if not any(p.name in _VOCABULARIES or p.suffix == ".model" for p in inner.iterdir()):
            raise Refused(
                f"{shown} holds no tokenizer (tokenizer.json, vocab.txt or a .model file)."
            )
        kind = type(model[0].model)
        if getattr(model[0].model.config, "is_encoder_decoder", False) and not _is_encoder(kind):
            raise Refused(
                f"{files.reference} is no embedding model but one that turns texts into texts ({kind.__name__})."
            )
        try:
            _, lacking = loaded_with_missing(kind, inner)
        except Exception as error:
            raise Refused(
                f"The model in {files.folder} cannot be loaded. ({first_line(error)})"
            ) from error
    missing = [name for name in lacking if "pooler" not in name]
    if missing:
        raise Refused(
            f"The weights in {shown} are not those of the model that its config.json describes: "
            f"{len(missing):,} are missing ({missing[0]} ...)."
        )


def _is_encoder(kind: type) -> bool:
    return "Encoder" in kind.__name__ and "EncoderDecoder" not in kind.__name__


def verified_files(manifest: Manifest) -> ModelFiles:
    """The files of a checkpoint that was added, when they are what was added.

    :raises Failed: when they are gone, or were changed: vectors of two versions must not be mixed.
    """
    details = manifest.details
    name = details["name"]
    found = _same_folder(name, details)
    content, base = content_of(found), None
    if details.get("base") is not None:
        beneath = details["base"]
        where = _same_folder(name, beneath)
        own = content_of(where)
        base = ModelFiles(beneath["reference"], where, own, beneath["commit"])
        content = hashlib.sha256(f"{content} {own}".encode()).hexdigest()
    if content != details["content"]:
        changed = found
        if base is not None and base.content != details["base"]["content"]:
            changed = base.folder
        raise Failed(
            f"{changed} holds another version of the model {name!r} than the one that was added. Bring that "
            "one back, or add the folder again under another name."
        )
    return ModelFiles(details["reference"], found, content, details["commit"], base)


def folder_of(manifest: Manifest) -> Path:
    """Where the tokenizer of a checkpoint that was added is: in its folder, or in that of the model beneath.

    :raises Failed: when it is gone.
    """
    name, beneath = manifest.details["name"], manifest.details.get("base")
    own = _same_folder(name, manifest.details)
    if beneath is None or any(own.rglob("tokenizer.json")):
        return own
    return _same_folder(name, beneath)


def _same_folder(name: str, facts: dict[str, Any]) -> Path:
    """The folder that a manifest speaks of.

    :raises Failed: when it is gone.
    """
    if facts["reference"] == MULTILINGUAL:
        folder = multilingual_folder()
    elif facts["commit"] is not None:
        folder = snapshot(facts["reference"], facts["commit"])
    else:
        folder = Path(facts["reference"])
    if not folder.is_dir():
        raise Failed(
            f"The folder of the model {name!r} is gone: {folder}. Bring it back, or add the model again."
        )
    return folder


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

    from search.models.pretrained.hub import guard_hub

    disable_progress_bars()
    owned = reference if "/" in reference else f"sentence-transformers/{reference}"
    here = _here(owned, commit) if commit else None
    if here is not None:
        return here
    guard_hub("a model of the hub")
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
    except Refused:
        raise
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
