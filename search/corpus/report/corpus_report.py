"""What the corpus report holds."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from search.corpus.report.abbreviations import Abbreviation
from search.corpus.report.duplicates import Duplicates
from search.corpus.report.keywords import Terms
from search.corpus.report.lengths import Lengths, Unread
from search.corpus.report.tokenizer_fit import TokenizerFit
from search.text.languages import Language


@dataclass(frozen=True)
class CorpusReport:
    """What is known of a corpus; all but `documents`, `passages` and `words` is counted in the sample.

    `sampled` is how many documents were looked at, `words` the number of words in the whole corpus (an
    estimate where the sample is smaller). `title_only` counts documents whose text has no word,
    `title_only_examples` names some by their ids. `findings` are what follows from it, in plain sentences, the most
    important first.
    """

    documents: int
    passages: int
    sampled: int
    words: int
    lengths: Lengths
    unread: Unread
    title_only: int
    title_only_examples: tuple[str, ...]
    copies: Duplicates
    languages: tuple[Language, ...]
    foreignness: TokenizerFit
    terms: Terms
    abbreviations: tuple[Abbreviation, ...]
    findings: tuple[str, ...] = ()

    @property
    def estimated(self) -> bool:
        """Whether only some of the documents were looked at."""
        return self.sampled < self.documents

    def as_json(self) -> dict[str, Any]:
        """Everything in plain JSON types."""
        everything = {**asdict(self), "estimated": self.estimated}
        for shown, abbreviation in zip(
            everything["abbreviations"], self.abbreviations, strict=True
        ):
            shown["ambiguous"] = abbreviation.ambiguous
        plain: dict[str, Any] = json.loads(json.dumps(everything))
        return plain
