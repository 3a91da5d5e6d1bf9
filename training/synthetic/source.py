"""What pairs are mined from: one document, its passages as models see them, and chance that is the same each time."""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from search.corpus.document import Document
from search.text.sentences import sentence_bounds
from search.text.words import WORD

Texts = tuple[str, str]
"""A query and its response."""

_LINE = re.compile(r"\n+")
_SEED = 42


@dataclass(frozen=True)
class DocumentText:
    """A document to mine.

    :param passages: the texts of its passages, without the title before them.
    :param weigh: how telling a word is: the more documents have it, the less.
    """

    document: Document
    passages: Sequence[str]
    weigh: Callable[[str], float] = lambda word: 1.0

    @property
    def is_whole(self) -> bool:
        """Whether the document is one passage."""
        return len(self.passages) == 1

    def chance(self, kind: str, position: int = 0) -> random.Random:
        """Random numbers that depend on the document, the kind and a place in it, and on nothing else."""
        return random.Random(f"{_SEED} {kind} {position} {self.document.id}")  # noqa: S311

    @cached_property
    def sentences(self) -> list[list[str]]:
        """The sentences of each passage."""
        return [list(sentences(passage)) for passage in self.passages]


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text, in order; a line's end ends one, too."""
    for line in _LINE.split(text):
        for start, stop in sentence_bounds(line):
            yield line[start:stop]


def words(text: str) -> list[str]:
    """The words of a text as they are written, in order."""
    return WORD.findall(text)


def says_something(text: str, least: int = 2) -> bool:
    """Whether a text has some words, and a letter in at least half of them."""
    found = words(text)
    lettered = sum(any(letter.isalpha() for letter in word) for word in found)
    return len(found) >= least and lettered * 2 >= len(found)
