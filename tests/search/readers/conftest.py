"""Fixtures of the reader tests: a file with given bytes, and reading it to its end."""

from collections.abc import Callable
from pathlib import Path

import pytest

from search.documents import Document
from search.readers.documents import DocumentColumns, preview_documents
from search.readers.pairs import Pair, PairColumns, preview_pairs
from search.readers.report import Report

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
