"""Artifacts: folders that never change, each with a manifest of what it is, what it was made from and what is in it."""

import hashlib
import json
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from stat import S_ISREG
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from search.projects.errors import Damaged, in_words
from search.projects.files import known_sha256
from search.projects.sealed import is_sealed, unseal

Kind = Literal[
    "corpora",
    "pairs",
    "queries",
    "models",
    "rerankers",
    "indexes",
    "evaluations",
    "reports",
    "vectors",
    "vocabularies",
    "maps",
]
KIND_NAMES: dict[str, str] = {
    "corpora": "corpus",
    "pairs": "set of pairs",
    "queries": "query set",
    "models": "model",
    "rerankers": "reranker",
    "indexes": "index",
    "evaluations": "evaluation",
    "reports": "report",
    "vectors": "set of vectors",
    "vocabularies": "vocabulary",
    "maps": "map",
}
MANIFEST = "manifest.json"
_SEALED = 3  # The first format of a project whose manifests carry a hash of themselves.
_ID = re.compile(r"\d{8}-\d{6}-\d{6}-[0-9a-f]{4}")
_STAMP = "%Y%m%d-%H%M%S-%f"


class FileRecord(BaseModel):
    """Size and SHA-256 of one file of an artifact."""

    model_config = ConfigDict(frozen=True)
    size: int
    sha256: str


class Manifest(BaseModel):
    """What an artifact is, what it was made from, the checksums of its files, and the run that made it."""

    model_config = ConfigDict(frozen=True)
    id: str
    kind: Kind
    created: str
    made_from: dict[str, str] = Field(default_factory=dict)
    details: dict[str, Any] = Field(default_factory=dict)
    files: dict[str, FileRecord] = Field(default_factory=dict)
    run: str = ""

    @property
    def fingerprint(self) -> str:
        """One hash over the names and contents of all files: equal content, equal fingerprint."""
        lines = "\n".join(f"{name} {record.sha256}" for name, record in sorted(self.files.items()))
        return hashlib.sha256(lines.encode()).hexdigest()


@dataclass
class Draft:
    """An artifact being written: put files into `folder`, facts into `details`."""

    id: str
    kind: Kind
    folder: Path
    made_from: dict[str, str]
    details: dict[str, Any]


def now() -> str:
    """The time in UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def new_id() -> str:
    """A new id that sorts by time: 20261123-160102-123456-9f3a."""
    return datetime.now(UTC).strftime(_STAMP) + "-" + secrets.token_hex(2)


def is_artifact(folder: Path) -> bool:
    """Whether a folder is one, or was: its name is an id, or a manifest is in it. It came by one rename with both."""
    if folder.name.startswith("."):
        return False
    return (bool(_ID.fullmatch(folder.name)) or (folder / MANIFEST).is_file()) and folder.is_dir()


def is_id(name: str) -> bool:
    """Whether a name is an id of an artifact, not one of what comes with Bespoke.

    >>> is_id(new_id()), is_id("generic")
    (True, False)
    """
    return bool(_ID.fullmatch(name))


def newest_id(parent: Path) -> str:
    """The id of the newest artifact in the folder of a kind, whatever its manifest says; "" where there is none."""
    if not parent.is_dir():
        return ""
    return max((f.name for f in parent.iterdir() if is_artifact(f)), default="")


def later_id(than: str) -> str:
    """A new id that sorts after another one, even where the clock was set back."""
    identity = new_id()
    if identity > than or not _ID.fullmatch(than):
        return identity
    stamp = than.rsplit("-", 1)[0]
    moment = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC) + timedelta(microseconds=1)
    return moment.strftime(_STAMP) + "-" + secrets.token_hex(2)


def read_manifest(folder: Path) -> Manifest:
    """Read an artifact's manifest.

    :raises Damaged: when it cannot be read or does not belong to this folder.
    """
    path = folder / MANIFEST
    try:
        stat = path.stat()
        sealed = not _of_an_earlier_format(folder.parents[1])
        manifest = _parsed_manifest(path, stat.st_mtime_ns, stat.st_size, sealed)
    except FileNotFoundError:
        what = f"{path} is missing." if folder.is_dir() else f"{folder} was deleted."
        raise Damaged(what, folder) from None
    except OSError as error:
        raise Damaged(f"{path} cannot be read: {in_words(error)}.", folder) from None
    except ValueError:  # Of JSON, of the seal, of a field that is not what it should be.
        raise Damaged(f"{path} is damaged.", folder) from None
    if manifest.id != folder.name or manifest.kind != folder.parent.name:
        raise Damaged(f"{path} belongs to another folder.", folder)
    return manifest


@lru_cache(maxsize=4096)
def _parsed_manifest(path: Path, _changed: int, _size: int, sealed: bool) -> Manifest:
    content = path.read_bytes()
    return Manifest.model_validate_json(unseal(content) if sealed else content)


def _of_an_earlier_format(project: Path) -> bool:
    """Whether a project's files are of a format that had no hashes of manifests: its query sets can be taken out."""
    try:
        stat = (project / "project.json").stat()
        return _unsealed_number(project / "project.json", stat.st_mtime_ns, stat.st_size) < _SEALED
    except (OSError, ValueError, TypeError):
        return False


@lru_cache(maxsize=256)
def _unsealed_number(path: Path, _changed: int, _size: int) -> int:
    content = path.read_bytes()
    return _SEALED if is_sealed(content) else int(json.loads(content).get("format", 1))


def problem_with(path: Path, record: FileRecord) -> str | None:
    """What is wrong with a file of an artifact, in words; None where it is as it was written."""
    try:
        stat = path.stat()
        if not S_ISREG(stat.st_mode):
            return "is no file"
        if stat.st_size != record.size:
            return f"has {stat.st_size:,} bytes instead of {record.size:,}"
        if known_sha256(path) != record.sha256:
            return "was changed"
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read ({in_words(error)})"
    return None
