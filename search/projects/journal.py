"""The journal of a project: artifacts that belong together appear or vanish together, whenever the process is killed.

What a publish or a removal is about to rename is written into one file first, and flushed. From then on it is
decided: who opens the project next completes it (`complete`). All of this happens under the project's lock.
"""

import os
import re
import shutil
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from search.projects.artifacts import Kind
from search.projects.files import flush, write_atomically
from search.projects.info import PROJECT_FILE

JOURNAL = ".journal.json"
_NAME = re.compile(r"\.?[\w-][\w.-]*")


class Move(BaseModel):
    """A folder of a kind, of uploads or of answers that gets another name: a draft its id, or what is removed that of a grave."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Kind | Literal["uploads", "answers"]
    before: str
    after: str


class _Journal(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    moves: list[Move]
    create: str | None = None
    settings: str | None = None


def carry_out(
    folder: Path, moves: Sequence[Move], create: str | None = None, settings: str | None = None
) -> None:
    """Rename folders together; all of it or nothing, whatever happens.

    :param folder: of the project, whose lock is held.
    :param create: the content of project.json, of a project that does not exist yet.
    :param settings: the content of project.json that goes with it, of one that does.
    :raises OSError: when something could not be written; nothing was renamed then.
    """
    journal = _Journal(moves=list(moves), create=create, settings=settings)
    path = folder / JOURNAL
    try:
        write_atomically(path, journal.model_dump_json())
        _flush_up(folder)
        _rename(folder, journal)
    except BaseException:
        _take_back(folder, journal)
        raise
    with suppress(OSError):  # It is done: what is left of the journal changes nothing.
        path.unlink()


def pending(folder: Path) -> bool:
    """Whether somebody was killed while renaming, or is at it now."""
    return os.path.lexists(folder / JOURNAL)


def complete(folder: Path) -> None:
    """Complete what a killed process had decided; sweep up what it was writing. The project's lock is held.

    :raises OSError: when it cannot be written.
    """
    for name in (PROJECT_FILE, JOURNAL):  # Both are written under the lock alone.
        for leftover in folder.glob(f".{name}.*"):
            if not leftover.name.endswith(".damaged"):
                leftover.unlink(missing_ok=True)
    if not pending(folder):
        return
    path = folder / JOURNAL
    try:
        journal = _Journal.model_validate_json(path.read_bytes())
    except ValidationError:
        path.unlink()  # Damaged: which renames it meant cannot be known; drafts are swept, graves too.
        return
    if all(_is_plain(move) for move in journal.moves):
        _rename(folder, journal)
    path.unlink()


@contextmanager
def unbroken() -> Iterator[None]:
    """A cancel that comes while the block runs is heard when it is over."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def hear(number: int, _frame: object) -> None:
        came.append(number)

    before = {n: signal.signal(n, hear) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for heard in came[:1]:
            signal.raise_signal(heard)


def _rename(folder: Path, journal: _Journal) -> None:
    if journal.create is not None and not (folder / PROJECT_FILE).exists():
        write_atomically(folder / PROJECT_FILE, journal.create)
    _move(folder, journal.moves)
    _flush_up(folder)
    if journal.settings is not None:  # Last: what could fail after it would have to take it back.
        write_atomically(folder / PROJECT_FILE, journal.settings)
        with suppress(OSError):
            flush(folder)


def _move(folder: Path, moves: Sequence[Move]) -> None:
    for move in moves:
        before = folder / move.kind / move.before
        if before.is_dir():
            before.rename(folder / move.kind / move.after)
    for kind in dict.fromkeys(move.kind for move in moves):
        if (folder / kind).is_dir():
            flush(folder / kind)


def _take_back(folder: Path, journal: _Journal) -> None:
    """Undo what was renamed; where even that fails, the journal stays, and the next opener completes it."""
    with suppress(OSError):
        for move in journal.moves:
            after = folder / move.kind / move.after
            if after.is_dir():
                after.rename(folder / move.kind / move.before)
        if journal.create is not None:
            (folder / PROJECT_FILE).unlink(missing_ok=True)
        (folder / JOURNAL).unlink(missing_ok=True)


def _flush_up(folder: Path) -> None:
    """A project's list of names, and the workspace's."""
    flush(folder)
    flush(folder.parent)


def _is_plain(move: Move) -> bool:
    return all(_NAME.fullmatch(name) for name in (move.before, move.after))


def bury(folder: Path) -> None:
    """Delete the files of what was renamed to a grave; what cannot be deleted now is swept up later."""
    shutil.rmtree(folder, ignore_errors=True)
