"""Hits with the probability that each answers the question, and the one thing to say where nothing seems to."""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace

from search.corpus.filters import Scope
from search.projects.artifacts import Manifest
from search.projects.errors import Failed
from search.projects.project import Project
from search.retrieval.columns import SearchColumn
from search.retrieval.relevance.calibration import Calibration, find_calibration
from search.retrieval.relevance.evidence import DEPTH, read_evidence
from search.retrieval.relevance.shares import NOT_ABOUT, UNANSWERED, Relevance
from search.retrieval.retriever import Ranking, Retriever
from search.retrieval.sparse import BM25Retriever

_FOREIGN = 0.05


@dataclass(frozen=True)
class Judge:
    """What judges the hits of one column.

    :param words: keyword search over the same documents.

    >>> from types import SimpleNamespace
    >>> silent = SimpleNamespace(rank=lambda queries, k, scope: [[]])
    >>> Judge(None, None).judged(silent, "rent", [], Scope())
    Relevance(shares=(), line='', rough=False)
    """

    calibration: Calibration
    words: BM25Retriever

    def judged(
        self,
        retriever: Retriever,
        query: str,
        hits: Ranking,
        scope: Scope,
        left_out: Set[int] = frozenset(),
    ) -> Relevance:
        """The probability of each hit, and what to say of the question. A line needs all documents: a filter has none.

        :param hits: what is shown, in its order.
        :param left_out: documents that are out of the ranking.
        """
        whole = replace(scope, tiers_first=False)
        (ranking,) = retriever.rank([query], DEPTH + len(left_out), whole)
        evidence = read_evidence(self.words, query, ranking, left_out)
        if evidence is None or not hits:
            return Relevance(())
        coverage = self.words.coverage(self.words.weighed(query), [hit.passage for hit in hits])
        shares = self.calibration.shares(evidence.hits(hits, coverage))
        line = ""
        if whole.everything:
            if self.calibration.foreign.is_below(evidence.subject()):
                line = NOT_ABOUT
                # Of the questions that people asked, one in twenty is below: what was learned on them holds no more here.
                shares = [min(share, _FOREIGN) for share in shares]
            elif self.calibration.unanswered.is_below(evidence.question()):
                caught = f"{self.calibration.unanswered.caught:.0%}".replace("%", " %")
                line = f"{UNANSWERED} (of questions without an answer, {caught} are noticed)"
        return Relevance(tuple(shares), line, self.calibration.rough)


def find_judges(
    project: Project,
    columns: Sequence[SearchColumn],
    corpus: Manifest,
    words: Callable[[], BM25Retriever],
) -> list[Judge | None]:
    """What judges each column; None where nothing was fitted yet (`search.evaluation.relevance.fit_relevance`).

    Nor where pairs or queries are damaged: what was fitted on them is not looked for, and hits are found without it.

    :param words: opens keyword search over the corpus; called where there is a judge.
    """
    try:
        found = [find_calibration(project, column, corpus) for column in columns]
    except Failed:
        return [None] * len(columns)
    opened = words() if any(found) else None
    return [None if one is None or opened is None else Judge(one, opened) for one in found]
