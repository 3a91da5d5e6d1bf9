"""A project as one file, and back: an archive of which every byte is held against a checksum.

The archive is a plain zip, stored and not compressed, so that nothing comes out of it that is larger than what goes in.
`backup.json` in it names every file with size and SHA-256; the comment at its end holds the SHA-256 of all that
stands before. What is read is data: names are checked against what a project consists of, sizes are bounded while
reading, links are never made.

A bundle for others is a backup that leaves `votes` and `history` out (`leave_out`).
"""

import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
import sqlite3
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from search.projects.artifacts import MANIFEST, FileRecord, Kind, new_id, now, read_manifest
from search.projects.errors import BespokeError, Damaged, Failed, Refused, in_words
from search.projects.files import (
    PRIVATE_FOLDER,
    flush,
    make_private,
    new_private_file,
    size_in_words,
)
from search.projects.info import FORMAT, PROJECT_FILE, read_info, write_info
from search.projects.locks import Owner, exclusive, project_lock, workspace_lock
from search.projects.progress import Progress, silent
from search.projects.project import Project, check_project_name
from search.projects.runs import OVER, runs
from search.projects.scratch import scratch_folder
from search.projects.settings import LIMITS, settings

Part = Literal["votes", "history"]
PARTS: tuple[Part, ...] = get_args(Part)
RESTORING = ".*.restoring"
VOTES = "judgments/judgments.sqlite"
_ARCHIVE_FORMAT = 1
_CONTENTS = "backup.json"
_TEMPORARY = ".bespoke-backup-"
_COMMENT = b"bespoke backup sha256 "
_TAIL = len(_COMMENT) + 64
_CHUNK = 1024 * 1024
_ON_SERVERS = ("milvus",)  # Engines that hold an index elsewhere.
_TRIES = 20
_RUN_FILES = ("command.json", "status.json", "events.jsonl", "log", "error.log")
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
                    problem_in_votes or _problem_in_sqlite,
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


def restore(
    file: Path,
    name: str | None = None,
    progress: Progress = silent,
    problem_in_votes: Check | None = None,
) -> Project:
    """Make a project of a backup: it appears when every byte of it was checked.

    :param name: of the new project; None for the one that it had.
    :param problem_in_votes: as for `back_up`.
    :raises Refused: when the file is no backup, is damaged or of another format, or there is a project of that name.
    :raises Failed: when it cannot be read, or the project cannot be written.
    """
    home = settings().home
    try:
        with file.open("rb") as stream:
            _check_all(stream, file)
            with _opened(stream, file) as archive:
                contents = _contents(archive, file)
                target = Project(home / check_project_name(name or contents.name))
                _refuse_existing(target)
                home.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
                _refuse_without_room(contents, home)
                with _staging(home) as folder:
                    _take_out(archive, contents, folder, file, progress)
                    _check_project(
                        folder, target.name, contents, file, problem_in_votes or _problem_in_sqlite
                    )
                    _publish(folder, target)
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise _damaged(file, str(error)) from None
    except OSError as error:
        raise Failed(f"{file} cannot be restored: {in_words(error)}.") from error
    return target


def sweep_restoring(home: Path) -> None:
    """Remove what a restoring that was killed left."""
    for folder in home.glob(RESTORING):
        with suppress(OSError, BespokeError):
            owner = Owner.take(staging_owner(folder))
            shutil.rmtree(folder, ignore_errors=True)
            owner.release()


# Writing.


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
                _sign(temporary)
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
    if "history" not in leave_out:
        found.update(_history(project, scratch))
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


def _problem_in_sqlite(path: Path) -> str | None:
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as votes:
            said = str(votes.execute("PRAGMA integrity_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        return str(error)
    return None if said == "ok" else " ".join(said.split())


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
            format=_ARCHIVE_FORMAT,
            project_format=FORMAT,
            name=name,
            created=now(),
            left_out=sorted(left_out),
            files=files,
        )
        with archive.open(_info(_CONTENTS), "w") as target:
            target.write(contents.model_dump_json(indent=1).encode())
        archive.comment = _COMMENT + b"0" * 64
    progress(len(sources), len(sources), f"copying {len(sources):,} files")


def _add(archive: zipfile.ZipFile, member: str, source: BinaryIO) -> FileRecord:
    digest, size = hashlib.sha256(), 0
    with archive.open(_info(member), "w", force_zip64=True) as target:
        while block := source.read(_CHUNK):
            digest.update(block)
            size += len(block)
            target.write(block)
    return FileRecord(size=size, sha256=digest.hexdigest())


def _info(member: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(member)
    info.external_attr = 0o600 << 16
    return info


def _sign(path: Path) -> None:
    """Put the hash of all that stands before it at the end of an archive."""
    with path.open("r+b") as stream:
        digest = _digest(stream, path.stat().st_size - 64)
        stream.seek(-64, os.SEEK_END)
        stream.write(digest.encode())


def _sweep_temporary(folder: Path) -> None:
    """Remove backups that were cut off; who writes one holds it."""
    for path in folder.glob(f"{_TEMPORARY}*.tmp"):
        with suppress(OSError), path.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


# Reading.


def _check_all(stream: BinaryIO, file: Path) -> None:
    """Hold every byte of an archive against the hash at its end."""
    size = os.fstat(stream.fileno()).st_size
    if size > _TAIL:
        stream.seek(size - _TAIL)
    tail = stream.read(_TAIL)
    if size <= _TAIL or not tail.startswith(_COMMENT):
        raise Refused(f"{file} is no backup of Bespoke, or it was cut off.")
    if _digest(stream, size - 64) != tail[len(_COMMENT) :].decode("ascii", "replace"):
        raise _damaged(file, "it is not as it was written")
    stream.seek(0)


def _digest(stream: BinaryIO, size: int) -> str:
    stream.seek(0)
    digest, left = hashlib.sha256(), size
    while left and (block := stream.read(min(_CHUNK, left))):
        digest.update(block)
        left -= len(block)
    return digest.hexdigest()


@contextmanager
def _opened(stream: BinaryIO, file: Path) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(stream) as archive:
        for member in archive.infolist():
            stored = member.compress_type == zipfile.ZIP_STORED and not member.flag_bits & 1
            if not stored or member.file_size != member.compress_size:
                raise _damaged(file, f"{member.filename!r} is compressed or encrypted")
        yield archive


def _contents(archive: zipfile.ZipFile, file: Path) -> Contents:
    """What a backup says it holds, after it was compared with what it holds.

    :raises Refused: where the two differ, a name cannot be in a project, or it is of another format.
    """
    members = archive.infolist()
    listed = [member for member in members if member.filename == _CONTENTS]
    if len(listed) != 1 or listed[0].file_size > LIMITS.json_bytes:
        raise _damaged(file, f"it has no {_CONTENTS}")
    content = archive.read(listed[0])
    with suppress(ValueError, TypeError, KeyError):
        _refuse_other_format(json.loads(content), file)
    try:
        contents = Contents.model_validate_json(content)
    except ValidationError:
        raise _damaged(file, f"{_CONTENTS} cannot be read") from None
    sizes = {member.filename: member.file_size for member in members if member is not listed[0]}
    wanted = {name: record.size for name, record in contents.files.items()}
    if len(members) != len(sizes) + 1 or sizes != wanted:
        raise _damaged(file, "it holds other files than it says")
    for name in wanted:
        if not _can_be_in_a_project(name):
            raise Refused(
                f"{file} was not written by Bespoke: {name[:200]!r} is no file of a project."
            )
    return contents


def _refuse_other_format(content: dict[str, object], file: Path) -> None:
    written = (content["format"], content["project_format"])
    if written != (_ARCHIVE_FORMAT, FORMAT):
        raise Refused(
            f"{file} is a backup of format {written[0]} of a project of format {written[1]}, and this version of Bespoke "
            f"reads format {_ARCHIVE_FORMAT} of projects of format {FORMAT}: restore it with the version that wrote it."
        )


def _can_be_in_a_project(name: str) -> bool:
    """Whether a name in an archive is one that a backup gives: nothing that could mean another folder."""
    parts = name.split("/")
    if not all(_PLAIN.fullmatch(part) and part.strip(".") for part in parts):
        return False
    if len(parts) == 1:
        return not name.startswith(".")
    if parts[0] == "members":
        return len(parts) == 2
    known = {*get_args(Kind), "runs"}
    return name == VOTES or (parts[0] in known and 3 <= len(parts) <= 12)


def _refuse_existing(target: Project) -> None:
    if target.folder.exists():
        raise Refused(
            f"There is a project {target.name!r} already. Restore it under another name: --name NAME."
        )


def _refuse_without_room(contents: Contents, home: Path) -> None:
    size = sum(record.size for record in contents.files.values())
    free = shutil.disk_usage(home).free
    if size > free:
        raise Refused(
            f"The project needs {size_in_words(size)}, and the disk of {home} has {size_in_words(free)} left."
        )


@contextmanager
def _staging(home: Path) -> Iterator[Path]:
    """A hidden folder beside the projects that goes at the end unless it was published."""
    folder = home / f".{new_id()}.restoring"
    owner = staging_owner(folder)
    owner.parent.mkdir(PRIVATE_FOLDER, exist_ok=True)
    holder = Owner.take(owner)
    try:
        folder.mkdir(PRIVATE_FOLDER)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        holder.release()


def staging_owner(folder: Path) -> Path:
    """The file that whoever restores into a hidden folder owns."""
    return workspace_lock(folder.parent, folder.name.strip("."))


def _take_out(
    archive: zipfile.ZipFile, contents: Contents, folder: Path, file: Path, progress: Progress
) -> None:
    for number, (name, record) in enumerate(contents.files.items()):
        progress(number, len(contents.files), f"restoring {len(contents.files):,} files")
        path = folder / name
        path.parent.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        digest, left = hashlib.sha256(), record.size
        with archive.open(name) as source, new_private_file(path) as target:
            while block := source.read(min(_CHUNK, left + 1)):
                left -= len(block)
                if left < 0:
                    break
                digest.update(block)
                target.write(block)
            target.flush()
            os.fsync(target.fileno())
        if left or digest.hexdigest() != record.sha256:
            raise _damaged(file, f"{name} is not as it was written")


def _check_project(
    folder: Path, name: str, contents: Contents, file: Path, problem_in_votes: Check
) -> None:
    """See that what came out is a project, every artifact of it whole, and give it its name."""
    for kind in get_args(Kind):
        for artifact in Project(folder).folders(kind):
            try:
                manifest = read_manifest(artifact)
            except Damaged:
                raise _damaged(file, f"{kind}/{artifact.name} has no manifest that fits") from None
            for inner, record in manifest.files.items():
                if contents.files.get(f"{kind}/{artifact.name}/{inner}") != record:
                    raise _damaged(file, f"{kind}/{artifact.name}/{inner} is another file")
    votes = folder / VOTES
    if votes.is_file() and (problem := problem_in_votes(votes)):
        raise _damaged(file, f"its votes: {problem}")
    try:
        info = read_info(folder)
    except (BespokeError, FileNotFoundError):
        raise _damaged(file, f"{PROJECT_FILE} cannot be read") from None
    if info.name != name or info.former_names:  # Those may lead to the one that it was copied from.
        write_info(folder, info.model_copy(update={"name": name, "former_names": []}))


def _publish(folder: Path, target: Project) -> None:
    make_private(folder)
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            flush(path)
    flush(folder)
    with exclusive(project_lock(folder.parent, target.name), f"the project {target.name!r}"):
        _refuse_existing(target)
        folder.rename(target.folder)
        flush(folder.parent)


def _damaged(file: Path, problem: str) -> Refused:
    return Refused(f"The backup {file} is damaged: {problem}. Nothing was restored.")
