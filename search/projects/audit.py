"""Who did what: one log of the workspace, to which lines are only ever added.

A line is a JSON object: when, who, and how that is known, what was done, in which project, on what. It names things by
their ids and names; no text of a document or a question stands in it. Each line holds the SHA-256 of the one before, so
that a line which was changed or taken out shows. A line is on disk before what it tells is done: what cannot be noted
is not done.
"""

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import psutil
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from search.projects.artifacts import now
from search.projects.errors import Failed
from search.projects.room import use_reserve
from search.projects.settings import settings

Given = TypeVar("Given")

Known = Literal["signed in", "not signed in", "terminal", "run"]
"""How it is known who it was: the page's sign-in, the page without one, a command, or a run that a page started."""

DELETED, RENAMED = "deleted the project", "renamed the project"
_FOLDER, _FILE = ".audit", "audit.jsonl"
_LINE = 64 * 1024


class Entry(BaseModel):
    """One line of the log."""

    model_config = ConfigDict(frozen=True)
    time: str
    who: str
    known: Known
    account: str
    what: str
    project: str = ""
    on: str = ""
    facts: dict[str, Any] = Field(default_factory=dict)
    previous: str = ""


@dataclass(frozen=True)
class Actor:
    """Somebody who does something, and how it is known who that is."""

    name: str
    known: Known


_face: list[Callable[[], Actor | None]] = []


def ask_who(face: Callable[[], Actor | None]) -> None:
    """Let a face say who acts in it; None where nothing is drawn for anybody at the moment."""
    _face[:] = [face]


def actor() -> Actor:
    """Who acts now: as the page says, else the person a run works for, else the account of this process."""
    for face in _face:
        if (one := face()) is not None:
            return one
    person = settings().person
    return Actor(person, "run") if person else Actor(_account(), "terminal")


def person() -> str:
    """The person who signed in and acts now, for runs that are started; empty where nobody did."""
    who = actor()
    return who.name if who.known in ("signed in", "run") else ""


def note(what: str, project: str = "", on: str = "", by: Actor | None = None, **facts: Any) -> None:
    """Add a line; it is on disk when this returns.

    :param what: was done, such as "deleted".
    :param project: the name of the project, where it is about one.
    :param on: what it was done to: names and ids, never a text.
    :param by: who did it; whoever acts now by default.
    :raises Failed: when it cannot be noted, so that it is not done either.
    """
    who = by or actor()
    entry = Entry(
        time=now(),
        who=who.name,
        known=who.known,
        account=_account(),
        what=what,
        project=project,
        on=on,
        facts=facts,
    )
    try:
        try:
            _append(entry)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            if not (full and use_reserve(settings().home)):
                raise
            _append(entry)  # Else nobody could delete anything from a full disk.
    except OSError as error:
        raise Failed(
            f"It could not be noted in {path()} who does this ({error.strerror}), so it is not done."
        ) from error


def noted(project: str, on: str, made: Callable[[], Given]) -> Callable[[], Given]:
    """What makes a download when it is asked for, with a line of the log before; by whoever acts now.

    :param on: what is taken away, such as "model mine": never a text.
    """
    who = actor()  # A download is made outside of the page that offered it.

    def given() -> Given:
        note("downloaded", project, on, who)
        return made()

    return given


def path() -> Path:
    """The file of the log."""
    return settings().home / _FOLDER / _FILE


def entries(project: str | None = None) -> Iterator[Entry]:
    """The lines of the log, oldest first; a line that cannot be read is left out (see `broken_lines`).

    :param project: only those about this one.
    """
    for line in _lines():
        entry = _entry(line)
        if entry is not None and project in (None, entry.project):
            yield entry


def history(project: str) -> list[Entry]:
    """The lines about the project that has a name now, oldest first: with those from before it was renamed, and without
    those of another one that had the name before it, which its people may never have been in.
    """
    known: dict[str, list[Entry]] = {}
    for entry in entries():
        if entry.what == DELETED:
            known.pop(entry.project, None)
        elif entry.what == RENAMED:
            known[entry.on] = [*known.pop(entry.project, ()), entry]
        elif entry.project:
            known.setdefault(entry.project, []).append(entry)
    return known.get(project, [])


def broken_lines() -> list[int]:
    """The numbers (from 1) of lines that cannot be read, or before which a line was changed or taken out."""
    broken, before = [], ""
    for number, line in enumerate(_lines(), 1):
        entry = _entry(line)
        if entry is None or entry.previous != before:
            broken.append(number)
        before = hashlib.sha256(line).hexdigest()
    return broken


def _append(entry: Entry) -> None:
    path().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path(), os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        last = _last_line(handle)
        made = entry.model_copy(
            update={"previous": hashlib.sha256(last).hexdigest() if last else ""}
        )
        data = json.dumps(made.model_dump(), ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        size = os.fstat(handle).st_size
        try:
            while data:
                data = data[os.write(handle, data) :]
        except OSError:
            os.ftruncate(handle, size)
            raise
        os.fsync(handle)
    finally:
        os.close(handle)


def _last_line(handle: int) -> bytes:
    """The last line without its end. What a killed process or a full disk left half is taken away: what it was to tell
    was not done.
    """
    size = os.fstat(handle).st_size
    lines, sign, half = os.pread(handle, _LINE, max(size - _LINE, 0)).rpartition(b"\n")
    if half and (sign or size < _LINE):
        os.ftruncate(handle, size - len(half))
    return lines.rpartition(b"\n")[2]


def _lines() -> Iterator[bytes]:
    if path().is_file():
        with path().open("rb") as stream:
            for line in stream:
                yield line.rstrip(b"\n")


def _entry(line: bytes) -> Entry | None:
    try:
        return Entry.model_validate_json(line)
    except ValidationError:
        return None


def _account() -> str:
    """The account that this process belongs to, as the system has it (not as the environment says)."""
    try:
        return str(psutil.Process().username())
    except (psutil.Error, KeyError):
        return str(os.getuid())
