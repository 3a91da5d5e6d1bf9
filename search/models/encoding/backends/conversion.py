"""Converted transformers, kept in the workspace: made once for each set of weights and version of OpenVINO.

They lie in `<workspace>/.converted/<key>/`, where the key is a hash of the transformer's weights and settings: an
adapter and the model beneath it have the same transformer, and share its conversion.
"""

import json
import os
import shutil
import time
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from search.models.encoding.backends.openvino import convert
from search.projects.files import sha256_of, write_atomically, write_json
from search.projects.settings import settings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

CONVERTED = ".converted"
_RECORD = "conversion.json"
_CHOICE = "choice.json"


def conversion_folder(model: "SentenceTransformer") -> Path:
    """Where the conversion of a model's transformer is, or would be."""
    transformer = model[0].model
    digest = blake2b(transformer.config.to_json_string().encode(), digest_size=16)
    for name, tensor in sorted(transformer.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)}".encode())
        digest.update(memoryview(tensor.detach().cpu().contiguous().float().numpy()).cast("B"))
    return settings().home / CONVERTED / f"{digest.hexdigest()}-{version('openvino')}"


def any_conversion() -> bool:
    """Whether this workspace holds any: a look that costs nothing."""
    return (settings().home / CONVERTED).is_dir()


def is_sound(folder: Path) -> bool:
    """Whether a conversion is there and is what was written."""
    try:
        record = json.loads((folder / _RECORD).read_bytes())
        return bool(record["files"]) and all(
            sha256_of(folder / name) == wanted for name, wanted in record["files"].items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def converted(model: "SentenceTransformer", folder: Path) -> str | None:
    """See that the conversion is there and sound; make it when it is not.

    :param folder: what `conversion_folder` says.
    :returns: a note, when a damaged one was made again.
    :raises Unconvertible: when it cannot be made.
    """
    if is_sound(folder):
        return None
    damaged = folder.exists()
    if damaged:
        _remove(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    for leftover in folder.parent.glob(".*.tmp"):
        owner = leftover.name.split(".")[-2]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(leftover, ignore_errors=True)
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    draft.mkdir()
    try:
        started = time.monotonic()
        convert(model, draft)
        files = {path.name: sha256_of(path) for path in sorted(draft.iterdir())}
        seconds = round(time.monotonic() - started, 1)
        write_json(draft / _RECORD, {"files": files, "seconds": seconds})
        try:
            draft.rename(folder)
        except OSError:
            if not is_sound(folder):  # Another process was faster: then its conversion serves.
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return f"The converted model {folder} was damaged and is made again." if damaged else None


def _remove(folder: Path) -> None:
    """Take a conversion away: it vanishes at once, then its files go."""
    grave = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    folder.rename(grave)
    shutil.rmtree(grave)


def read_choice(folder: Path) -> dict[str, Any] | None:
    """The choice that was made for a transformer; None when there is none that can be read."""
    try:
        choice = json.loads((folder / _CHOICE).read_bytes())
    except (OSError, ValueError):
        return None
    return choice if isinstance(choice, dict) else None


def write_choice(folder: Path, choice: dict[str, Any]) -> None:
    """Keep a choice beside the conversion."""
    write_atomically(folder / _CHOICE, json.dumps(choice, indent=2))
