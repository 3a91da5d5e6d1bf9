"""The archive of a backup: a plain zip, stored and not compressed, so that nothing comes out of it that is larger than what goes in.

`backup.json` in it names every file with size and SHA-256; the comment at its end holds the SHA-256 of all that
stands before.
"""

import hashlib
import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, get_args

from pydantic import BaseModel, ConfigDict

from search.projects.artifacts import FileRecord, Kind
from search.projects.ledger import FOLDER as LEDGER

BUNDLE = "bundle.json"
"""What a bundle says of itself; no artifact, and in every backup of a project that came from one."""
VOTES = "judgments/judgments.sqlite"
ARCHIVE_FORMAT = 1
CONTENTS = "backup.json"
COMMENT = b"bespoke backup sha256 "
TAIL = len(COMMENT) + 64
CHUNK = 1024 * 1024
Check = Callable[[Path], str | None]
_PLAIN = re.compile(r"[^/\\\x00-\x1f\x7f]{1,255}")


class Contents(BaseModel):
    """What `backup.json` says: whose backup it is, and every file with its size and checksum."""

    model_config = ConfigDict(frozen=True)
    format: int
    project_format: int
    name: str
    created: str
    left_out: list[str]
    files: dict[str, FileRecord]


def problem_in_sqlite(path: Path) -> str | None:
    """What SQLite itself says is wrong with a file, in words; None where nothing is."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as votes:
            said = str(votes.execute("PRAGMA integrity_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        return str(error)
    return None if said == "ok" else " ".join(said.split())


def sign(path: Path) -> None:
    """Put the hash of all that stands before it at the end of an archive."""
    with path.open("r+b") as stream:
        digest = digest_of(stream, path.stat().st_size - 64)
        stream.seek(-64, os.SEEK_END)
        stream.write(digest.encode())


def digest_of(stream: BinaryIO, size: int) -> str:
    """The SHA-256 of the first `size` bytes of a stream, in hexadecimal."""
    stream.seek(0)
    digest, left = hashlib.sha256(), size
    while left and (block := stream.read(min(CHUNK, left))):
        digest.update(block)
        left -= len(block)
    return digest.hexdigest()


def can_be_in_a_project(name: str) -> bool:
    """Whether a name in an archive is one that a backup gives: nothing that could mean another folder."""
    parts = name.split("/")
    if not all(_PLAIN.fullmatch(part) and part.strip(".") for part in parts):
        return False
    if len(parts) == 1:
        return not name.startswith(".")
    if parts[0] in ("members", LEDGER):
        return len(parts) == 2
    known = {*get_args(Kind), "runs"}
    return name == VOTES or (parts[0] in known and 3 <= len(parts) <= 12)
