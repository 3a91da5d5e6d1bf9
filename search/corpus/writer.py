"""Writing a corpus: documents into one SQLite file, cut into passages, their metadata indexed."""

import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path

from search.corpus.corpus import (
    CORPUS_FILE,
    DOCUMENT,
    Corpus,
    content_key,
    document_of,
    embedded_key,
    key_of_words,
    stored_keys,
)
from search.corpus.document import Document
from search.corpus.filters import Tiers, as_number
from search.corpus.json_numbers import list_items
from search.corpus.passages import WHOLE, Chunker, Chunking, embedded_passage
from search.corpus.readers.report import Report
from search.corpus.tokenizer import SubwordCounter
from search.projects.errors import Cancelled, Failed
from search.projects.progress import Progress, silent
from search.text.words import folded_words

_SCHEMA = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE documents (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, text TEXT NOT NULL,
    metadata TEXT NOT NULL, marks TEXT NOT NULL, tier INTEGER,
    text_key BLOB NOT NULL, full_key BLOB NOT NULL
);
CREATE TABLE passages (
    position INTEGER PRIMARY KEY, document INTEGER NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL,
    heading TEXT NOT NULL, page INTEGER, prefix TEXT, embedded_key BLOB NOT NULL, text_key BLOB
);
CREATE TABLE facts (
    name TEXT NOT NULL, folded TEXT NOT NULL, value TEXT NOT NULL, document INTEGER NOT NULL, number REAL,
    PRIMARY KEY (name, folded, value, document)
) WITHOUT ROWID;
"""
_LOOKUPS = """
CREATE INDEX IF NOT EXISTS by_text ON documents (text_key);
CREATE INDEX IF NOT EXISTS by_full ON documents (full_key);
CREATE INDEX IF NOT EXISTS by_document ON passages (document);
CREATE INDEX IF NOT EXISTS by_passage ON passages (text_key) WHERE text_key IS NOT NULL;
"""
# A list in the metadata is a fact for each of its items. Long values are text to read, not to filter by.
_FACTS = """
INSERT OR IGNORE INTO facts
SELECT m.key, folded(trim(v.value)), trim(v.value), d.position, as_number(trim(v.value))
FROM documents d, json_each(d.metadata) m,
     json_each(CASE WHEN m.value LIKE '[%' THEN list_items(m.value) ELSE json_array(m.value) END) v
WHERE length(trim(v.value)) BETWEEN 1 AND 100 AND d.metadata != '{}'
"""
_NEARLY_UNIQUE = """
DELETE FROM facts WHERE name IN (
    SELECT name FROM facts GROUP BY name
    HAVING count(DISTINCT value) > 1000 AND count(number) < count(*)
       AND sum(value GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]*') < count(*)
       AND count(DISTINCT value) > 0.5 * (SELECT count(*) FROM documents)
)
"""
_VALUES = 10
_TICK = 100_000  # SQLite's own steps between two looks at whether the person cancelled.


@contextmanager
def _writing() -> Iterator[None]:
    """SQLite's errors in words; a cancel that interrupted it is a cancel again."""
    try:
        yield
    except sqlite3.Error as error:
        if "interrupted" in str(error):  # What was raised while SQLite worked is lost inside it.
            raise Cancelled("Cancelled. Nothing was published.") from None
        raise Failed(f"The corpus could not be written: {error}.") from error


@dataclass
class Added:
    """What `CorpusWriter.add` did: documents written, changed, and those that were there already."""

    written: int = 0
    replaced: int = 0
    unchanged: int = 0

    def __add__(self, other: "Added") -> "Added":
        """Both together."""
        return Added(*map(sum, zip(astuple(self), astuple(other), strict=True)))


class CorpusWriter:
    """Writes documents into a new corpus file, or into a copy of an earlier one.

    :param folder: where the file goes.
    :param earlier: the corpus to add to.
    :param chunking: how documents are cut; None takes the earlier corpus's, or keeps documents whole.
    :param tiers: which sources come first; None takes the earlier corpus's.
    :param replace_changed: a document whose id is taken takes the place of the old one.
    :param pieces: counts the word pieces of the model by which is cut; None for the built-in one's.
    """

    def __init__(
        self,
        folder: Path,
        earlier: Corpus | None = None,
        chunking: Chunking | None = None,
        tiers: Tiers | None = None,
        replace_changed: bool = False,
        pieces: SubwordCounter | None = None,
    ) -> None:
        path = folder / CORPUS_FILE
        if earlier is not None:
            shutil.copyfile(earlier.path, path)
        self._connection = sqlite3.connect(path)
        # The file is a draft until it is published, so a crash costs nothing; a refused file is rolled back.
        self._connection.isolation_level = None
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute("PRAGMA cache_size = -65536")
        if earlier is None:
            self._connection.executescript(_SCHEMA)
        self._connection.create_function("as_number", 1, as_number, deterministic=True)
        self._connection.create_function("list_items", 1, list_items, deterministic=True)
        self._connection.create_function("folded", 1, str.casefold, deterministic=True)
        self._connection.execute("BEGIN")
        before = earlier.chunking if earlier is not None else None
        self._recut = before is not None and chunking not in (None, before)
        self._chunker = Chunker(chunking or before or WHOLE, pieces)
        known_tiers = earlier.tiers if earlier is not None else None
        self._retier = earlier is not None and tiers not in (None, known_tiers)
        self._tiers = tiers or known_tiers
        self._replace = replace_changed
        self._removed_passages = False
        self._first = self._next = self._count("documents")
        self._next_passage = self._count("passages")
        if self._retier:
            self._connection.create_function(
                "tier_of", 1, lambda text: self._tier(json.loads(text))
            )
            self._connection.execute("UPDATE documents SET tier = tier_of(metadata)")

    @_writing()
    def add(self, documents: Iterable[Document], report: Report | None = None) -> Added:
        """Write documents; one that is there already, equal in everything, is left alone.

        Another document of the same id is refused in `report`, or takes the place of the old one. Ids that a
        reader made up (the file has none) are no identity: such a document is known by its content, and its id
        gives way: two files named notes.txt may both come in.
        """
        made_up = report is not None and "id" not in report.roles
        added = Added()
        for document in documents:
            if made_up and self._stood_before(document):
                added.unchanged += 1
            elif self._insert(document) or (made_up and self._insert_under_free_id(document)):
                added.written += 1
            else:
                self._settle(document, report, added)
        return added

    def _settle(self, document: Document, report: Report | None, added: Added) -> None:
        """What happens to a document whose id is taken."""
        position, known = self._known(document.id)
        given = self._fields(document)[:5]
        same_text = known[:3] == given[:3]
        # A file that says less about a document than is known of it brings nothing new.
        says_less = same_text and document.metadata.items() <= json.loads(str(known[3])).items()
        if known == given or (says_less and not self._replace):
            added.unchanged += 1
        elif self._replace and position < self._first:
            self._overwrite(position, document)
            added.replaced += 1
        elif report is not None:
            what = "with other metadata" if same_text else "with another text"
            way_out = " (--replace takes the new one)" if position < self._first else ""
            report.accepted -= 1
            report.refuse(
                document.where or f"document {document.id!r}",
                f"the id {document.id!r} is in the corpus already, {what}{way_out}",
            )

    @contextmanager
    def together(self) -> Iterator[None]:
        """Undo what the block wrote when it ends with an error."""
        count, passages = self._next, self._next_passage
        self._connection.execute("SAVEPOINT source")
        try:
            yield
        except BaseException:
            with suppress(sqlite3.Error):  # On a full disk SQLite has undone everything itself.
                self._connection.execute("ROLLBACK TO source")
                self._connection.execute("RELEASE source")
            self._next, self._next_passage = count, passages
            raise
        self._connection.execute("RELEASE source")

    @property
    def count(self) -> int:
        """Documents in the corpus so far."""
        return self._next

    @property
    def changes_everything(self) -> bool:
        """Whether another way of cutting or another order of tiers touches what was there before."""
        return self._recut or self._retier

    @_writing()
    def close(self, progress: Progress = silent) -> int:
        """Index metadata, and write everything out.

        :returns: the number of passages.
        :raises Failed: when the disk is full.
        """
        if self._recut or self._removed_passages:
            self._cut_again(progress)
        settings = {"chunking": json.dumps(asdict(self._chunker.chunking))}
        if self._tiers is not None:
            settings["tiers"] = json.dumps(asdict(self._tiers), ensure_ascii=False)
        self._connection.executemany(
            "INSERT OR REPLACE INTO settings VALUES (?, ?)", list(settings.items())
        )
        steps = (
            (_LOOKUPS, "sorting what came in"),
            (f"DELETE FROM facts; {_FACTS}; {_NEARLY_UNIQUE}", "indexing metadata"),
        )
        for number, (statements, message) in enumerate(steps):
            self._run(statements, progress, number, len(steps), message)
        self._connection.execute("COMMIT")
        total = self._count("passages")
        self._connection.close()
        return total

    def _run(
        self, statements: str, progress: Progress, number: int, total: int, message: str
    ) -> None:
        """Run long statements; a cancel interrupts them."""

        def tick() -> int:
            progress(number, total, message)
            return 0

        progress(number, total, message)
        self._connection.set_progress_handler(tick, _TICK)
        try:
            for statement in statements.split(";"):
                if statement.strip():
                    self._connection.execute(statement)
        finally:
            self._connection.set_progress_handler(None, 0)

    def _insert(self, document: Document) -> bool:
        """Write a document unless its id is taken."""
        cursor = self._connection.execute(
            "INSERT OR IGNORE INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (self._next, *self._fields(document)),
        )
        if not cursor.rowcount:
            return False
        self._insert_passages(self._next, document)
        self._next += 1
        return True

    def _fields(self, document: Document) -> tuple[object, ...]:
        marks = [[mark.start, mark.heading, mark.page] for mark in document.marks]
        words = folded_words(document.text)
        return (
            document.id,
            document.title,
            document.text,
            json.dumps(dict(document.metadata), ensure_ascii=False),
            json.dumps(marks, ensure_ascii=False) if marks else "",
            self._tier(document.metadata),
            key_of_words(words),
            key_of_words(folded_words(document.title) + words),
        )

    def _tier(self, metadata: Mapping[str, str]) -> int | None:
        return None if self._tiers is None else self._tiers.of(metadata.get(self._tiers.column))

    def _insert_passages(self, position: int, document: Document) -> None:
        passages = self._chunker.cut(document)
        cut = len(passages) > 1
        numbers = range(self._next_passage, self._next_passage + len(passages))
        self._connection.executemany(
            "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    *(number, position, *astuple(passage)),
                    embedded_key(embedded_passage(document.title, document.text, passage)),
                    content_key(document.text[passage.start : passage.stop]) if cut else None,
                )
                for number, passage in zip(numbers, passages, strict=True)
            ],
        )
        self._next_passage += len(passages)

    def _known(self, identity: str) -> tuple[int, tuple[object, ...]]:
        """The position of the document that has this id, and its fields up to its marks."""
        question = f"SELECT position, {DOCUMENT} FROM documents WHERE id = ?"
        position, *fields = self._connection.execute(question, (identity,)).fetchone()
        return position, tuple(fields)

    def _stood_before(self, document: Document) -> bool:
        """Whether the corpus that is added to has this document, under whatever id."""
        if not self._first:
            return False
        _, title, text, metadata, *_ = self._fields(document)
        return any(
            (title, text, metadata)
            in self._connection.execute(
                "SELECT title, text, metadata FROM documents WHERE full_key = ? AND position < ?",
                (key, self._first),
            ).fetchall()
            for key in stored_keys(f"{title} {text}")
        )

    def _overwrite(self, position: int, document: Document) -> None:
        self._connection.execute(
            "UPDATE documents SET id = ?, title = ?, text = ?, metadata = ?, marks = ?, tier = ?, "
            "text_key = ?, full_key = ? WHERE position = ?",
            (*self._fields(document), position),
        )
        # They are numbered in order of their documents: all anew, at the end.
        self._removed_passages = True

    def _insert_under_free_id(self, document: Document) -> bool:
        """Write a document whose made-up id is taken: the id is made longer by a number."""
        number = 2
        while not self._insert(replace(document, id=f"{document.id}-{number}")):
            number += 1
        return True

    def _cut_again(self, progress: Progress) -> None:
        """Cut every document, by the setting that holds now."""
        self._connection.execute("DELETE FROM passages")
        self._next_passage = 0
        for position in range(self._next):
            if position % 500 == 0:
                progress(position, self._next, "cutting documents into passages")
            question = f"SELECT {DOCUMENT} FROM documents WHERE position = ?"
            fields = self._connection.execute(question, (position,)).fetchone()
            self._insert_passages(position, document_of(fields))

    def tier_values(self) -> tuple[bool, list[str]]:
        """Whether any document has a value that the rule names, and the first values that there are."""
        rule = self._tiers
        if rule is None:
            return False, []
        question = "SELECT 1 FROM documents WHERE tier < ? LIMIT 1"
        named = self._connection.execute(question, (len(rule.order),)).fetchone()
        found: dict[str, None] = {}
        for (metadata,) in self._connection.execute("SELECT metadata FROM documents"):
            value = json.loads(metadata).get(rule.column)
            if value is not None:
                found[value] = None
            if len(found) == _VALUES:
                break
        return named is not None, list(found)

    def _count(self, table: str) -> int:
        return int(self._connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
