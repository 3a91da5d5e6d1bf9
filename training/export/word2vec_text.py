"""Word vectors in the text format of word2vec: a word and its numbers a line.

Weights of words, the common component and an adapter are folded into the rows: the mean of the rows of a text's words,
brought to length 1, is what the model says of it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from indexes.vector_index import Vectors, normalised
from search.models.linear_adapter import LinearAdapter
from search.models.word_vectors import WordVectors
from search.projects.errors import Refused
from training.base_model import beneath_adapters
from training.export.formats import ExportFormat, Precision

_FILE = "vectors.txt"


def write(encoder: Any, target: Path, _precision: Precision) -> list[str]:
    """Write word vectors, or an adapter on them.

    :raises Refused: for any other model, and for an adapter of one side.
    """
    words = beneath_adapters(encoder)
    if not isinstance(words, WordVectors):
        raise Refused(
            "--format word2vec is for word vectors: this model has a vector for a text, none for a word. Export it as a "
            "sentence-transformers folder."
        )
    rows = _folded(encoder)
    with (target / _FILE).open("w", encoding="utf-8") as stream:
        stream.write(f"{len(words.words)} {rows.shape[1]}\n")
        for word, row in zip(words.words, rows, strict=True):
            numbers = " ".join(f"{number:.9g}" for number in row)
            stream.write(f"{_in_a_line(word)} {numbers}\n")
    notes = [
        "A text is the mean of the rows of its words: lower case, each run of letters, marks and digits is one."
    ]
    if words.subwords is not None:
        notes.append(
            "Words that are not in the file have no vector there: FastText's word parts do not fit the format."
        )
    return notes


def _folded(encoder: Any) -> Vectors:
    if isinstance(encoder, LinearAdapter):
        if encoder.side == "query":
            raise Refused(
                "This adapter turns queries only, and a word has one vector here. Export it as a sentence-transformers folder."
            )
        turned: Vectors = _folded(encoder.base) @ encoder.matrix.T
        return turned
    words: WordVectors = encoder
    rows = words.vectors * words.weights[:, None]
    if words.common is not None:
        rows = rows - np.outer(rows @ words.common, words.common)
    return rows.astype(np.float32)


def _in_a_line(word: str) -> str:
    """A phrase is one word there."""
    return word.replace(" ", "_")


@contextmanager
def opened(folder: Path, encoder: Any) -> Iterator["_MeanOfWords"]:
    """What `write` wrote, read by gensim; how texts become words is the model's own."""
    from gensim.models import KeyedVectors

    table = KeyedVectors.load_word2vec_format(str(folder / _FILE), binary=False)
    yield _MeanOfWords(table, beneath_adapters(encoder))


class _MeanOfWords:
    """The mean of the vectors of a text's words."""

    def __init__(self, table: Any, words: WordVectors) -> None:
        self._table = table
        self._words = words

    def encode_document(self, inputs: Sequence[str]) -> Vectors:
        rows = np.zeros((len(inputs), self._table.vector_size), dtype=np.float32)
        for position, text in enumerate(inputs):
            known = [
                self._table[written]
                for word in self._words.reading.of(text)
                if (written := _in_a_line(word)) in self._table
            ]
            if known:
                rows[position] = np.mean(known, axis=0)
        return normalised(rows)

    encode_query = encode_document


USAGE = """```python
from gensim.models import KeyedVectors

words = KeyedVectors.load_word2vec_format("path/to/this/folder/vectors.txt", binary=False)
print(words.most_similar("a word of the corpus"))
```"""
FORMAT = ExportFormat("Text format of word2vec", ("fp32",), (), write, opened, USAGE)
