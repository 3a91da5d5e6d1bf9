"""What a server's vectors are worth: nDCG of the project's questions through it, beside those of the model here."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from indexes.flat import FlatIndex
from indexes.vector_index import Vectors
from search.corpus.corpus import Corpus, current_corpus
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.rankings.metrics import MAIN_METRIC, score
from search.evaluation.rankings.rankings import RankingRules
from search.evaluation.rankings.self_matches import SelfMatches
from search.models.encoder import Encoder
from search.models.prompts import Role
from search.models.registry import ModelInfo, documents_model
from search.projects.progress import Progress, Stage
from search.projects.project import Project
from search.retrieval.dense import DenseRetriever
from search.retrieval.indexing.build import find_index, index_model
from search.retrieval.search import open_dense
from search.text.sampling import evenly_spaced
from search.verification.asking import AskedServer

_QUESTIONS = 300
_DEPTH = 10
_BATCH = 32


@dataclass(frozen=True)
class Quality:
    """nDCG@10 of the model here and of the server, over so many questions.

    `whole` says that the server made the documents' vectors as well; else they are those of the index here.

    >>> Quality(0.612, 0.598, 300, whole=False).sentence
    'nDCG@10 over 300 questions: 0.612 here, 0.598 with questions through the server (-0.014).'
    """

    here: float
    served: float
    questions: int
    whole: bool

    @property
    def sentence(self) -> str:
        """What it comes to."""
        what = "all" if self.whole else "questions"
        return (
            f"nDCG@10 over {self.questions:,} questions: {self.here:.3f} here, {self.served:.3f} with {what} through the server "
            f"({self.served - self.here:+.3f})."
        )

    def as_json(self) -> dict[str, Any]:
        """The shape that `verify --json` prints."""
        return asdict(self)


class _Through:
    """A server as an Encoder."""

    def __init__(self, server: AskedServer, progress: Progress) -> None:
        self._server = server
        self._progress = progress

    def encode_query(self, inputs: Sequence[str]) -> Vectors:
        """See `Encoder.encode_query`."""
        return self._encoded(inputs, "query")

    def encode_document(self, inputs: Sequence[str]) -> Vectors:
        """See `Encoder.encode_document`."""
        return self._encoded(inputs, "document")

    def _encoded(self, texts: Sequence[str], role: Role) -> Vectors:
        parts = []
        for start in range(0, len(texts), _BATCH):
            self._progress(start, len(texts), "asking the server")
            parts.append(self._server.encode(texts[start : start + _BATCH], role))
        return np.concatenate(parts)


def quality_of(
    project: Project,
    info: ModelInfo,
    encoder: Encoder,
    server: AskedServer,
    dimension: int,
    whole: bool,
    progress: Progress,
) -> Quality | None:
    """Ask up to 300 questions of the newest query set here and through the server.

    :param dimension: of the server's vectors.
    :param whole: let the server encode the documents, too.
    :returns: None where there are no questions, or the server's vectors cannot be held against the index.
    :raises Failed: where the server does not answer.
    """
    queries, documents = project.newest("queries"), project.newest("corpora")
    if queries is None or documents is None or (dimension != info.dimension and not whole):
        return None
    manifest, corpus = current_corpus(project)
    asked, _ = QuerySet.load(project, queries).restricted_to(set(corpus.ids()))
    names = sorted(asked.queries)
    asked = asked.only(names[i] for i in evenly_spaced(len(names), _QUESTIONS))
    if not asked.queries:
        return None
    index = find_index(project, info, manifest)
    if index is None:
        part = Stage(progress, 0.0, 0.4)
        index = index_model(project, documents_model(project, info).name, False, part)
    here = open_dense(project, info, encoder, index, corpus)
    through = _Through(server, Stage(progress, 0.4, 1.0))
    served = here.index
    if whole:
        texts = corpus.embedded_texts(0, corpus.passages)
        served = FlatIndex.of(through.encode_document(texts))
    there = DenseRetriever(info, through, served, corpus)
    return Quality(
        _score(here, corpus, asked), _score(there, corpus, asked), len(asked.queries), whole
    )


def _score(retriever: DenseRetriever, corpus: Corpus, asked: QuerySet) -> float:
    own = SelfMatches.of(corpus, asked).left_out
    found = RankingRules(_DEPTH, own).rank([retriever], corpus.ids(), asked)[retriever.name].run
    return float(np.mean(score(found, asked, (MAIN_METRIC,))[MAIN_METRIC]))
