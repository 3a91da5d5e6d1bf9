"""Writing a corpus: documents into one SQLite file, cut into passages, their words and metadata indexed."""

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from search.corpus import CORPUS_FILE, Corpus, content_key, document_of, key_of_words
from search.documents import Document
from search.errors import Cancelled, Failed
from search.filters import Tiers
from search.passages import WHOLE, Cutter, Cutting, Passage, embedded_passage
from search.progress import Progress, silent
from search.readers.report import Report
from search.text import folded_words

_SCHEMA = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE documents (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, text TEXT NOT NULL,
    metadata TEXT NOT NULL, marks TEXT NOT NULL, tier INTEGER,
    text_key BLOB NOT NULL, full_key BLOB NOT NULL
);
CREATE TABLE passages (
    position INTEGER PRIMARY KEY, document INTEGER NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL,
    heading TEXT NOT NULL, page INTEGER, embedded_key BLOB NOT NULL, text_key BLOB
);
CREATE TABLE facts (
    name TEXT NOT NULL, value TEXT NOT NULL, document INTEGER NOT NULL, number REAL,
    PRIMARY KEY (name, value, document)
) WITHOUT ROWID;
CREATE VIEW passage_words AS
    SELECT p.position AS position, trim(d.title || ' ' || p.heading) AS title,
           substr(d.text, p.start + 1, p.stop - p.start) AS text
    FROM passages p JOIN documents d ON d.position = p.document;
CREATE VIRTUAL TABLE words USING fts5 (
    title, text, content='passage_words', content_rowid='position',
    tokenize="porter unicode61 remove_diacritics 2 categories 'L* N* Co M*'"
);
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
SELECT m.key, trim(v.value), d.position,
       CASE WHEN trim(v.value) GLOB '[-0-9.]*' AND trim(v.value) NOT GLOB '*[^-0-9.eE+]*'
            THEN CAST(trim(v.value) AS REAL) END
FROM documents d, json_each(d.metadata) m,
     json_each(CASE WHEN m.value LIKE '[%' AND json_valid(m.value) THEN m.value
               ELSE json_array(m.value) END) v
WHERE length(trim(v.value)) BETWEEN 1 AND 100 AND d.metadata != '{}'
"""
_NEARLY_UNIQUE = """
DELETE FROM facts WHERE name IN (
    SELECT name FROM facts GROUP BY name
    HAVING count(DISTINCT value) > 1000 AND count(number) < count(*)
       AND count(DISTINCT value) > 0.5 * (SELECT count(*) FROM documents)
)
"""
_TICK = 100_000  # SQLite's own steps between two looks at whether the person cancelled.


@dataclass
class Added:
    """What `CorpusWriter.add` did: documents written, changed, and those that were there already."""

    written: int = 0
    replaced: int = 0
    unchanged: int = 0

    def __add__(self, other: "Added") -> "Added":
        """Both together."""
        return Added(
            self.written + other.written,
            self.replaced + other.replaced,
            self.unchanged + other.unchanged,
        )


class CorpusWriter:
    """Writes documents into a new corpus file, or into a copy of an earlier one.

    :param folder: where the file goes.
    :param earlier: the corpus to add to.
    :param cutting: how documents are cut; None takes the earlier corpus's, or keeps documents whole.
    :param tiers: which sources come first; None takes the earlier corpus's.
    :param replace_changed: a document whose id is taken takes the place of the old one.
    """

    def __init__(
        self,
        folder: Path,
        earlier: Corpus | None = None,
        cutting: Cutting | None = None,
        tiers: Tiers | None = None,
        replace_changed: bool = False,
    ) -> None:
        path = folder / CORPUS_FILE
        if earlier is not None:
            shutil.copyfile(earlier.path, path)
        self._connection = sqlite3.connect(path)
        # The file is a draft until it is published, so a crash costs nothing; a refused file is rolled back.
        self._connection.isolation_level = None
        self._connection.execute("PRAGMA journal_mode = MEMORY")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute("PRAGMA cache_size = -65536")
        if earlier is None:
            self._connection.executescript(_SCHEMA)
        self._connection.execute("BEGIN")
        before = earlier.cutting if earlier is not None else None
        self._recut = before is not None and cutting not in (None, before)
        self._cutter = Cutter(cutting or before or WHOLE)
        known_tiers = earlier.tiers if earlier is not None else None
        self._retier = earlier is not None and tiers not in (None, known_tiers)
        self._tiers = tiers or known_tiers
        self._replace = replace_changed
        self._removed_passages = False
        self._next = self._count("documents")
        self._next_passage = self._count("passages")

    def add(self, documents: Iterable[Document], report: Report | None = None) -> Added:
        """Write documents; one whose id is taken is left alone if equal, else refused in `report`.

        Ids that a reader made up (the file has none) give way instead: two files named notes.txt may both
        come in.
        """
        with _writing():
            return self._add(documents, report)

    def _add(self, documents: Iterable[Document], report: Report | None) -> Added:
        added = Added()
        for document in documents:
            if self._insert(document):
                added.written += 1
                continue
            if report is not None and "id" not in report.roles and not self._replace:
                document = self._with_free_id(document)
                if self._insert(document):
                    added.written += 1
                    continue
            position, same = self._known(document)
            if same:
                added.unchanged += 1
            elif self._replace:
                self._put_in_place(position, document)
                added.replaced += 1
            elif report is not None:
                report.accepted -= 1
                report.refuse(
                    f"document {document.id!r}", "another document of the corpus has this id"
                )
        return added

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

    def close(self, progress: Progress = silent) -> int:
        """Index words and metadata, and write everything out.

        :returns: the number of passages.
        :raises Failed: when the disk is full.
        """
        with _writing():
            return self._close(progress)

    def _close(self, progress: Progress) -> int:
        if self._recut:
            self._cut_again(progress)
        elif self._removed_passages:
            self._number_passages()
        if self._retier:
            self._rank_again()
        settings = {"cutting": json.dumps(asdict(self._cutter.cutting))}
        if self._tiers is not None:
            settings["tiers"] = json.dumps(asdict(self._tiers), ensure_ascii=False)
        self._connection.executemany(
            "INSERT OR REPLACE INTO settings VALUES (?, ?)", list(settings.items())
        )
        steps = (
            (_LOOKUPS, "sorting what came in"),
            (f"DELETE FROM facts; {_FACTS}; {_NEARLY_UNIQUE}", "indexing metadata"),
            ("INSERT INTO words (words) VALUES ('rebuild')", "indexing words"),
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
            self._tier(document),
            key_of_words(words),
            key_of_words(folded_words(document.title) + words),
        )

    def _tier(self, document: Document) -> int | None:
        if self._tiers is None:
            return None
        return self._tiers.of(document.metadata.get(self._tiers.column))

    def _insert_passages(self, position: int, document: Document) -> None:
        passages = self._cutter.cut(document)
        self._connection.executemany(
            "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (number, position, *_passage_fields(document, passage, len(passages) > 1))
                for number, passage in enumerate(passages, start=self._next_passage)
            ],
        )
        self._next_passage += len(passages)

    def _known(self, document: Document) -> tuple[int, bool]:
        """The position of the document that has this id, and whether it is the same in every field."""
        row = self._connection.execute(
            "SELECT position, title, text, metadata FROM documents WHERE id = ?", (document.id,)
        ).fetchone()
        metadata = json.dumps(dict(document.metadata), ensure_ascii=False)
        same_text = row[1:3] == (document.title, document.text)
        return int(row[0]), same_text and (not self._replace or row[3] == metadata)

    def _put_in_place(self, position: int, document: Document) -> None:
        self._connection.execute(
            "UPDATE documents SET id = ?, title = ?, text = ?, metadata = ?, marks = ?, tier = ?, "
            "text_key = ?, full_key = ? WHERE position = ?",
            (*self._fields(document), position),
        )
        self._connection.execute("DELETE FROM passages WHERE document = ?", (position,))
        self._removed_passages = True
        self._insert_passages(position, document)

    def _with_free_id(self, document: Document) -> Document:
        """The document, its id made longer by a hash of its words when another document has it."""
        _, same = self._known(document)
        if same:
            return document
        return replace(document, id=f"{document.id}-{content_key(document.embedded).hex()[:8]}")

    def _cut_again(self, progress: Progress) -> None:
        """Cut every document by the new setting."""
        self._connection.execute("DELETE FROM passages")
        self._next_passage = 0
        for position in range(self._next):
            if position % 500 == 0:
                progress(position, self._next, "cutting documents into passages")
            fields = self._connection.execute(
                "SELECT id, title, text, metadata, marks FROM documents WHERE position = ?",
                (position,),
            ).fetchone()
            self._insert_passages(position, document_of(fields))

    def _number_passages(self) -> None:
        """Positions of passages without gaps, in the order of their documents."""
        names = "document, start, stop, heading, page, embedded_key, text_key"
        for statement in (
            f"CREATE TEMP TABLE kept AS SELECT {names} FROM passages ORDER BY document, start",
            "DELETE FROM passages",
            f"INSERT INTO passages SELECT rowid - 1, {names} FROM kept",
            "DROP TABLE kept",
        ):
            self._connection.execute(statement)

    def _rank_again(self) -> None:
        """Give every document its tier by the new rule."""
        tiers = self._tiers
        if tiers is None:
            return
        path = '$."' + tiers.column.replace('"', "") + '"'
        values = self._connection.execute(
            "SELECT DISTINCT json_extract(metadata, ?) FROM documents", (path,)
        ).fetchall()
        for (value,) in values:
            self._connection.execute(
                "UPDATE documents SET tier = ? WHERE json_extract(metadata, ?) IS ?",
                (tiers.of(value), path, value),
            )

    def _count(self, table: str) -> int:
        return int(self._connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


@contextmanager
def _writing() -> Iterator[None]:
    """SQLite's errors in words; a cancel that interrupted it is a cancel again."""
    try:
        yield
    except sqlite3.Error as error:
        if "interrupted" in str(error):  # What was raised while SQLite worked is lost inside it.
            raise Cancelled("Cancelled. Nothing was published.") from None
        raise Failed(f"The corpus could not be written: {error}.") from error


def _passage_fields(document: Document, passage: Passage, cut: bool) -> Sequence[object]:
    embedded = embedded_passage(document.title, document.text, passage)
    return (
        passage.start,
        passage.stop,
        passage.heading,
        passage.page,
        hashlib.blake2b(embedded.encode(), digest_size=12).digest(),
        content_key(document.text[passage.start : passage.stop]) if cut else None,
    )
