"""Explain the flip: why each model placed a document where it did."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from search.corpus.corpus import Corpus
from search.insight.attribution import (
    MOST_QUERY_WORDS,
    MOST_VARIANTS,
    Attribution,
    Part,
    Scorer,
    by_terms,
    left_out,
    matcher,
    strongest,
    telling,
    term_contributions,
)
from search.insight.spans import word_spans
from search.insight.training_neighbours import TrainedOn, TrainingNeighbour, TrainingNeighbours
from search.models.api.token_count import tokens_of
from search.models.encoder import Metered
from search.models.registry import KEYWORD
from search.projects.errors import Refused
from search.projects.progress import Progress, silent
from search.projects.project import Project
from search.projects.settings import LIMITS
from search.retrieval.columns import SearchColumn, chosen_columns
from search.retrieval.dense import DenseRetriever
from search.retrieval.retriever import Retriever
from search.retrieval.search import check_query, retrievers_for
from search.retrieval.sparse import BM25Retriever

UNKNOWN = "The model knows no word of this question, so it cannot find the document."
# All variants of a passage together, under all models: all-MiniLM-L6-v2 reads so many words in some 1.5 s on two cores.
_WORDS = 5_000
_FEWEST = 12
ABSENT = "No word of the question stands in this document, so keyword search cannot find it."


@dataclass(frozen=True)
class Explained:
    """Why one model scored a document as it did, and what it learned that from.

    `attribution` is None where there is nothing to explain, and `note` says why. `training_neighbours` is None for a model
    that was not trained on pairs.
    """

    model: str
    attribution: Attribution | None
    note: str | None = None
    training_neighbours: TrainingNeighbours | None = None

    @property
    def sentence(self) -> str:
        """In words: which words drew the query most."""
        if self.attribution is None:
            return self.note or ""
        return drawn_by(self.attribution)

    @property
    def strongest_sentences(self) -> list[Part]:
        """The sentences that drew the query most, first the strongest."""
        return strongest(self.attribution.sentences, 3) if self.attribution else []

    @property
    def nearest_neighbours(self) -> list[TrainingNeighbour]:
        """The training pairs worth reading: about the document, like the query, like the document."""
        if self.training_neighbours is None:
            return []
        three = (
            *self.training_neighbours.about,
            *self.training_neighbours.like_query,
            *self.training_neighbours.like_document,
        )
        return list({(one.query, one.response): one for one in three}.values())

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        plain = asdict(self)
        plain["learned_from"] = plain.pop("training_neighbours")
        return plain


def position_of(corpus: Corpus, identity: str) -> int:
    """The position of a document.

    :raises Refused: when the corpus has none with this id.
    """
    position = corpus.position(identity)
    if position is None:
        raise Refused(f"There is no document {identity!r} in the newest corpus.")
    return position


def attribute(
    retriever: Retriever,
    corpus: Corpus,
    query: str,
    document: int,
    most: int = MOST_VARIANTS,
    among: int = 1,
) -> Explained:
    """Why a model scored a document as it did: by the passage of it that it finds best.

    :param document: the position of the document.
    :param most: how many variants of the passage a model may be asked to score.
    :param among: how many models explain it one after another: they share the time that a person waits.
    :raises Refused: for a kind of search that cannot be taken apart.
    """
    if isinstance(retriever, BM25Retriever):
        return _by_keywords(retriever, query, document)
    if not isinstance(retriever, DenseRetriever):
        raise Refused(f"How {retriever.name!r} ranks cannot be taken apart into words.")
    place = retriever.passage_of(query, document)
    if place is None:
        return Explained(retriever.name, None, UNKNOWN)
    (passage,) = corpus.embedded_at([place])
    asked, most = MOST_QUERY_WORDS, soon(passage, most, among)
    if isinstance(retriever.encoder, Metered):
        most, asked = affordable(query, passage, most)
    scorer = Scorer(retriever.encoder)
    return Explained(retriever.name, left_out(scorer, query, passage, most, asked))


def soon(passage: str, most: int, among: int = 1) -> int:
    """How many variants of a passage each model scores, so that a long one is explained within two seconds, too.

    :param most: the most variants of any passage.
    :param among: how many models there are.
    """
    return min(most, max(_FEWEST, _WORDS // (max(len(word_spans(passage)), 1) * among)))


def affordable(query: str, passage: str, most: int) -> tuple[int, int]:
    """How many variants of a passage and of a query a server may be sent for one explanation.

    Three quarters of `LIMITS.explanation_tokens` go to the passage, the rest to the query. (What one command or one
    session may send as a whole is the encoder's own cap.)

    :param most: the most variants of the passage.
    :returns: at least 4 variants of the passage, and 1 of the query: none of its words is then left out.
    """
    share = LIMITS.explanation_tokens // 4
    variants = min(most, max(4, 3 * share // tokens_of(passage)))
    return variants, min(MOST_QUERY_WORDS, max(1, share // tokens_of(query)))


def _by_keywords(retriever: BM25Retriever, query: str, document: int) -> Explained:
    corpus, index = retriever.corpus, retriever.index
    best, contributions = term_contributions(index, query, corpus.passages_of(document))
    if not any(part for _, part in contributions):
        return Explained(retriever.name, None, ABSENT)
    (passage,) = corpus.embedded_at([best])
    matches = matcher(index.analysis, query, passage)
    return Explained(retriever.name, by_terms(query, passage, contributions, matches))


def drawn_by(attribution: Attribution) -> str:
    """In words: which words of the passage drew the query most."""
    drew = [part.text for part in telling(attribution.words)]
    if not drew:
        return "no single word drew the question; the passage did as a whole."
    drew = list(dict.fromkeys(" ".join(text.split()) for text in drew))
    return f"drawn by {_listed(drew)}."


def explain(
    project: Project,
    query: str,
    document: str,
    names: Sequence[str] = (),
    progress: Progress = silent,
) -> list[Explained]:
    """Why each model scored a document as it did, and the training pairs it learned that from.

    Missing indexes are built first; the training questions of a model are encoded once and kept. A hybrid or
    reranked column is explained by the model and the keywords that it ranks by, each for itself.

    :param document: its id.
    :param names: columns; none means generic and the newest custom model.
    :raises Refused: for an empty query, an unknown model or document, or a project without documents.
    """
    text = check_query(query)
    retrievers, corpus = retrievers_for(project, sides(chosen_columns(project, names)), progress)
    position = position_of(corpus, document)
    among = max(sum(isinstance(one, DenseRetriever) for one in retrievers), 1)
    made = []
    for retriever in retrievers:
        one = attribute(retriever, corpus, text, position, among=among)
        if isinstance(retriever, DenseRetriever) and one.attribution is not None:
            trained_on = TrainedOn.load(project, corpus, retriever, progress)
            if trained_on is not None:
                near = trained_on.nearest(text, position, one.attribution.passage)
                one = replace(one, training_neighbours=near)
        made.append(one)
    return made


def _listed(words: Sequence[str]) -> str:
    quoted = [f"“{word}”" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def sides(columns: Sequence[SearchColumn]) -> list[str]:
    """The models, and keyword search, that columns rank by: each once, as names of columns."""
    names: list[str] = []
    for column in columns:
        names += [KEYWORD] if column.uses_words else []
        names += [column.model] if column.model is not None else []
    return list(dict.fromkeys(names))
