"""Graves: what is deleted is out of sight in one step and gone soon after, whenever a process is killed.

A project is renamed into a hidden folder beside the others. Parts of a project that go together are renamed by its
journal (`journal`), which the next opener completes. Every command and the app sweep all graves when they start, and so
does the next publish in a project.
"""

import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from search.projects import audit, members
from search.projects.artifacts import new_id
from search.projects.errors import BespokeError, Refused
from search.projects.files import flush
from search.projects.journal import JOURNAL, Move, carry_out, complete, unbroken
from search.projects.journal import bury as bury_files
from search.projects.locks import exclusive, project_lock
from search.projects.project import Project
from search.projects.publishing import GRAVE
from search.projects.scratch import left_in_scratch

PROJECT_GRAVES = ".*.deleted"
STORE_SWEEP = ".embeddings-sweep"
"""In a workspace: the embedding store is to be swept (`search.models.encoding.cache_removal`)."""
SERVERS_LEFT = ".collections-left.json"
"""In a workspace: servers that did not answer when an index on them was deleted (`search.retrieval.indexing.servers`)."""
_GRAVES = f"*/.*.{GRAVE}.tmp"

Farewell = Callable[[Project], object]
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
            audit.note(audit.DELETED, project.name)
        grave = home / f".{new_id()}.deleted"
        try:
            project.folder.rename(grave)
        except FileNotFoundError:
            raise Refused(f"There is no project {project.name!r} (any more).") from None
        flush(home)
    return grave


def bury(project: Project, parts: Sequence[str]) -> None:
    """Delete parts of a project together, in one step.

    :param parts: each as "kind/name": "indexes/20260101-...". One that is not there is gone already.
    :raises Refused: when somebody works on the project and does not stop.
    """
    moves = [
        Move(kind=kind, before=name, after=f".{name}.{GRAVE}.tmp")
        for kind, name in (p.split("/") for p in parts)
    ]
    with project.locked(), unbroken():
        audit.note("deleted", project.name, ", ".join(parts))
        complete(project.folder)
        carry_out(project.folder, moves)
        for move in moves:
            bury_files(project.folder / move.kind / move.after)
        _forget_settings(project)


def graves(home: Path) -> list[Path]:
    """What a workspace has of deletions that were cut off: deleted projects, and projects with deleted parts."""
    parts = {path.parents[1] for path in home.glob(f"[!.]*/{_GRAVES}")}
    journals = {path.parent for path in home.glob(f"[!.]*/{JOURNAL}")}
    return [*sorted(home.glob(PROJECT_GRAVES)), *sorted(parts | journals)]


def unfinished(home: Path) -> bool:
    """Whether something was cut off: a deletion of a project or a part, of vectors in the embedding store or on
    a server, a restoring, or whatever had a folder in the temporary folder.
    """
    noted = any((home / name).exists() for name in (STORE_SWEEP, SERVERS_LEFT))
    cut_off = noted or any(home.glob(".*.restoring"))
    return bool(graves(home)) or cut_off or bool(left_in_scratch())


def sweep(home: Path, farewell: Farewell = nothing_more) -> int:
    """Finish every deletion that was cut off; one that somebody is at is left to them.

    :param farewell: what is done with each deleted project before its files go.
    :returns: how many there were.
    """
    left = graves(home)
    for folder in left:
        with suppress(BespokeError, OSError):
            if folder.name.startswith("."):
                with exclusive(project_lock(home, folder.name), "a deleted project", 0.0):
                    empty_grave(folder, farewell)
            else:
                sweep_project(Project(folder))
    return len(left)


def sweep_project(project: Project) -> None:
    """Finish the deletions of parts of a project.

    :raises Refused: when somebody works on the project.
    """
    with project.locked(patience=0.0), unbroken():
        complete(project.folder)
        for grave in project.folder.glob(_GRAVES):
            bury_files(grave)
        _forget_settings(project)


def empty_grave(grave: Path, farewell: Farewell) -> None:
    """Remove a deleted project for good."""
    if grave.is_dir():
        members.begin_anew(Project(grave))
        farewell(Project(grave))
        shutil.rmtree(grave, ignore_errors=True)


def _forget_settings(project: Project) -> None:
    """What project.json says of models that are gone goes with them."""
    with suppress(BespokeError):
        before = project.info
        there = {folder.name for folder in project.folders("models")}
        if not before.model_settings.keys() | before.model_names.keys() <= there:
            project.change(
                lambda now: {
                    "model_settings": {k: v for k, v in now.model_settings.items() if k in there},
                    "model_names": {k: v for k, v in now.model_names.items() if k in there},
                }
            )
