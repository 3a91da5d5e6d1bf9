"""Where judgments are kept: one SQLite file, to which judgments are only ever added.

Every judgment is a transaction of its own, flushed to disk before the call returns (write-ahead log, synchronous
FULL): it survives a killed process and a power cut. Writers wait for each other, so several people can judge
at once. A judgment is never changed: a later one about the same thing replaces it, and the earlier one stays as
history. Undo is one more judgment, which says again what was said before.
"""

import json
import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from search.corpus.labels import query_id
from search.judging.safekeeping import COPIES, copy_of_today, damaged, look_at, row_sum
from search.judging.votes import Judgment, judge_name
from search.judging.votes_file import VERSION, in_words_of, new_votes, opened, version_of
from search.projects import audit
from search.projects.artifacts import now
from search.projects.audit import Actor
from search.projects.errors import Failed, Refused, in_words
from search.projects.files import PRIVATE_FOLDER
from search.projects.project import Project
from search.projects.settings import LIMITS

KNOWN = "known"
"""The key of a judgment's details under which stands how it is known who gave it."""
_FOLDER, _FILE = "judgments", "judgments.sqlite"
_COLUMNS = "judge, question, kind, target, value, final, details, token, number, time"
_NEXT = "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'marks'"
_STANDING = f"""
    SELECT {_COLUMNS} FROM marks WHERE number IN
    (SELECT max(number) FROM marks GROUP BY judge, question, kind, target, final)
"""


class RankedDocument(NamedTuple):
    """A document that a column found: its id, its position in the corpus, and that of its best passage."""

    id: str
    document: int
    passage: int


RankedDocuments = list[RankedDocument]
"""What a column found for a question, best first."""


@dataclass(frozen=True)
class Question:
    """Something to ask both columns; `origin` is "query set", "typed", "history", "imported" or "proposed"."""

    id: str
    text: str
    origin: str


class JudgmentStore:
    """The judgments of one project. Safe to use from several threads and processes at once.

    :param path: the SQLite file; it is made at the first write.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, project: Project) -> "JudgmentStore":
        """The store of a project."""
        return cls(project.folder / _FOLDER / _FILE)

    # Marks.

    def add(self, judgments: Iterable[Judgment]) -> list[Judgment]:
        """Keep judgments, all or none; they are on disk when this returns.

        :returns: those that were new, with their numbers; a token that is known already counts once.
        """
        who = audit.actor()
        with self._write() as connection:
            made = [_insert(connection, _known(judgment, who)) for judgment in judgments]
            new = [judgment for judgment in made if judgment is not None]
            if new:
                judges = ", ".join(sorted({judgment.judge for judgment in new}))
                self._note(
                    "judged",
                    who,
                    judges,
                    questions=len({one.question for one in new}),
                    judgments=len(new),
                )
        return new

    def undo(self, judge: str) -> Judgment | None:
        """Take back the last thing that a judge said and did not take back yet.

        :returns: the judgment that was taken back; None when there was nothing.
        """
        with self._write() as connection:
            row = connection.execute(
                f"SELECT {_COLUMNS} FROM marks WHERE judge = ?1 AND undoes IS NULL AND number NOT IN "
                "(SELECT undoes FROM marks WHERE judge = ?1 AND undoes IS NOT NULL) "
                "ORDER BY number DESC LIMIT 1",
                (judge,),
            ).fetchone()
            if row is None:
                return None
            last = _judgment(row)
            # What stood before: the newest earlier word that was not taken back itself.
            before = connection.execute(
                "SELECT value, details FROM marks WHERE judge = ? AND question = ? AND kind = ? AND "
                "target = ? AND final = ? AND number < ? AND undoes IS NULL AND number NOT IN "
                "(SELECT undoes FROM marks WHERE undoes IS NOT NULL) ORDER BY number DESC LIMIT 1",
                (*last.key, last.number),
            ).fetchone() or (None, "{}")
            again = replace(last, value=before[0], details=json.loads(before[1]), token=None)
            who = audit.actor()
            _insert(connection, _known(again, who), undoes=last.number)
            self._note("took a judgment back", who, judge)
        return last

    def standing(self) -> list[Judgment]:
        """What every judge says now, oldest first; what was taken back is left out."""
        rows = self._rows(f"{_STANDING} AND value IS NOT NULL ORDER BY number")
        return [_judgment(row) for row in rows]

    def history(self) -> list[Judgment]:
        """Everything that was ever said, oldest first; a value of None took something back."""
        return [
            _judgment(row) for row in self._rows(f"SELECT {_COLUMNS} FROM marks ORDER BY number")
        ]

    # Judges, questions, rankings, settings.

    def join(self, name: str) -> str:
        """Note a judge; "anna" is the Anna who joined before.

        :returns: the name as it was first spelled.
        :raises Refused: for a name that cannot be one.
        """
        tidy = judge_name(name)
        with self._write() as connection:
            connection.execute(
                "INSERT INTO judges VALUES (?1, ?2, ?3, row_sum(?1, ?2, ?3)) ON CONFLICT DO NOTHING",
                (tidy.casefold(), tidy, now()),
            )
            row = connection.execute(
                "SELECT name FROM judges WHERE folded = ?", (tidy.casefold(),)
            ).fetchone()
        return str(row[0])

    def judges(self) -> list[str]:
        """The names of all judges, in the order in which they joined."""
        return [row[0] for row in self._rows("SELECT name FROM judges ORDER BY time, name")]

    def ask(self, questions: Iterable[Question]) -> None:
        """Note questions; one that is known keeps its text and origin."""
        with self._write() as connection:
            connection.executemany(
                "INSERT INTO questions VALUES (?1, ?2, ?3, ?4, row_sum(?1, ?2, ?3, ?4)) "
                "ON CONFLICT DO NOTHING",
                [(question.id, question.text, question.origin, now()) for question in questions],
            )

    def ask_typed(self, text: str, origin: str = "typed") -> Question:
        """Note a question that somebody typed.

        :raises Refused: when it is empty or too long.
        """
        tidy = " ".join(text.split())
        if not tidy or len(tidy) > LIMITS.query_characters:
            raise Refused(f"A question has 1 to {LIMITS.query_characters:,} characters.")
        known = {question.text: question for question in self.questions()}
        question = known.get(tidy) or Question(query_id(tidy), tidy, origin)
        self.ask([question])
        return question

    def withdraw(self, identity: str) -> bool:
        """Ask a question no more, as long as nothing that anybody said of it stands.

        :returns: whether it is gone; what was judged stays.
        """
        with self._write() as connection:
            standing = f"{_STANDING} AND value IS NOT NULL"
            gone = connection.execute(
                f"DELETE FROM questions WHERE id = ?1 AND id NOT IN (SELECT question FROM ({standing}))",
                (identity,),
            )
            return bool(gone.rowcount)

    def questions(self) -> list[Question]:
        """All questions, in the order in which they came."""
        rows = self._rows("SELECT id, text, origin FROM questions ORDER BY rowid")
        return [Question(*row) for row in rows]

    def save_rankings(
        self, column: str, version: str, rankings: Mapping[str, RankedDocuments]
    ) -> None:
        """Note what a column found for questions.

        :param version: names the index (and all else) behind the column; another version, another ranking.
        """
        with self._write() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO rankings VALUES (?1, ?2, ?3, ?4, ?5, row_sum(?1, ?2, ?3, ?4, ?5))",
                [(q, column, version, json.dumps(ranked), now()) for q, ranked in rankings.items()],
            )

    def rankings(self, column: str, version: str) -> dict[str, RankedDocuments]:
        """What one version of a column found, by the id of the question."""
        wanted = 'SELECT question, found FROM rankings WHERE "column" = ? AND version = ?'
        rows = self._rows(wanted, column, version)
        return {row[0]: [RankedDocument(*ranked) for ranked in json.loads(row[1])] for row in rows}

    def versions(self) -> list[tuple[str, str]]:
        """Every column with every version of it that was asked."""
        return self._rows('SELECT DISTINCT "column", version FROM rankings')

    def setting(self, name: str, default: str) -> str:
        """A setting of this project's judging."""
        rows = self._rows("SELECT value FROM settings WHERE name = ?", name)
        return str(rows[0][0]) if rows else default

    def set(self, name: str, value: str) -> None:
        """Change a setting."""
        self.set_all({name: value})

    def set_all(self, values: Mapping[str, str]) -> None:
        """Change several settings at once."""
        with self._write() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO settings VALUES (?1, ?2, row_sum(?1, ?2))", values.items()
            )

    def settings_of(self, prefix: str) -> dict[str, str]:
        """All settings whose names begin alike."""
        rows = self._rows(
            "SELECT name, value FROM settings WHERE substr(name, 1, ?) = ?",
            str(len(prefix)),
            prefix,
        )
        return dict(rows)

    def secret(self) -> bytes:
        """The key of all shuffles: made here, never shown, so that nobody can work out the sides."""
        with self._write() as connection:
            connection.execute(
                "INSERT INTO settings VALUES ('secret', ?1, row_sum('secret', ?1)) ON CONFLICT DO NOTHING",
                (secrets.token_hex(32),),
            )
            row = connection.execute("SELECT value FROM settings WHERE name = 'secret'").fetchone()
        return bytes.fromhex(row[0])

    def _note(self, what: str, who: Actor, judges: str, **facts: int) -> None:
        audit.note(what, self.path.parents[1].name, f"judge: {judges}", who, **facts)

    def _rows(self, query: str, *values: str) -> list[Any]:
        """What a query gives; nothing while nothing was written yet."""
        if not self._was_made():
            return []
        with self._connected(to_write=False) as connection:
            return connection.execute(query, values).fetchall()

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """One transaction that holds the write lock from its start."""
        try:
            self.path.parent.mkdir(PRIVATE_FOLDER, exist_ok=True)
            if not self._was_made():
                new_votes(self.path)
        except FileNotFoundError:  # A vote never brings a project back.
            raise Refused("The project is gone: somebody deleted or renamed it.") from None
        except OSError as error:
            raise Failed(
                f"Votes cannot be written to {self.path.parent}: {in_words(error)}. Nothing was kept of this one."
            ) from None
        with self._connected() as connection:
            copy_of_today(connection, self.path)
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _was_made(self) -> bool:
        """Whether votes were ever kept.

        :raises Failed: where they were, and their file is gone.
        """
        if self.path.is_file():
            return True
        if os.path.lexists(self.path) or (self.path.parent / COPIES).is_dir():
            raise damaged(self.path, "the file is gone")
        return False

    @contextmanager
    def _connected(self, to_write: bool = True) -> Iterator[sqlite3.Connection]:
        try:
            with opened(self.path, to_write) as connection:
                if version_of(connection) == VERSION:
                    look_at(connection, self.path)
                elif to_write:
                    raise Failed(f"{self.path} was written by an earlier version of Bespoke.")
                yield connection
        except sqlite3.DatabaseError as error:
            raise in_words_of(self.path, error) from error
        except OSError as error:
            raise Failed(
                f"The votes in {self.path} cannot be read now: {in_words(error)}. They stay as they are: see that the "
                "file may be read, and try again."
            ) from error


def _known(judgment: Judgment, who: Actor) -> Judgment:
    """A judgment that says how it is known who gave it (see `search.projects.audit.Known`)."""
    return replace(judgment, details={**judgment.details, KNOWN: who.known})


def _insert(
    connection: sqlite3.Connection, judgment: Judgment, undoes: int | None = None
) -> Judgment | None:
    moment = judgment.time if judgment.time and undoes is None else now()
    values = (
        moment, judgment.judge, judgment.question, judgment.kind, judgment.target, judgment.value, int(judgment.final),
        json.dumps(dict(judgment.details)), judgment.token, undoes,
    )  # fmt: skip
    # The write lock is held: the next number is the one after the last.
    number = connection.execute(_NEXT).fetchone()[0]
    cursor = connection.execute(
        "INSERT INTO marks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (token) DO NOTHING",
        (number, *values, row_sum(number, *values)),
    )
    if not cursor.rowcount:
        return None
    return replace(judgment, number=int(cursor.lastrowid or 0), time=moment)


def _judgment(row: Sequence[Any]) -> Judgment:
    judge, question, kind, target, value, final, details, *rest = row
    said = json.loads(details)
    return Judgment(judge, question, kind, target, value, bool(final), said, *rest)
