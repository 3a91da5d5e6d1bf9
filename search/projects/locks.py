"""Locks of the operating system (flock): who works on a project, and who still owns what it began.

A lock ends with its process, however that ends, so a dead holder's lock is free. Process numbers are never
asked: another container on the same volume has numbers of its own. Locks hold between threads, processes and
containers of one host; a network file system may not promise that (docs/reliability.md).

`exclusive` is for a short step that one may do at a time; who waits is told who holds it. `Owner` is held as long
as something that was begun (a draft, a run) is worked on; `is_owned` asks, from anywhere.
"""

import fcntl
import hashlib
import json
import os
import pwd
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

from search.projects.errors import Refused
from search.projects.files import PRIVATE_FOLDER
from search.projects.settings import settings

PATIENCE = 120.0
"""Seconds that one holder is waited for."""
_PATIENCE_IN_ALL = 10
"""How many times the patience is waited at most while a lock goes from one holder to the next."""
_LOOK_EVERY = 0.02
_FOLDER = ".locks"
_INFO_BYTES = 4096
_held = threading.local()

Waiting = Callable[[str], None]
waiting_progress: ContextVar[Waiting | None] = ContextVar("waiting_progress", default=None)
"""Who is told, in a sentence, that work waits for a lock, where the call names nobody."""


def project_lock(home: Path, name: str) -> Path:
    """The file of a project's lock. It is outside of the project, which may be deleted or not exist yet, and
    says nothing of its name.

    :param home: the workspace.
    """
    return home / _FOLDER / (hashlib.sha256(name.encode()).hexdigest()[:24] + ".lock")


def workspace_lock(home: Path, name: str) -> Path:
    """The file of a lock of the whole workspace.

    :param name: a plain word: what the lock is about.
    """
    return home / _FOLDER / f"{name}.lock"


def this_process() -> str:
    """Who works here, as whoever waits is told: the command, the person's account, the process."""
    name = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    verb = sys.argv[1] if len(sys.argv) > 1 and sys.argv[1].isidentifier() else ""
    person = settings().person or f"user {os.getuid()}"
    with suppress(KeyError):
        person = settings().person or pwd.getpwuid(os.getuid()).pw_name
    command = f"{name} {verb}".strip()
    return f"{command} ({person}, process {os.getpid()} on {os.uname().nodename})"


@contextmanager
def exclusive(
    path: Path, what: str, patience: float = PATIENCE, waiting: Waiting | None = None
) -> Iterator[None]:
    """Hold a lock while the block runs; in a thread that holds it already, just run the block.

    :param path: of the lock's file, which stays.
    :param what: is locked, for people: "the project 'x'".
    :param patience: seconds that one holder is waited for.
    :param waiting: is told, in a sentence, who is waited for; it may raise to stop waiting. See `waiting_progress`.
    :raises Refused: when somebody else held it all that time; says who, and since when.
    :raises OSError: when the file cannot be written.
    """
    depths: dict[Path, int] = _held.__dict__.setdefault("depths", {})
    if depths.get(path):
        depths[path] += 1
        try:
            yield
        finally:
            depths[path] -= 1
        return
    handle = _wait_for(path, what, patience, waiting or waiting_progress.get())
    depths[path] = 1
    try:
        yield
    finally:
        del depths[path]
        with suppress(OSError):
            os.ftruncate(handle, 0)
        _let_go(handle)


def holds(path: Path) -> bool:
    """Whether this thread holds a lock."""
    return bool(_held.__dict__.get("depths", {}).get(path))


def holder_of(path: Path) -> str:
    """Who holds a lock, in words: the command, the account, the process, and since when."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        info = json.loads(path.read_bytes()[:_INFO_BYTES])
        return f"{info['who']}, since {info['since']}"
    return "another process"


def _wait_for(path: Path, what: str, patience: float, waiting: Waiting | None) -> int:
    path.parent.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        began = changed = time.monotonic()
        seen = ""
        while not _try(handle, fcntl.LOCK_EX):
            moment, holder = time.monotonic(), holder_of(path)
            if holder != seen:
                seen, changed = holder, moment
                if waiting is not None:
                    waiting(f"waiting for {what}: {holder}")
            if moment - changed >= patience or moment - began >= patience * _PATIENCE_IN_ALL:
                raise Refused(
                    f"{what[0].upper()}{what[1:]} is in use: {holder}. Nothing was changed. Try again when that is over."
                )
            time.sleep(_LOOK_EVERY)
        since = datetime.now(UTC).isoformat(timespec="milliseconds")
        with suppress(OSError):  # A full disk: who waits is told less.
            os.ftruncate(handle, 0)
            os.pwrite(handle, json.dumps({"who": this_process(), "since": since}).encode(), 0)
    except BaseException:
        os.close(handle)
        raise
    return handle


class Owner:
    """Held as long as something that was begun is worked on; free as soon as its process is gone.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     owner = Owner.take(Path(folder, "owner"))
    ...     during = is_owned(Path(folder, "owner"))
    ...     owner.release()
    ...     during, Path(folder, "owner").exists()
    (True, False)
    """

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self.handle = handle

    @classmethod
    def take(cls, path: Path) -> "Owner":
        """Own `path`, a file that is made for it.

        :raises Refused: when somebody else owns it.
        :raises OSError: when the file cannot be written.
        """
        while True:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                free, there = _try(handle, fcntl.LOCK_EX), still_there(path, handle)
            except BaseException:
                os.close(handle)
                raise
            if free and there:
                return cls(path, handle)
            os.close(handle)
            if not free and _is_held_alone(path):
                raise Refused(f"{path} is owned by another process.")

    def release(self) -> None:
        """Own it no longer; its file goes."""
        with suppress(OSError):
            self.path.unlink()
        _let_go(self.handle)

    @contextmanager
    def handed_over(self) -> Iterator[None]:
        """A process that the block starts with the open file (`handle`) owns it afterwards; nobody, where it fails."""
        try:
            yield
        except BaseException:
            self.release()
            raise
        os.close(self.handle)


def owner_file(home: Path, name: str) -> Path:
    """The file that whoever began something in a workspace owns.

    :param name: that the owner chose; see `new_owner`.
    """
    return home / _FOLDER / f"{name}.owner"


def new_owner(home: Path) -> Path:
    """A file to be owned, of a name that nobody else has; its folder is made."""
    path = owner_file(home, secrets.token_hex(8))
    path.parent.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
    return path


def sweep_owners(home: Path) -> None:
    """Remove the files of owners that are gone: of drafts, and of tickets (`turns`)."""
    for path in [*(home / _FOLDER).glob("*.owner"), *(home / _FOLDER).glob("*/*.ticket")]:
        if not is_owned(path):
            with suppress(OSError, Refused):
                Owner.take(path).release()


def is_owned(path: Path) -> bool:
    """Whether somebody, in any process or container of this host, owns `path`."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _try(handle, fcntl.LOCK_SH)
    finally:
        os.close(handle)


def _is_held_alone(path: Path) -> bool:
    """Whether a lock is held by an owner, not just looked at: a look takes no time."""
    for _ in range(3):
        if not is_owned(path):
            return False
        time.sleep(_LOOK_EVERY)
    return True


def _try(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def still_there(path: Path, handle: int) -> bool:
    """Whether an open file is still the one of that name: somebody may have removed it before it was locked."""
    try:
        return path.stat().st_ino == os.fstat(handle).st_ino
    except FileNotFoundError:
        return False


def _let_go(handle: int) -> None:
    # Unlocked, not only closed: a child that was forked meanwhile has the same open file.
    try:
        fcntl.flock(handle, fcntl.LOCK_UN)
    finally:
        os.close(handle)
