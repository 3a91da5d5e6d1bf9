"""Artifacts: folders that never change, each with a manifest of what it is, what it was made from and what is in it."""

import hashlib
import os
import secrets
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import psutil
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from search.projects.errors import Damaged
from search.projects.files import known_sha256

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


class FileRecord(BaseModel):
    """Size and SHA-256 of one file of an artifact."""

    model_config = ConfigDict(frozen=True)
    size: int
    sha256: str


class Manifest(BaseModel):
    """What an artifact is, what it was made from, and the checksums of its files."""

    model_config = ConfigDict(frozen=True)
    id: str
    kind: Kind
    created: str
    made_from: dict[str, str] = Field(default_factory=dict)
    details: dict[str, Any] = Field(default_factory=dict)
    files: dict[str, FileRecord] = Field(default_factory=dict)

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
    return datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f") + "-" + secrets.token_hex(2)


def discard(folder: Path) -> None:
    """Delete an artifact by its folder: it vanishes at once, then its files go."""
    grave = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    folder.rename(grave)
    shutil.rmtree(grave)


def read_manifest(folder: Path) -> Manifest:
    """Read an artifact's manifest.

    :raises Damaged: when it cannot be read or does not belong to this folder.
    """
    path = folder / MANIFEST
    try:
        stat = path.stat()
        manifest = _parsed_manifest(path, stat.st_mtime_ns, stat.st_size)
    except (OSError, ValidationError):
        raise Damaged(f"{path} is damaged.", folder) from None
    if manifest.id != folder.name or manifest.kind != folder.parent.name:
        raise Damaged(f"{path} belongs to another folder.", folder)
    return manifest


@lru_cache(maxsize=4096)
def _parsed_manifest(path: Path, _changed: int, _size: int) -> Manifest:
    return Manifest.model_validate_json(path.read_bytes())


def problem_with(path: Path, record: FileRecord) -> str | None:
    """What is wrong with a file of an artifact, in words; None where it is as it was written."""
    try:
        stat = path.stat()
    except OSError:
        return "is missing"
    if stat.st_size != record.size:
        return f"has {stat.st_size:,} bytes instead of {record.size:,}"
    if known_sha256(path) != record.sha256:
        return "was changed"
    return None


def sweep(parent: Path) -> None:
    """Remove what a killed process left: hidden drafts whose process is gone."""
    for leftover in parent.glob(".*.tmp"):
        owner = leftover.name.split(".")[-2]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(leftover, ignore_errors=True)
