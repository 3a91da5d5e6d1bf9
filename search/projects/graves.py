"""Graves: what is deleted is out of sight in one step and gone soon after, whenever a process is killed.

A project is renamed into a hidden folder beside the others. Parts of a project that go together are listed first, in a
grave of that project; with that list they are deleted, and whoever comes next finishes what was cut off: every command
and the app sweep all graves when they start.
"""

import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from search.projects import audit
from search.projects.artifacts import new_id
from search.projects.errors import BespokeError, Refused
from search.projects.files import PRIVATE_FOLDER, flush, write_atomically
from search.projects.locks import PATIENCE, exclusive, project_lock
from search.projects.project import Project

PROJECT_GRAVES = ".*.deleted"
GRAVES = ".graves"
STORE_SWEEP = ".embeddings-sweep"
"""In a workspace: the embedding store is to be swept (`search.models.encoding.cache_removal`)."""
_LIST = "list.json"

Farewell = Callable[[Project], None]
"""What is to be done with a deleted project before its files go."""


def nothing_more(_project: Project) -> None:
    """The farewell of a project that has nothing outside its folder."""


def bury_project(project: Project) -> Path:
    """Take a project out of sight, in one step; `sweep` removes it.

    :returns: its grave.
    :raises Refused: when it is not there (any more), or somebody works on it and does not stop.
    """
    home = project.folder.parent
    with exclusive(project_lock(home, project.name), f"the project {project.name!r}"):
        if project.folder.is_dir():
            audit.note("deleted the project", project.name)
        grave = home / f".{new_id()}.deleted"
        try:
            project.folder.rename(grave)
        except FileNotFoundError:
            raise Refused(f"There is no project {project.name!r} (any more).") from None
        flush(home)
    return grave


def bury(project: Project, parts: Sequence[str]) -> None:
    """Delete parts of a project together: from the moment on that their list is written, they go.

    :param parts: paths inside the project: "indexes/20260101-..."; the first goes out of sight first. One that is not
        there is gone already.
    :raises Refused: when somebody works on the project and does not stop.
    """
    with _locked(project, PATIENCE):
        audit.note("deleted", project.name, ", ".join(parts))
        grave = project.folder / GRAVES / new_id()
        grave.mkdir(PRIVATE_FOLDER, parents=True)
        write_atomically(grave / _LIST, json.dumps(list(parts)))
        flush(grave)
        flush(grave.parent)
        _finish(project, grave)


def graves(home: Path) -> list[Path]:
    """The graves of a workspace that are not swept yet: those of projects, then those inside of projects."""
    return [*sorted(home.glob(PROJECT_GRAVES)), *sorted(home.glob(f"*/{GRAVES}"))]


def unfinished(home: Path) -> bool:
    """Whether a deletion was cut off, of a project or a part, or of vectors in the embedding store."""
    return bool(graves(home)) or (home / STORE_SWEEP).exists() or any(home.glob(".*.restoring"))


def sweep(home: Path, farewell: Farewell = nothing_more) -> int:
    """Finish every deletion that was cut off; one that somebody is at is left to them.

    :param farewell: what is done with each deleted project before its files go.
    :returns: how many graves were there.
    """
    open_graves = graves(home)
    for grave in open_graves:
        with suppress(BespokeError, OSError):
            if grave.name == GRAVES:
                sweep_project(Project(grave.parent))
                continue
            with exclusive(project_lock(home, grave.name), "a deleted project", 0.0):
                empty_grave(grave, farewell)
    return len(open_graves)


def sweep_project(project: Project) -> None:
    """Finish the deletions of parts of a project.

    :raises Refused: when somebody works on the project.
    """
    parent = project.folder / GRAVES
    if not parent.is_dir():
        return
    with _locked(project, 0.0):
        for grave in sorted(parent.iterdir()):
            _finish(project, grave)
        with suppress(OSError):
            parent.rmdir()


def empty_grave(grave: Path, farewell: Farewell) -> None:
    """Remove a deleted project for good."""
    if grave.is_dir():
        farewell(Project(grave))
        shutil.rmtree(grave, ignore_errors=True)


def _locked(project: Project, patience: float) -> AbstractContextManager[None]:
    what = f"the project {project.name!r}"
    return exclusive(project_lock(project.folder.parent, project.name), what, patience)


def _finish(project: Project, grave: Path) -> None:
    """Put into a grave what its list names, and remove it. Any part of that may have been done before."""
    parts: list[str] = []
    with suppress(OSError, ValueError):  # Without a list, nothing was deleted yet.
        parts = [part for part in json.loads((grave / _LIST).read_bytes()) if isinstance(part, str)]
    for number, part in enumerate(parts):
        source = project.folder / part
        if ".." not in source.parts and source.exists():
            source.rename(grave / str(number))
            flush(source.parent)
    _forget_settings(project, parts)
    shutil.rmtree(grave)
    with suppress(OSError):
        grave.parent.rmdir()  # Only where nothing else is in it.


def _forget_settings(project: Project, parts: Sequence[str]) -> None:
    """What project.json says of models that are gone goes with them."""
    gone = {part.removeprefix("models/") for part in parts if part.startswith("models/")}
    with suppress(BespokeError):
        if gone & project.info.model_settings.keys():
            project.change(
                lambda now: {
                    "model_settings": {k: v for k, v in now.model_settings.items() if k not in gone}
                }
            )
