"""A project of a backup: it appears when every byte was held against its checksum.

What is read is data: names are checked against what a project consists of, sizes are bounded while reading, links are
never made.
"""

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, get_args

from pydantic import ValidationError

from search.projects.artifacts import Kind, new_id, read_manifest
from search.projects.backup_archive import (
    ARCHIVE_FORMAT,
    CHUNK,
    COMMENT,
    CONTENTS,
    TAIL,
    VOTES,
    Check,
    Contents,
    can_be_in_a_project,
    digest_of,
    problem_in_sqlite,
)
from search.projects.errors import BespokeError, Damaged, Failed, Refused, in_words
from search.projects.files import (
    PRIVATE_FOLDER,
    flush,
    make_private,
    new_private_file,
    size_in_words,
)
from search.projects.info import FORMAT, PROJECT_FILE, read_info, write_info
from search.projects.ledger import files as ledger_files
from search.projects.ledger import problem_in_note
from search.projects.locks import Owner, exclusive, project_lock, workspace_lock
from search.projects.progress import Progress, silent
from search.projects.project import Project, check_project_name
from search.projects.settings import LIMITS, settings

RESTORING = ".*.restoring"


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
                        folder, target.name, contents, file, problem_in_votes or problem_in_sqlite
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


def _check_all(stream: BinaryIO, file: Path) -> None:
    """Hold every byte of an archive against the hash at its end."""
    size = os.fstat(stream.fileno()).st_size
    if size > TAIL:
        stream.seek(size - TAIL)
    tail = stream.read(TAIL)
    if size <= TAIL or not tail.startswith(COMMENT):
        raise Refused(f"{file} is no backup of Bespoke, or it was cut off.")
    if digest_of(stream, size - 64) != tail[len(COMMENT) :].decode("ascii", "replace"):
        raise _damaged(file, "it is not as it was written")
    stream.seek(0)


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
    listed = [member for member in members if member.filename == CONTENTS]
    if len(listed) != 1 or listed[0].file_size > LIMITS.json_bytes:
        raise _damaged(file, f"it has no {CONTENTS}")
    content = archive.read(listed[0])
    with suppress(ValueError, TypeError, KeyError):
        _refuse_other_format(json.loads(content), file)
    try:
        contents = Contents.model_validate_json(content)
    except ValidationError:
        raise _damaged(file, f"{CONTENTS} cannot be read") from None
    sizes = {member.filename: member.file_size for member in members if member is not listed[0]}
    wanted = {name: record.size for name, record in contents.files.items()}
    if len(members) != len(sizes) + 1 or sizes != wanted:
        raise _damaged(file, "it holds other files than it says")
    for name in wanted:
        if not can_be_in_a_project(name):
            raise Refused(
                f"{file} was not written by Bespoke: {name[:200]!r} is no file of a project."
            )
    return contents


def _refuse_other_format(content: dict[str, object], file: Path) -> None:
    written = (content["format"], content["project_format"])
    if written != (ARCHIVE_FORMAT, FORMAT):
        raise Refused(
            f"{file} is a backup of format {written[0]} of a project of format {written[1]}, and this version of Bespoke "
            f"reads format {ARCHIVE_FORMAT} of projects of format {FORMAT}: restore it with the version that wrote it."
        )


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
            while block := source.read(min(CHUNK, left + 1)):
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
    for path in ledger_files(folder):
        if problem := problem_in_note(path.read_bytes()):
            raise _damaged(file, f"{path.relative_to(folder)}: {problem}")
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
