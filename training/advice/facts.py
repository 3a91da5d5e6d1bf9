"""What is known of a project that decides which approach fits it."""

from collections import Counter
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

import numpy as np

from search.corpus.corpus import current_corpus
from search.corpus.report.tokenizer_fit import NOTHING, tokenizer_fit
from search.evaluation.query_sets.leakage import MINED, ORIGIN
from search.models.registry import generic_info
from search.models.tokenizers import reader_of
from search.projects.project import Project
from search.retrieval.indexing.build import find_index
from search.text.languages import ENGLISH, languages, main_language
from search.text.sampling import evenly_spaced
from search.text.words import word_runs
from training.data.pair_sets import PairSet

_DOCUMENTS = 300
_PAIRS = 500


@dataclass(frozen=True)
class CorpusFacts:
    """Facts of a project.

    `characters` is the mean length of a passage, `words` about how many the corpus has. `language` is the code of
    the one that most documents are in (None where none can be told), `pieces_ratio` the generic model's word pieces
    a word over those of ordinary English, `shredded` and `unreadable` shares (0 to 1) of running words that
    it cuts into three pieces or more, or cannot read at all. `pairs` are those to train on; `mined` says that nobody
    wrote them. `query_characters` is the mean length of their queries, `indexed` whether the generic model has
    encoded the corpus, `server` whether the generic model is computed by one, `model` what it is called by itself, and
    `english` whether it was made for English alone and `many_languages` whether for many. All that is said of it is counted with its own tokenizer.
    """

    documents: int
    passages: int
    characters: float
    words: int
    language: str | None
    pieces_ratio: float
    shredded: float
    unreadable: float
    pairs: int = 0
    mined: bool = False
    dev_queries: int = 0
    query_characters: float = 60.0
    response_characters: float = 0.0
    indexed: bool = False
    server: bool = False
    model: str = "the generic model"
    english: bool = True
    many_languages: bool = False

    @property
    def foreign(self) -> bool:
        """Whether the generic model was not made for this language or jargon."""
        return (
            self.pieces_ratio >= FOREIGN_RATIO
            or self.unreadable >= UNREADABLE
            or (self.english and self.language is not None and self.language != ENGLISH)
        )

    def as_json(self) -> dict[str, Any]:
        """Everything in plain JSON types."""
        return {**asdict(self), "foreign": self.foreign}


FOREIGN_RATIO = 1.5
"""Medical and legal English lie below, other languages and heavy jargon above (the report says of both)."""
UNREADABLE = 0.05


def facts_of(project: Project) -> CorpusFacts:
    """Look at 300 documents and 500 pairs of a project, spread evenly: a second or two.

    :raises Refused: without documents.
    """
    manifest, corpus = current_corpus(project)
    info = generic_info(project)
    sample = corpus.documents_at(evenly_spaced(len(corpus), _DOCUMENTS))
    texts = [document.embedded for document in sample]
    words = Counter(chain.from_iterable(run for text in texts for run in word_runs(text)))
    reader = reader_of(project, info)
    foreign = tokenizer_fit(words, reader) if reader else NOTHING
    lengths = [len(text) for text in corpus.embedded_at(evenly_spaced(corpus.passages, _DOCUMENTS))]
    mean_words = words.total() / max(1, len(texts))
    given = _of_pairs(project)
    return CorpusFacts(
        documents=len(corpus),
        passages=corpus.passages,
        characters=float(np.mean(lengths)),
        words=round(mean_words * len(corpus)),
        language=main_language(languages(texts)),
        pieces_ratio=foreign.ratio,
        shredded=foreign.shredded_share,
        unreadable=foreign.unreadable_share,
        indexed=find_index(project, info, manifest) is not None,
        server=info.format == "endpoint",
        model=info.title,
        english=reader is not None and reader.english,
        many_languages=reader is not None and reader.many_languages,
        **given,
    )


def _of_pairs(project: Project) -> dict[str, Any]:
    manifest = project.newest("pairs")
    if manifest is None:
        return {}
    pairs = PairSet.load(project, manifest).pairs
    some = [pairs[position] for position in evenly_spaced(len(pairs), _PAIRS)]
    return {
        "pairs": len(pairs),
        "mined": manifest.details.get(ORIGIN) == MINED,
        "dev_queries": manifest.details["dev_queries"],
        "query_characters": float(np.mean([len(p.query) for p in some])),
        "response_characters": float(np.mean([len(p.response) for p in some])),
    }
