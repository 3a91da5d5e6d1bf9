"""The SQLite file of votes: its tables, opening it on any disk, and its errors in words."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from search.judging.safekeeping import damaged, register
from search.projects.artifacts import new_id
from search.projects.errors import Failed
from search.projects.files import PRIVATE_FILE, alone_in, flush
from search.projects.room import volume_of
from search.projects.scratch import scratch_folder

VERSION = 2
SYNCHRONOUS = "FULL"
"""A commit is on the disk before it is said to be."""
_PATIENCE = 30.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL, sum TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS judges (folded TEXT PRIMARY KEY, name TEXT NOT NULL, time TEXT NOT NULL,
    sum TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS questions (
    id TEXT PRIMARY KEY, text TEXT NOT NULL, origin TEXT NOT NULL, time TEXT NOT NULL, sum TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS rankings (
    question TEXT NOT NULL, "column" TEXT NOT NULL, version TEXT NOT NULL, found TEXT NOT NULL,
    time TEXT NOT NULL, sum TEXT NOT NULL, PRIMARY KEY (question, "column", version)
) STRICT;
CREATE TABLE IF NOT EXISTS marks (
    number INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT NOT NULL, judge TEXT NOT NULL,
    question TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('vote', 'grade')), target TEXT NOT NULL,
    value TEXT, final INTEGER NOT NULL, details TEXT NOT NULL, token TEXT UNIQUE, undoes INTEGER UNIQUE,
    sum TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS marks_of ON marks (judge, question, kind, target, final, number);
CREATE TRIGGER IF NOT EXISTS marks_stay BEFORE UPDATE ON marks BEGIN SELECT RAISE(ABORT, 'marks are only added'); END;
CREATE TRIGGER IF NOT EXISTS marks_remain BEFORE DELETE ON marks BEGIN SELECT RAISE(ABORT, 'marks are only added'); END;
"""


@contextmanager
def opened(path: Path, to_write: bool = True) -> Iterator[sqlite3.Connection]:
    """A connection to a file of votes. On a disk that may only be read, votes are read all the same.

    :raises sqlite3.DatabaseError: when it is none, or cannot be had.
    :raises Failed: when it was written by a later version, or is empty.
    """
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(closing(_connect(path, to_write)))
        except sqlite3.OperationalError:
            if to_write:
                raise
            connection = stack.enter_context(closing(_connect(_copied(path, stack), to_write)))
        register(connection)
        version = version_of(connection)
        if version > VERSION:
            raise Failed(f"{path} was written by a later version of Bespoke.")
        if version == 0:  # A new file comes with its tables, by one rename.
            raise damaged(path, "it is empty")
        yield connection


def _connect(path: Path, to_write: bool) -> sqlite3.Connection:
    uri = f"{path.as_uri()}?mode={'rw' if to_write else 'ro'}"
    connection = sqlite3.connect(uri, uri=True, timeout=_PATIENCE, isolation_level=None)
    try:
        if to_write:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
        version_of(connection)
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _copied(path: Path, stack: ExitStack) -> Path:
    """The file and its write-ahead log in a folder of their own: SQLite writes beside a file even to read it."""
    folder = stack.enter_context(scratch_folder("votes"))
    for name in (path.name, path.name + "-wal"):
        source = path.with_name(name)
        if source.is_file():
            (folder / name).write_bytes(source.read_bytes())
    return folder / path.name


def new_votes(path: Path) -> None:
    """Make an empty file of votes: it appears with its tables, so that an empty file is never one.

    :raises OSError: when it cannot be written.
    """
    with alone_in(path.parent):
        for leftover in path.parent.glob(f".{path.name}.*.new*"):  # Of a process that was killed.
            leftover.unlink(missing_ok=True)
        if not path.exists():
            _new_votes(path)


def _new_votes(path: Path) -> None:
    draft = path.with_name(f".{path.name}.{new_id()}.new")
    try:
        with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            connection.executescript(
                f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT"
            )
        draft.chmod(PRIVATE_FILE)
        flush(draft)
        draft.rename(path)
        flush(path.parent)
    except sqlite3.Error as error:
        raise OSError(None, str(error)) from None
    finally:
        draft.unlink(missing_ok=True)


_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_OF_THE_DISK = (
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM,
)  # fmt: skip


def in_words_of(path: Path, error: sqlite3.DatabaseError) -> Failed:
    """What a person should know of an error of SQLite: a full disk is no damage."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _BUSY:
        return Failed(f"The votes in {path} are in use by another program. Try again.")
    if code in _OF_THE_DISK:
        return Failed(
            f"The votes in {path} cannot be read or written now: {error}. What was kept before stays as it is. Make "
            f"room on {volume_of(path)}, or see that it may be written to, and try again."
        )
    return damaged(path, str(error))


def version_of(connection: sqlite3.Connection) -> int:
    """The number of the format of an open file of votes; 0 for one without tables."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
