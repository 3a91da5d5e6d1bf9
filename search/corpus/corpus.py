"""The documents of a corpus and their passages, in one SQLite file."""

import hashlib
import json
import sqlite3
import threading
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from search.corpus.document import Document, Heading
from search.corpus.filters import Scope, Tiers, check_columns
from search.corpus.passages import WHOLE, Chunking, Passage, embedded_passage
from search.projects.artifacts import Manifest
from search.projects.errors import Damaged, Failed, Refused
from search.projects.project import Project
from search.text.words import folded_words, without_formats

CORPUS_FILE = "corpus.sqlite"
DOCUMENT = "id, title, text, metadata, marks"
"""The columns that `document_of` makes a document out of."""
_SHOWN_VALUES = 200
_Item = TypeVar("_Item")
_PASSAGE = "start, stop, heading, page, prefix"


def content_key(text: str) -> bytes:
    """A short hash of the words of a text: equal for texts that differ in case or punctuation."""
    return key_of_words(folded_words(text))


def stored_keys(text: str) -> tuple[bytes, ...]:
    """The keys that corpora may hold of a text: in older ones format signs parted words."""
    if text.isascii():
        return (content_key(text),)
    return tuple({content_key(text), content_key(without_formats(text, " "))})


def key_of_words(words: Sequence[str]) -> bytes:
    """The `content_key` of a text of these words."""
    return hashlib.blake2b(" ".join(words).encode(), digest_size=12).digest()


def embedded_key(text: str) -> bytes:
    """A hash of what a model sees of a passage: equal for equal texts only."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).digest()


class ScoredDocument(NamedTuple):
    """A document that a search found: its position, the score, and the position of its best passage."""

    document: int
    score: float
    passage: int


@dataclass(frozen=True)
class Column:
    """Metadata to filter by: its values with the number of documents, the most frequent first.

    Where every value is a number, `low` and `high` are the ends of their range. Only the first two hundred
    of `distinct` values are listed.
    """

    name: str
    values: list[tuple[str, int]]
    distinct: int
    low: float | None = None
    high: float | None = None


class Corpus:
    """The documents of a corpus, read-only. Safe to use from several threads.

    A document's position is its row number, from 0. Passages have positions of their own, from 0: the numbers
    by which an index knows them. Where nothing was cut, the two are the same.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._own = (
            threading.local()
        )  # A connection for each thread: opening costs more than most questions.

    @classmethod
    def of(cls, project: Project, manifest: Manifest) -> "Corpus":
        """The corpus of an artifact, checked to be whole.

        :raises Failed: when it is damaged, or was made before corpora had passages.
        """
        folder = project.checked(manifest)
        if "passages" not in manifest.details:
            raise Failed(
                f"The corpus {manifest.id} was made by an earlier version of Bespoke, which knew no passages. "
                "Add its files to a new project."
            )
        return cls(folder / CORPUS_FILE)

    def __len__(self) -> int:
        """The number of documents."""
        return int(next(self._column("SELECT count(*) FROM documents")))

    @cached_property
    def passages(self) -> int:
        """The number of passages."""
        return int(next(self._column("SELECT count(*) FROM passages")))

    @cached_property
    def chunking(self) -> Chunking:
        """How documents are cut into passages."""
        value = self._setting("chunking")
        return Chunking(**value) if value else WHOLE

    @cached_property
    def tiers(self) -> Tiers | None:
        """Which sources come first, where a rule was given."""
        rule = self._setting("tiers")
        return Tiers(rule["column"], tuple(rule["order"])) if rule else None

    @cached_property
    def owners(self) -> NDArray[np.int64]:
        """The position of each passage's document, by the passage's position."""
        rows = self._column("SELECT document FROM passages ORDER BY position")
        return np.fromiter(rows, dtype=np.int64)

    def embedded_texts(self, start: int, stop: int) -> list[str]:
        """What models see of the passages at the positions from `start` up to `stop`."""
        return self.embedded_at(range(start, min(stop, self.passages)))

    def embedded_at(self, positions: Sequence[int]) -> list[str]:
        """What models see of the passages at these positions, in the order asked for."""
        found: dict[int, str] = {}
        for chunk in _chunks(positions):
            question = f"SELECT position, document, {_PASSAGE} FROM passages WHERE position"
            rows = list(self._among(question, chunk))
            # Each document once, not once a passage: it may be a book.
            question = "SELECT position, title, text FROM documents WHERE position"
            owners = list({row[1] for row in rows})
            texts = {at: (title, text) for at, title, text in self._among(question, owners)}
            for position, document, *at in rows:
                found[position] = embedded_passage(*texts[document], Passage(*at))
        return [found[position] for position in positions]

    def embedded_keys(self) -> Iterator[bytes]:
        """A hash of what models see of each passage, by position."""
        return self._column("SELECT embedded_key FROM passages ORDER BY position")

    def texts(self, start: int, stop: int) -> list[str]:
        """Title and text of the documents at the positions from `start` up to `stop`, uncut."""
        question = "SELECT title, text FROM documents WHERE position >= ? AND position < ? ORDER BY position"
        return [f"{title} {text}".strip() for title, text in self._rows(question, start, stop)]

    def documents_at(self, positions: Sequence[int]) -> list[Document]:
        """The documents at these positions, in the order asked for."""
        question = f"SELECT position, {DOCUMENT} FROM documents WHERE position"
        found = {at: document_of(fields) for at, *fields in self._among(question, positions)}
        return [found[position] for position in positions]

    def passages_at(self, positions: Sequence[int]) -> list[Passage]:
        """The passages at these positions, in the order asked for."""
        question = f"SELECT position, {_PASSAGE} FROM passages WHERE position"
        found = {at: Passage(*fields) for at, *fields in self._among(question, positions)}
        return [found[position] for position in positions]

    def passages_of(self, document: int) -> list[int]:
        """The positions of the passages of the document at a position, in order."""
        question = "SELECT position FROM passages WHERE document = ? ORDER BY start"
        return list(self._column(question, document))

    def passage_runs(self, documents: Sequence[int]) -> dict[int, tuple[int, int]]:
        """The position of the first passage of each of these documents, and how many it has: they stand together."""
        question = "SELECT document, min(position), count(*) FROM passages WHERE document"
        rows = self._among(question, documents, "GROUP BY document")
        return {document: (first, count) for document, first, count in rows}

    def passage_texts(self, identity: str) -> list[str]:
        """The texts of the passages of the document with this id, in order; none for an unknown id."""
        question = (
            "SELECT substr(d.text, p.start + 1, p.stop - p.start) FROM documents d "
            "JOIN passages p ON p.document = d.position WHERE d.id = ? ORDER BY p.start"
        )
        return list(self._column(question, identity))

    def document(self, identity: str) -> Document | None:
        """The document with this id, or None."""
        rows = self._rows(f"SELECT {DOCUMENT} FROM documents WHERE id = ?", identity)
        return next(map(document_of, rows), None)

    def position(self, identity: str) -> int | None:
        """The position of the document with this id, or None."""
        return next(self._column("SELECT position FROM documents WHERE id = ?", identity), None)

    def ids(self) -> list[str]:
        """All document ids, by position."""
        return list(self._column("SELECT id FROM documents ORDER BY position"))

    def match(self, text: str) -> str | None:
        """The id of a document which has, whole or in one passage, the same words; else None."""
        if not folded_words(text):
            return None
        whole = (
            self._column(
                "SELECT id FROM documents WHERE text_key = ?1 OR full_key = ?1 ORDER BY position LIMIT 1",
                key,
            )
            for key in stored_keys(text)
        )
        in_part = (
            self._column(
                "SELECT d.id FROM passages p JOIN documents d ON d.position = p.document "
                "WHERE p.text_key = ? ORDER BY p.position LIMIT 1",
                key,
            )
            for key in stored_keys(text)
        )
        return next(chain.from_iterable(chain(whole, in_part)), None)

    def with_text(self, texts: Collection[str]) -> dict[str, frozenset[str]]:
        """The ids of the documents whose text, or title and text, is exactly one of these but for white space, by it."""
        wanted: dict[str, list[str]] = {}
        for text in texts:
            wanted.setdefault(_spaced(text), []).append(text)
        keys = list({content_key(text) for text in texts if folded_words(text)})
        found: dict[str, set[str]] = {}
        for chunk in _chunks(keys):
            marks = ",".join("?" * len(chunk))
            for key in ("text_key", "full_key"):
                question = f"SELECT id, title, text FROM documents WHERE {key} IN ({marks})"
                for identity, title, text in self._rows(question, *chunk):
                    for own in {_spaced(text), _spaced(f"{title} {text}")}:
                        for asked in wanted.get(own, ()):
                            found.setdefault(asked, set()).add(identity)
        return {text: frozenset(ids) for text, ids in found.items()}

    def within(self, scope: Scope) -> NDArray[np.int64] | None:
        """The positions of the passages that a scope allows, rising; None for all of them.

        :raises Refused: for a condition on metadata that the corpus does not have.
        """
        if scope.everything:
            return None
        if scope.conditions:
            check_columns(scope.conditions, self.column_names())
        where, values = scope.sql()
        question = f"SELECT p.position FROM passages p WHERE {where} ORDER BY p.position"
        return np.fromiter(self._column(question, *values), dtype=np.int64)

    def columns(self) -> list[Column]:
        """The metadata that a search can be filtered by."""
        groups = self._rows(
            "SELECT name, count(DISTINCT value), count(number) = count(*), min(number), "
            "max(number) FROM facts GROUP BY name ORDER BY name"
        )
        often = (
            "SELECT value, count(*) FROM facts WHERE name = ? GROUP BY value "
            "ORDER BY count(*) DESC, value LIMIT ?"
        )
        found = []
        for name, distinct, numbers, *ends in groups:
            values = list(self._rows(often, name, _SHOWN_VALUES))
            found.append(Column(name, values, distinct, *(ends if numbers else ())))
        return found

    def column_names(self) -> list[str]:
        """The names of the metadata that a search can be filtered by."""
        return list(self._column("SELECT DISTINCT name FROM facts ORDER BY name"))

    def tier_sizes(self) -> list[tuple[int, int]]:
        """Each tier that occurs with its number of documents, the best first; none without a rule."""
        question = "SELECT tier, count(*) FROM documents WHERE tier IS NOT NULL GROUP BY tier ORDER BY tier"
        return list(self._rows(question))

    def tiers_at(self, positions: Sequence[int]) -> dict[int, int]:
        """The source tiers of the documents at these positions; all 0 in a corpus without a rule."""
        question = "SELECT position, coalesce(tier, 0) FROM documents WHERE position"
        return dict(self._among(question, positions))

    def lengths_at(self, positions: Sequence[int]) -> dict[int, int]:
        """How many characters title and text of the documents at these positions have."""
        question = "SELECT position, length(title) + length(text) FROM documents WHERE position"
        return dict(self._among(question, positions))

    def with_value(self, name: str, value: str) -> NDArray[np.int64]:
        """The positions of the documents with this value in a column of metadata, however it is capitalised."""
        question = "SELECT DISTINCT document FROM facts WHERE name = ? AND folded = ?"
        return np.fromiter(self._column(question, name, value.casefold()), dtype=np.int64)

    def sample(self, count: int) -> list[Document]:
        """The first `count` documents."""
        return self.documents_at(range(min(count, len(self))))

    def containing(self, text: str, most: int) -> tuple[int, list[int]]:
        """How many documents have a text in their id, title or text, and the positions of the first of them.

        The case of a to z counts for nothing; that of other letters does, as SQLite has it.
        """
        has = "instr(lower(id || ' ' || title || ' ' || text), lower(?))"
        number = int(next(self._column(f"SELECT count(*) FROM documents WHERE {has}", text)))
        question = f"SELECT position FROM documents WHERE {has} ORDER BY position LIMIT ?"
        return number, list(self._column(question, text, most))

    def _setting(self, name: str) -> dict[str, Any] | None:
        value = next(self._column("SELECT value FROM settings WHERE name = ?", name), None)
        return json.loads(value) if value else None

    def _among(self, question: str, numbers: Sequence[int], end: str = "") -> Iterator[Any]:
        """The rows of a question that ends with a column, where that column is one of many numbers."""
        for chunk in _chunks(numbers):
            yield from self._rows(f"{question} IN ({','.join('?' * len(chunk))}) {end}", *chunk)

    def _column(self, question: str, *values: object) -> Iterator[Any]:
        """The first column of what a question gives."""
        return (row[0] for row in self._rows(question, *values))

    def _rows(self, question: str, *values: object) -> Iterator[Any]:
        """What a question gives, row by row."""
        try:
            yield from self._connection().execute(question, values)
        # It was checked when it was opened, and changed since.
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_READONLY:
                raise
            raise Damaged(f"{self.path} cannot be read: {error}.", self.path.parent) from None

    def _connection(self) -> sqlite3.Connection:
        own: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if own is not None:
            return own
        try:
            uri = f"{self.path.as_uri()}?mode=ro&immutable=1"
            own = sqlite3.connect(uri, uri=True, check_same_thread=False)
        except sqlite3.Error as error:
            raise Failed(f"{self.path} cannot be opened: {error}.") from None
        self._own.connection = own
        return own


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


def document_of(fields: Sequence[str]) -> Document:
    """A document out of its row: id, title, text, metadata, marks."""
    identity, title, text, metadata, marks = fields
    places = tuple(Heading(*mark) for mark in json.loads(marks)) if marks else ()
    return Document(identity, title, text, json.loads(metadata), places)


def _spaced(text: str) -> str:
    """A text with its letters composed and single spaces: what two files write differently without meaning to."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _chunks(items: Sequence[_Item], size: int = 500) -> Iterator[list[_Item]]:
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
