"""A project as one file (`backup_archive`); `restore` makes a project of it again.

A bundle for others is a backup that leaves `votes` and `history` out (`leave_out`).
"""

import fcntl
import hashlib
import os
import shlex
import shutil
import sqlite3
import zipfile
from collections.abc import Collection, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal, get_args

from search.projects.artifacts import MANIFEST, FileRecord, Kind, new_id, now, read_manifest
from search.projects.backup_archive import (
    ARCHIVE_FORMAT,
    BUNDLE,
    CHUNK,
    COMMENT,
    CONTENTS,
    VOTES,
    Check,
    Contents,
    problem_in_sqlite,
    sign,
)
from search.projects.errors import Damaged, Failed, Refused, in_words
from search.projects.files import (
    flush,
    new_private_file,
)
from search.projects.info import FORMAT, PROJECT_FILE
from search.projects.ledger import FOLDER as LEDGER
from search.projects.ledger import files as ledger_files
from search.projects.locks import exclusive, project_lock
from search.projects.progress import Progress, silent
from search.projects.project import Project
from search.projects.runs import OVER, runs
from search.projects.scratch import scratch_folder
from search.projects.settings import settings

Part = Literal["votes", "history"]
PARTS: tuple[Part, ...] = get_args(Part)
_TEMPORARY = ".bespoke-backup-"
_ON_SERVERS = ("milvus",)  # Engines that hold an index elsewhere.
_TRIES = 20
_RUN_FILES = ("command.json", "status.json", "events.jsonl", "log", "error.log")


@dataclass(frozen=True)
class BackedUp:
    """A backup that was written: how many files of the project it holds, its size in bytes, what is not in it."""

    files: int
    size: int
    notes: list[str] = field(default_factory=list)


class _LeftOut(Exception):
    """A file of an artifact vanished or is damaged: the backup begins anew, without that artifact."""

    def __init__(self, artifact: str, problem: str | None) -> None:
        self.artifact = artifact
        self.problem = problem


def back_up(
    project: Project,
    file: Path,
    leave_out: Collection[Part] = (),
    progress: Progress = silent,
    problem_in_votes: Check | None = None,
) -> BackedUp:
    """Write a project into one file, whole or not at all: as it was at one moment, whoever writes to it meanwhile.

    :param file: must not exist.
    :param leave_out: what is not to be in it: people's votes; what was asked, and the records of runs.
    :param problem_in_votes: says what is wrong with a file of votes, which this floor knows nothing of; by default
        SQLite is asked.
    :raises Refused: when the file exists, there is no folder for it, or the project is gone.
    :raises Failed: when it cannot be written, or the votes are damaged: a backup that nobody can restore is none.
    """
    _ = project.info
    if file.exists():
        raise Refused(f"{file} exists. Choose a new name.")
    if not file.parent.is_dir():
        raise Refused(f"There is no folder {file.parent} to write into.")
    if file.parent.resolve().is_relative_to(settings().home.resolve()):
        raise Refused(
            "A backup cannot lie in the workspace, which it is to survive: choose a folder elsewhere."
        )
    _sweep_temporary(file.parent)
    damaged: dict[str, str] = {}
    try:
        for _attempt in range(_TRIES):
            try:
                return _written(
                    project,
                    file,
                    leave_out,
                    damaged,
                    progress,
                    problem_in_votes or problem_in_sqlite,
                )
            except _LeftOut as left:
                if left.problem is not None:
                    damaged[left.artifact] = left.problem
    except OSError as error:
        if not project.exists:
            raise Refused(
                f"The project {project.name!r} is gone: somebody deleted or renamed it. Nothing was written."
            ) from None
        raise Failed(f"{file} cannot be written: {in_words(error)}.") from error
    raise Failed("The project changes faster than it can be copied. Try again later.")


def _written(
    project: Project,
    file: Path,
    leave_out: Collection[Part],
    damaged: dict[str, str],
    progress: Progress,
    problem_in_votes: Check,
) -> BackedUp:
    with scratch_folder("backup") as scratch:
        with exclusive(
            project_lock(project.folder.parent, project.name), f"the project {project.name!r}"
        ):
            sources, notes = _sources(project, leave_out, damaged, scratch)
        if VOTES in sources and (problem := problem_in_votes(sources[VOTES][0])):
            raise Failed(
                f"The votes of {project.name!r} are damaged: {problem}. Bring them back first: python cli.py judgments "
                f"{shlex.quote(project.name)} --restore. Or leave them out: --without-votes. Nothing was written."
            )
        temporary = file.with_name(f"{_TEMPORARY}{new_id()}.tmp")
        try:
            with new_private_file(temporary) as stream:
                fcntl.flock(stream, fcntl.LOCK_EX)
                _write(stream, project.name, sources, leave_out, progress)
                stream.flush()
                sign(temporary)
                os.fsync(stream.fileno())
            temporary.rename(file)
            flush(file.parent)
        finally:
            temporary.unlink(missing_ok=True)
    notes += [f"Left out, because it is damaged: {what} ({why})." for what, why in damaged.items()]
    return BackedUp(len(sources), file.stat().st_size, notes)


def _sources(
    project: Project, leave_out: Collection[Part], damaged: Collection[str], scratch: Path
) -> tuple[dict[str, tuple[Path, FileRecord | None]], list[str]]:
    """Every file that belongs into a backup, by its name there, with what is known of it; and notes."""
    found: dict[str, tuple[Path, FileRecord | None]] = {}
    notes: list[str] = []
    info = scratch / PROJECT_FILE
    shutil.copyfile(project.folder / PROJECT_FILE, info)  # It may change while the rest is copied.
    found[PROJECT_FILE] = (info, None)
    servers = 0
    for kind in get_args(Kind):
        for folder in project.folders(kind):
            artifact = f"{kind}/{folder.name}"
            if artifact in damaged:
                continue
            try:
                manifest = read_manifest(folder)
            except Damaged as error:
                notes.append(f"Left out, because it is damaged: {artifact} ({error.what})")
                continue
            if kind == "indexes" and manifest.details.get("engine") in _ON_SERVERS:
                servers += 1
                continue
            found[f"{artifact}/{MANIFEST}"] = (folder / MANIFEST, None)
            for name, record in manifest.files.items():
                found[f"{artifact}/{name}"] = (folder / name, record)
    if servers:
        notes.append(
            f"Left out: {servers} indexes that a server holds. They are built again where it is restored, out of the "
            "embedding store where that knows the texts."
        )
    if "votes" not in leave_out and (project.folder / VOTES).is_file():
        found[VOTES] = (_copy_of_votes(project.folder / VOTES, scratch), None)
    if (project.folder / BUNDLE).is_file():
        found[BUNDLE] = (project.folder / BUNDLE, None)
    if "history" not in leave_out:
        found.update(_history(project, scratch))
    for path in ledger_files(project.folder):  # It is written anew while the rest is copied.
        copy = scratch / f"{path.name}.ledger"
        shutil.copyfile(path, copy)
        found[f"{LEDGER}/{path.name}"] = (copy, None)
    return found, notes


def _history(project: Project, scratch: Path) -> Iterator[tuple[str, tuple[Path, None]]]:
    """What was asked, who may open it, and the records of runs that are over."""
    for path in sorted(project.folder.glob("[!.]*")):
        if path.is_file() and path.name != PROJECT_FILE:
            copy = scratch / f"{path.name}.copy"
            shutil.copyfile(path, copy)
            yield path.name, (copy, None)
    for path in sorted(project.folder.glob("members/[!.]*.json")):
        yield f"members/{path.name}", (path, None)
    for run in runs(project):
        if run.status.state in OVER:
            for name in _RUN_FILES:
                if (run.folder / name).is_file():
                    yield f"runs/{run.id}/{name}", (run.folder / name, None)


def _copy_of_votes(path: Path, scratch: Path) -> Path:
    """The votes as they are at one moment, by SQLite's own way of copying, in one step."""
    copy = scratch / "judgments.sqlite"
    try:
        with (
            closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as votes,
            closing(sqlite3.connect(copy)) as target,
        ):
            votes.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise Failed(
            f"The votes in {path} cannot be read: {error}. Look at them first: python cli.py check."
        ) from None
    return copy


def _write(
    stream: BinaryIO,
    name: str,
    sources: dict[str, tuple[Path, FileRecord | None]],
    left_out: Collection[Part],
    progress: Progress,
) -> None:
    files: dict[str, FileRecord] = {}
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for number, (member, (path, known)) in enumerate(sources.items()):
            progress(number, len(sources), f"copying {len(sources):,} files")
            artifact = "/".join(member.split("/")[:2])
            try:
                with path.open("rb") as source:
                    files[member] = _add(archive, member, source)
            except FileNotFoundError:
                raise _LeftOut(artifact, None) from None
            if known is not None and files[member] != known:
                raise _LeftOut(artifact, f"{member.split('/', 2)[2]} is not as it was written")
        contents = Contents(
            format=ARCHIVE_FORMAT,
            project_format=FORMAT,
            name=name,
            created=now(),
            left_out=sorted(left_out),
            files=files,
        )
        with archive.open(_info(CONTENTS), "w") as target:
            target.write(contents.model_dump_json(indent=1).encode())
        archive.comment = COMMENT + b"0" * 64
    progress(len(sources), len(sources), f"copying {len(sources):,} files")


def _add(archive: zipfile.ZipFile, member: str, source: BinaryIO) -> FileRecord:
    digest, size = hashlib.sha256(), 0
    with archive.open(_info(member), "w", force_zip64=True) as target:
        while block := source.read(CHUNK):
            digest.update(block)
            size += len(block)
            target.write(block)
    return FileRecord(size=size, sha256=digest.hexdigest())


def _info(member: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(member)
    info.external_attr = 0o600 << 16
    return info


def _sweep_temporary(folder: Path) -> None:
    """Remove backups that were cut off; who writes one holds it."""
    for path in folder.glob(f"{_TEMPORARY}*.tmp"):
        with suppress(OSError), path.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
