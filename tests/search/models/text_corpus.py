"""A corpus file that belongs to no project."""

from collections.abc import Iterable
from pathlib import Path

from search.corpus.corpus import Corpus
from search.corpus.document import Document
from search.corpus.writer import CorpusWriter


def corpus_of(folder: Path, texts: Iterable[str]) -> Corpus:
    """Write texts, one a document, called d0, d1, ..., into a folder."""
    writer = CorpusWriter(folder)
    writer.add([Document(f"d{place}", "", text) for place, text in enumerate(texts)])
    writer.close()
    return Corpus(folder / "corpus.sqlite")
