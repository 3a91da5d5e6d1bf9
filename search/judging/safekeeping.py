"""That the file of votes is what was written: each row with a sum of its own, a look at all of it, a copy a day.

SQLite finds pages that are torn; it does not notice a digit that changed. So each row ends with a hash of what stands
before it in the row. All of it is looked at when a process opens the file first, when it is another file than before,
and again after some minutes. At the first write of a day, before that write, the whole file is copied and the copy
hashed; the newest copies stay, and the newest whole one can be brought back.

What this cannot see: rows that went without a trace, as with a write-ahead log that is taken away beside its file.
"""

import hashlib
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from search.projects.artifacts import new_id
from search.projects.backup_archive import VOTES
from search.projects.check import Finding
from search.projects.damage import notice
from search.projects.errors import Failed, in_words
from search.projects.files import PRIVATE_FOLDER, alone_in, flush, sha256_of, write_atomically
from search.projects.project import Project

COPIES = "copies"
TABLES = ("settings", "judges", "questions", "rankings", "marks")
_LOOK_AGAIN = 600.0
_MOST_COPIES = 14
_looked: dict[Path, tuple[int, float]] = {}


def row_sum(*values: object) -> str:
    """The hash that a row ends with. SQLite calls it, too, under this name."""
    return hashlib.blake2b(repr(values).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def register(connection: sqlite3.Connection) -> None:
    """Let statements of a connection say `row_sum(...)`."""
    connection.create_function("row_sum", -1, row_sum, deterministic=True)


def problem_with_votes(connection: sqlite3.Connection) -> str | None:
    """What is wrong with the votes of an open file, in words; None where all is as it was written."""
    said = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
    if said != "ok":
        return " ".join(said.split())
    for table in TABLES:
        for row in connection.execute(f"SELECT * FROM {table}"):
            if row_sum(*row[:-1]) != row[-1]:
                return f"a row of {table} is not as it was written"
    return None


def problem_in_file(path: Path) -> str | None:
    """What is wrong with a file of votes, in words; None where it is whole. Nothing is written."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            return problem_with_votes(connection)
    except sqlite3.Error as error:
        return str(error)


def look_at(connection: sqlite3.Connection, path: Path) -> None:
    """See that a file of votes is whole, unless this process did so a moment ago.

    :raises Failed: where it is not, saying how to go on.
    """
    state, moment = path.stat().st_ino, time.monotonic()
    if path in _looked and _looked[path][0] == state and moment < _looked[path][1] + _LOOK_AGAIN:
        return
    problem = problem_with_votes(connection)
    if problem:
        raise damaged(path, problem)
    _looked[path] = (state, moment)


def damaged(path: Path, problem: str) -> Failed:
    """What is said of a file of votes that cannot be trusted."""
    copy = next((c for c in daily_backups(path) if c.problem is None), None)
    whole = (
        f"The newest whole copy is of {copy.day}. Bring it back, with what can be read of later votes: "
        "python cli.py judgments PROJECT --restore. The damaged file is kept beside it."
        if copy
        else "There is no whole copy of it. Bring it back from a backup, or bring an export back: "
        "python cli.py judgments PROJECT --restore begins an empty file with what can be read, then --import FILE."
    )
    return Failed(f"The votes in {path} are damaged: {problem}. {whole}")


def forget_look(path: Path) -> None:
    """Look at a file of votes again at the next use."""
    _looked.pop(path, None)


@dataclass(frozen=True)
class DailyBackup:
    """A copy of the votes as they were before the first write of a day (UTC); `problem` says why it is not whole."""

    path: Path
    day: str
    problem: str | None


def daily_backups(path: Path) -> list[DailyBackup]:
    """The copies of a file of votes, the newest first, each held against its hash."""
    folder = path.parent / COPIES
    days = {entry.stem for entry in (*folder.glob("[0-9]*.sqlite"), *folder.glob("[0-9]*.sha256"))}
    found = [folder / f"{day}.sqlite" for day in sorted(days, reverse=True)]
    return [DailyBackup(copy, copy.stem, _problem_with_copy(copy)) for copy in found]


def check_daily_backups(project: Project) -> Iterator[Finding]:
    """Copies of a project's votes that are not whole, for whoever looks over everything."""
    for copy in daily_backups(project.folder / VOTES):
        if copy.problem is not None:
            yield Finding(
                copy.path,
                f"The copy of the votes of {copy.day} is not whole: {copy.problem}. It is never brought back; the votes "
                "themselves are not touched by it. Delete it, with its .sha256.",
                left_over=True,
            )


def _problem_with_copy(copy: Path) -> str | None:
    try:
        wanted = copy.with_suffix(".sha256").read_text(encoding="ascii").split()[0]
        return None if sha256_of(copy) == wanted else "it is not as it was written"
    except (OSError, ValueError, IndexError):
        return "it, or its hash, cannot be read"


def copy_of_today(connection: sqlite3.Connection, path: Path) -> None:
    """Copy a file of votes, unless it was copied today. A copy that cannot be made is no reason not to keep a vote."""
    folder = path.parent / COPIES
    today = datetime.now(UTC).date().isoformat()
    if (folder / f"{today}.sha256").is_file():
        return
    draft = folder / f".{today}.{new_id()}.tmp"
    try:
        folder.mkdir(PRIVATE_FOLDER, exist_ok=True)
        with alone_in(folder):
            if (folder / f"{today}.sha256").is_file():
                return
            for leftover in folder.glob(".*.tmp*"):  # Of a process that was killed.
                leftover.unlink(missing_ok=True)
            with closing(sqlite3.connect(draft)) as made:
                connection.backup(made)  # In one step: nobody writes in between.
                made.execute("PRAGMA journal_mode = DELETE")
            draft.chmod(0o600)
            flush(draft)
            draft.replace(folder / f"{today}.sqlite")
            text = f"{sha256_of(folder / f'{today}.sqlite')}  {today}.sqlite\n"
            write_atomically(folder / f"{today}.sha256", text)
            for old in sorted(folder.glob("[0-9]*.sqlite"))[:-_MOST_COPIES]:
                old.with_suffix(".sha256").unlink(missing_ok=True)
                old.unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as error:
        said = in_words(error) if isinstance(error, OSError) else str(error)
        notice(Failed(f"Today's copy of the votes could not be written to {folder}: {said}."))
        with suppress(OSError):
            draft.unlink(missing_ok=True)
