"""Fixtures of the reader tests: a file with given bytes, and reading it to its end."""

from collections.abc import Callable
from pathlib import Path

import pytest

from search.corpus.document import Document
from search.corpus.labels import Pair
from search.corpus.readers.documents import DocumentColumns, preview_documents
from search.corpus.readers.pairs import PairColumns, preview_pairs
from search.corpus.readers.report import Report
from search.corpus.readers.tables import open_report, read_rows

ALL = 1_000_000


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Writes a file: text as UTF-8 with its line ends as given, or bytes as they are."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return write


@pytest.fixture
def documents(
    file: Callable[[str, str | bytes], Path],
) -> Callable[..., tuple[list[Document], Report]]:
    """Writes a file and reads all documents of it."""

    def read(name: str, content: str | bytes, **columns: str) -> tuple[list[Document], Report]:
        return preview_documents(file(name, content), DocumentColumns(**columns), ALL)

    return read


@pytest.fixture
def pairs(
    file: Callable[[str, str | bytes], Path],
) -> Callable[..., tuple[list[Pair], Report]]:
    """Writes a file and reads all pairs of it."""

    def read(name: str, content: str | bytes, **columns: str) -> tuple[list[Pair], Report]:
        return preview_pairs(file(name, content), PairColumns(**columns), ALL)

    return read


@pytest.fixture
def rows(
    file: Callable[[str, str | bytes], Path],
) -> Callable[..., tuple[list[tuple[str, dict[str, object]]], Report]]:
    """Writes a file and reads all rows of it; options are what the person chose (encoding, delimiter)."""

    def read(
        name: str, content: str | bytes, **chosen: str
    ) -> tuple[list[tuple[str, dict[str, object]]], Report]:
        path = file(name, content)
        report = open_report(path)
        for option, value in chosen.items():
            setattr(report, option, value)
        return [(row.where, dict(row.fields)) for row in read_rows(path, report)], report

    return read
