"""Turns: work that takes the whole machine is done one at a time in a workspace, in the order in which it was asked for.

Each has a ticket, a file with a number that its process owns (`locks.Owner`): a dead process's ticket counts no more.
It is one's turn when fewer tickets than the limit that are still owned have a smaller number.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar, cast

from search.projects.errors import Refused
from search.projects.locks import Owner, exclusive, is_owned, waiting_progress, workspace_lock
from search.projects.project import Project
from search.projects.settings import settings

_LOOK_EVERY = 0.2
_FOLDER = "trainings"
Made = TypeVar("Made")
Given = ParamSpec("Given")


class Turn:
    """A training's place in the order, and the name that its model will have."""

    def __init__(self, project: Project, owner: Owner) -> None:
        self._project = project
        self._owner = owner

    def reserve(self, choose: Callable[[frozenset[str]], str]) -> str:
        """Choose the name of a model, so that no other training of the project can have it meanwhile.

        :param choose: is given the names that other trainings will use.
        """
        with _ordering(self._project):
            others = (_said(path) for path in _tickets(self._project) if path != self._owner.path)
            names = frozenset(
                said.get("name", "") for said in others if said.get("project") == self._project.name
            )
            name = choose(names)
            self._say(name)
        return name

    def _say(self, name: str) -> None:
        said = json.dumps({"project": self._project.name, "name": name}).encode()
        os.ftruncate(self._owner.handle, 0)
        os.pwrite(self._owner.handle, said, 0)


@contextmanager
def turn(project: Project, asked: str | None = None, wait: bool = True) -> Iterator[Turn]:
    """Wait until it is this training's turn; it is until the block ends.

    Who waits says for what (`locks.waiting_progress`), and can be cancelled there.

    :param asked: the name that was asked for, for whoever waits.
    :param wait: refuse instead where it is another's turn.
    :raises Refused: when it may not wait.
    """
    with _ordering(project):
        folder = _folder(project)
        folder.mkdir(0o700, parents=True, exist_ok=True)
        last = max((int(path.stem) for path in _tickets(project)), default=0)
        owner = Owner.take(folder / f"{last + 1:09}.ticket")
        one = Turn(project, owner)
        try:
            one._say(asked or "")
        except BaseException:
            owner.release()
            raise
    try:
        while sentence := _ahead(project, owner.path):
            if not wait:
                raise Refused(
                    f"This cannot wait for its turn: {sentence}. Try again when that is over."
                )
            progress = waiting_progress.get()
            if progress is not None:
                progress(f"waiting for its turn: {sentence}")
            time.sleep(_LOOK_EVERY)
        yield one
    finally:
        owner.release()


def in_turn(
    work: Callable[Concatenate[Project, Given], Made],
) -> Callable[Concatenate[Project, Given], Made]:
    """Let a function of a project that trains wait for its turn; see `turn`."""

    @wraps(work)
    def waiting(project: Project, /, *given: Given.args, **named: Given.kwargs) -> Made:
        with turn(project):
            return work(project, *given, **named)

    return cast(Callable[Concatenate[Project, Given], Made], waiting)


def _ahead(project: Project, ticket: Path) -> str:
    """Who is before this ticket, in words; "" when it is its turn."""
    before = [path for path in _tickets(project) if path.stem < ticket.stem]
    if len(before) < settings().trainings:
        return ""
    said = _said(before[0])
    what = "a training of another project"  # Whose name is not everybody's to know.
    if said.get("project") == project.name:
        what = f"the training of {said['name']!r}" if said.get("name") else "another training"
    count = len(before) - settings().trainings
    return f"{what} is not over" + (f", and {count} more before this one" if count else "")


def _tickets(project: Project) -> list[Path]:
    """The tickets whose processes live, in their order; those of the dead are removed."""
    living = []
    for path in sorted(_folder(project).glob("*.ticket")):
        if is_owned(path):
            living.append(path)
        else:
            with suppress(OSError, Refused):
                Owner.take(path).release()
    return living


def _said(path: Path) -> dict[str, str]:
    with suppress(OSError, ValueError):
        said = json.loads(path.read_bytes())
        return {key: str(value) for key, value in said.items()}
    return {}


def _folder(project: Project) -> Path:
    return workspace_lock(project.folder.parent, _FOLDER).with_suffix("")


@contextmanager
def _ordering(project: Project) -> Iterator[None]:
    """One at a time takes a number or a name; that is over at once."""
    with exclusive(workspace_lock(project.folder.parent, _FOLDER), "the order of trainings"):
        yield
