"""The texts that a report is drawn from, read into words once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from search.corpus.document import Document
from search.text.words import MARKS, WORD

# What ends a phrase: punctuation, a line's end, a dash between spaces. Hyphens and apostrophes do not.
_BREAK = re.compile(rf"\s[-–—]+\s|[^\w{MARKS}\s'’-]+|\n")

Runs = list[list[str]]
"""Words in lower case, in order; a list ends where punctuation does not let a phrase go on."""


def word_runs(text: str) -> Runs:
    """The words of a text in lower case (not case folded: people read them), parted where phrases end."""
    return [words for part in _BREAK.split(text.lower()) if (words := WORD.findall(part))]


def has_letter(word: str) -> bool:
    """Whether a word is more than a number."""
    return any(letter.isalpha() for letter in word)


@dataclass(frozen=True)
class SampledTexts:
    """Documents as a report sees them: equal places in the three lists belong to one document."""

    documents: Sequence[Document]
    texts: list[str]
    runs: list[Runs]

    @classmethod
    def of(cls, documents: Sequence[Document]) -> "SampledTexts":
        """Read documents: title and text together, as a model sees them."""
        texts = [document.embedded for document in documents]
        return cls(documents, texts, [word_runs(text) for text in texts])

    def words(self) -> list[list[str]]:
        """The words of each document, in order."""
        return [list(chain.from_iterable(runs)) for runs in self.runs]
