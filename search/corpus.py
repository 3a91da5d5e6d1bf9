"""Documents in one SQLite file, with a full-text index (FTS5) for keyword search."""

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from search.documents import Document
from search.errors import Failed, Refused
from search.progress import Progress, silent
from search.readers.documents import DocumentColumns, read_documents
from search.readers.report import Report
from search.readers.tables import open_report
from search.settings import LIMITS
from search.text import folded_words
from search.workspace import Manifest, Project

CORPUS_FILE = "corpus.sqlite"
_SCHEMA = """
CREATE TABLE documents (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, text TEXT NOT NULL,
    metadata TEXT NOT NULL, text_key BLOB NOT NULL, full_key BLOB NOT NULL
);
CREATE INDEX by_text ON documents (text_key);
CREATE INDEX by_full ON documents (full_key);
CREATE VIRTUAL TABLE words USING fts5 (
    title, text, content='documents', content_rowid='position',
    tokenize="porter unicode61 remove_diacritics 2 categories 'L* N* Co M*'"
);
"""


def content_key(text: str) -> bytes:
    """A short hash of the words of a text: equal for texts that differ in case or punctuation."""
    words = " ".join(folded_words(text))
    return hashlib.blake2b(words.encode(), digest_size=12).digest()


class Corpus:
    """The documents of a corpus, read-only. Safe to use from several threads.

    A document's position is its row number, from 0: the number by which an index knows it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, project: Project, manifest: Manifest) -> "Corpus":
        """The corpus of an artifact, checked to be whole."""
        return cls(project.checked(manifest) / CORPUS_FILE)

    def __len__(self) -> int:
        """The number of documents."""
        with self._open() as connection:
            return int(connection.execute("SELECT count(*) FROM documents").fetchone()[0])

    def embedded_texts(self, start: int, stop: int) -> list[str]:
        """What models see of the documents at the positions from `start` up to `stop`."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT title, text FROM documents WHERE position >= ? AND position < ? "
                "ORDER BY position",
                (start, stop),
            )
            return [f"{title} {text}".strip() for title, text in rows]

    def documents_at(self, positions: Sequence[int]) -> list[Document]:
        """The documents at these positions, in the order asked for."""
        found: dict[int, Document] = {}
        with self._open() as connection:
            for chunk in _chunks(list(positions)):
                marks = ",".join("?" * len(chunk))
                for position, *fields in connection.execute(
                    "SELECT position, id, title, text, metadata FROM documents "
                    f"WHERE position IN ({marks})",
                    chunk,
                ):
                    found[position] = _document(fields)
        return [found[position] for position in positions]

    def document(self, identity: str) -> Document | None:
        """The document with this id, or None."""
        with self._open() as connection:
            row = connection.execute(
                "SELECT id, title, text, metadata FROM documents WHERE id = ?", (identity,)
            ).fetchone()
        return _document(row) if row else None

    def ids(self) -> list[str]:
        """All document ids, by position."""
        with self._open() as connection:
            return [
                row[0] for row in connection.execute("SELECT id FROM documents ORDER BY position")
            ]

    def match(self, text: str) -> str | None:
        """The id of a document whose text, or title and text, has the same words; else None."""
        if not folded_words(text):
            return None
        key = content_key(text)
        with self._open() as connection:
            row = connection.execute(
                "SELECT id FROM documents WHERE text_key = ?1 OR full_key = ?1 "
                "ORDER BY position LIMIT 1",
                (key,),
            ).fetchone()
        return str(row[0]) if row else None

    def keyword_search(self, query: str, k: int) -> list[tuple[int, float]]:
        """Positions and BM25 scores (higher is better) of the best documents, by FTS5.

        :returns: nothing when no word of the query occurs in the corpus.
        """
        words = list(dict.fromkeys(folded_words(query)))[:256]
        if not words:
            return []
        expression = " OR ".join(f'"{word}"' for word in words)
        with self._open() as connection:
            rows = connection.execute(
                "SELECT rowid, -bm25(words) FROM words WHERE words MATCH ? "
                "ORDER BY bm25(words), rowid LIMIT ?",
                (expression, k),
            ).fetchall()
        return [(int(position), float(score)) for position, score in rows]

    def sample(self, count: int) -> list[Document]:
        """The first `count` documents."""
        return self.documents_at(range(min(count, len(self))))

    def _open(self) -> "closing[sqlite3.Connection]":
        try:
            uri = f"{self.path.as_uri()}?mode=ro&immutable=1"
            return closing(sqlite3.connect(uri, uri=True, check_same_thread=False))
        except sqlite3.Error as error:
            raise Failed(f"{self.path} cannot be opened: {error}.") from None


@dataclass
class Added:
    """What `CorpusWriter.add` did: documents written, and those that were there already."""

    written: int = 0
    unchanged: int = 0


class CorpusWriter:
    """Writes documents into a new corpus file, or into a copy of an earlier one."""

    def __init__(self, folder: Path, earlier: Path | None = None) -> None:
        path = folder / CORPUS_FILE
        if earlier is not None:
            shutil.copyfile(earlier, path)
        self._connection = sqlite3.connect(path)
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("PRAGMA synchronous = OFF")
        if earlier is None:
            self._connection.executescript(_SCHEMA)
        row = self._connection.execute("SELECT count(*) FROM documents").fetchone()
        self._next = int(row[0])

    def add(self, documents: Iterable[Document], report: Report | None = None) -> Added:
        """Write documents; one whose id is taken is left alone if equal, else refused in `report`.

        Ids that a reader made up (the file has none) give way instead: two files named notes.txt may both
        come in.
        """
        added = Added()
        for document in documents:
            if report is not None and "id" not in report.roles:
                document = self._with_free_id(document)
            row = self._connection.execute(
                "SELECT title, text FROM documents WHERE id = ?", (document.id,)
            ).fetchone()
            if row is None:
                self._insert(document)
                added.written += 1
            elif row == (document.title, document.text):
                added.unchanged += 1
            elif report is not None:
                report.accepted -= 1
                report.refuse(
                    f"document {document.id!r}", "another document of the corpus has this id"
                )
        return added

    def _with_free_id(self, document: Document) -> Document:
        """The document, its id made longer by a hash of its words when another document has it."""
        row = self._connection.execute(
            "SELECT title, text FROM documents WHERE id = ?", (document.id,)
        ).fetchone()
        if row is None or row == (document.title, document.text):
            return document
        return replace(document, id=f"{document.id}-{content_key(document.embedded).hex()[:8]}")

    @property
    def count(self) -> int:
        """Documents in the corpus so far."""
        return self._next

    def close(self) -> None:
        """Build the full-text index and write everything out."""
        self._connection.execute("INSERT INTO words (words) VALUES ('rebuild')")
        self._connection.execute("INSERT INTO words (words) VALUES ('optimize')")
        self._connection.commit()
        self._connection.close()

    def _insert(self, document: Document) -> None:
        self._connection.execute(
            "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                self._next,
                document.id,
                document.title,
                document.text,
                json.dumps(dict(document.metadata), ensure_ascii=False),
                content_key(document.text),
                content_key(document.embedded),
            ),
        )
        self._next += 1


@dataclass(frozen=True)
class Intake:
    """What an `add` brought: the new corpus, one report per file, and the counts."""

    corpus: Manifest
    reports: list[Report]
    written: int
    unchanged: int
    total: int


def current_corpus(project: Project) -> tuple[Manifest, Corpus]:
    """The newest corpus of a project.

    :raises Refused: when there is none yet.
    """
    manifest = project.newest("corpora")
    if manifest is None:
        raise Refused(
            f"The project {project.name!r} has no documents yet. "
            f"Add some: python cli.py add {project.name} FILE."
        )
    return manifest, Corpus.of(project, manifest)


def add_documents(
    project: Project,
    files: Sequence[Path],
    columns: DocumentColumns = DocumentColumns(),
    progress: Progress = silent,
) -> Intake:
    """Add the documents of files to a project: a new version of its corpus, the old one kept.

    :raises Refused: when a file cannot be used at all, when nothing is new, or when the corpus would
        have fewer than two documents. Nothing is changed then.
    """
    reports = [open_report(path) for path in files]
    earlier = project.newest("corpora")
    old = Corpus.of(project, earlier) if earlier else None
    made_from = {"corpus": earlier.id} if earlier else {}
    written = unchanged = 0
    with project.publish_together() as drafts:
        draft = drafts.add("corpora", made_from)
        writer = CorpusWriter(draft.folder, old.path if old else None)
        for path, report in zip(files, reports, strict=True):
            documents = read_documents(path, report, columns)
            added = writer.add(_counted(documents, report, progress), report)
            report.require_some("documents")
            written += added.written
            unchanged += added.unchanged
        total = writer.count
        writer.close()
        require_enough_documents(total, ", ".join(report.source for report in reports))
        if not written:
            raise Refused("Nothing was added: every document is already in the corpus, unchanged.")
        draft.details.update(
            documents=total, written=written, files=[report.summary() for report in reports]
        )
    progress(1, 1, f"{total:,} documents in the corpus")
    return Intake(project.artifact("corpora", draft.id), reports, written, unchanged, total)


def require_enough_documents(total: int, source: str) -> None:
    """Refuse a corpus in which every search would return the same thing."""
    if total < LIMITS.min_documents:
        raise Refused(
            f"{source}: a corpus needs at least {LIMITS.min_documents} documents to be searched, "
            f"this one would have {total}. Add more documents in the same step."
        )


def _counted(
    documents: Iterator[Document], report: Report, progress: Progress
) -> Iterator[Document]:
    for number, document in enumerate(documents):
        if number % 200 == 0:
            progress(number, 0, f"reading {report.source}: {number:,} documents")
        yield document


def _document(fields: Sequence[str]) -> Document:
    identity, title, text, metadata = fields
    return Document(identity, title, text, json.loads(metadata))


def _chunks(items: list[int], size: int = 500) -> Iterator[list[int]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
