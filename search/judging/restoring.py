"""Bringing votes back: the newest whole copy, and what can be read of the damaged file."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

from search.judging.safekeeping import (
    TABLES,
    daily_backups,
    forget_look,
    problem_with_votes,
    register,
    row_sum,
)
from search.judging.votes_file import new_votes, opened
from search.projects.artifacts import new_id
from search.projects.errors import Failed, Refused
from search.projects.files import flush

_PARTS = ("", "-wal", "-shm")


def restore(path: Path) -> tuple[str | None, int]:
    """Put the newest whole copy in the place of a damaged file of votes, with the later votes that can be read.

    The damaged file stays beside it, under another name.

    :returns: the day of the copy (None where there was none), and how many later votes were read.
    :raises Refused: when the votes are whole.
    """
    if path.is_file():
        with suppress(Failed, sqlite3.Error), opened(path) as connection:
            if problem_with_votes(connection) is None:
                raise Refused(f"The votes in {path} are whole: nothing to bring back.")
    copy = next((c for c in daily_backups(path) if c.problem is None), None)
    draft = path.with_name(f".{path.name}.{new_id()}.tmp")
    if copy is None:
        new_votes(draft)
    else:
        draft.write_bytes(copy.path.read_bytes())
    with closing(sqlite3.connect(draft)) as made:
        register(made)
        # What an earlier try put aside, too: it may have been killed before it was done.
        rescued = sum(_rescue(made, source) for source in (path, *_damaged(path)))
        made.commit()
        made.execute("PRAGMA journal_mode = DELETE")
    flush(draft)
    aside = path.with_name(f"{path.name}.damaged-{new_id()}")
    # First a second name for each, so that a kill never parts the file from its log.
    for ending in _PARTS:
        with suppress(FileNotFoundError):
            os.link(path.with_name(path.name + ending), aside.with_name(aside.name + ending))
    flush(path.parent)
    for ending in _PARTS:
        path.with_name(path.name + ending).unlink(missing_ok=True)
    draft.rename(path)
    flush(path.parent)
    forget_look(path)
    return (copy.day if copy else None), rescued


def _damaged(path: Path) -> list[Path]:
    """Files that were put aside, the newest first."""
    beside = path.parent.glob(f"{path.name}.damaged-*")
    return sorted((p for p in beside if not p.name.endswith(_PARTS[1:])), reverse=True)


def _rescue(made: sqlite3.Connection, path: Path) -> int:
    """Add what can be read of a damaged file and is as it was written; returns how many of it are votes."""
    rescued = 0
    for table in TABLES:
        for row in _sound_rows(path, table):
            marks = ", ".join("?" * len(row))
            with suppress(sqlite3.Error):
                added = made.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)
                rescued += added.rowcount if table == "marks" else 0
    return rescued


def _sound_rows(path: Path, table: str) -> Iterator[Sequence[object]]:
    if not path.is_file():
        return
    with (
        suppress(sqlite3.Error, OSError),
        closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection,
    ):
        for row in connection.execute(f"SELECT * FROM {table}"):
            if len(row) > 1 and row_sum(*row[:-1]) == row[-1]:
                yield row
