"""What copies and near-copies of documents did to an evaluation, for whoever reads its figures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from search.corpus.corpus import Corpus
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.rankings.exact_duplicates import ExactDuplicates
from search.evaluation.rankings.metrics import score
from search.evaluation.rankings.rankings import Ranked
from search.text.near_duplicates import shingles, similar

_SHOWN = 10
_REMEMBERED = 20_000
_EXAMPLES = 10


@dataclass(frozen=True)
class NearCopy:
    """A document that nearly repeats a query's answer, and that nobody judged for it (ids).

    >>> NearCopy("q1", answer="a", document="a-2").answer
    'a'
    """

    query: str
    answer: str
    document: str


@dataclass(frozen=True)
class NearDuplicateAnswers:
    """The near-copies of answers among what was shown: how many, for how many queries, and some of them.

    >>> NearDuplicateAnswers(1, 1, (NearCopy("q", "a", "b"),)).examples[0].document
    'b'
    """

    documents: int = 0
    queries: int = 0
    examples: tuple[NearCopy, ...] = ()


@dataclass(frozen=True)
class CopyFigures:
    """What copies did to an evaluation.

    `documents` of the corpus repeat another; `skipped` are the hits of each column that were copies of one before them;
    `before` is what each metric would be if copies were different documents (nothing where there are none).

    >>> CopyFigures(2, {"bm25": 1}, {"bm25": {"ndcg@10": 0.5}}).sentences
    ['2 documents repeat another, word for word: they count as one answer, and 1 hit that repeats one before it was skipped.']
    """

    documents: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    before: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    near: NearDuplicateAnswers = NearDuplicateAnswers()

    @classmethod
    def of(
        cls,
        corpus: Corpus,
        copies: ExactDuplicates,
        rankings: Mapping[str, Ranked],
        query_set: QuerySet,
        metrics: Sequence[str],
    ) -> "CopyFigures":
        """Count what was found by each column.

        :param query_set: with the judgments as they are.
        """
        positions = {identity: n for n, identity in enumerate(corpus.ids())}
        shown = {
            query: [d for ranked in rankings.values() for d in ranked.run[query][:_SHOWN]]
            for query in query_set.queries
        }
        near = _near_copies(corpus, positions, shown, copies.of(query_set))
        if not copies:
            return cls(near=near)
        before = {
            name: {
                metric: float(np.mean(values))
                for metric, values in score(ranked.whole, query_set, metrics).items()
            }
            for name, ranked in rankings.items()
        }
        skipped = {
            name: sum(len(whole) - len(copies.distinct(whole)) for whole in ranked.whole.values())
            for name, ranked in rankings.items()
        }
        return cls(copies.repeating, skipped, before, near)

    @property
    def sentences(self) -> list[str]:
        """What there is to tell, in plain words."""
        said = []
        if self.documents:
            hits = sum(self.skipped.values())
            said.append(
                f"{self.documents:,} {'document repeats' if self.documents == 1 else 'documents repeat'} another, word for "
                f"word: they count as one answer, and {hits:,} {'hit that repeats' if hits == 1 else 'hits that repeat'} "
                f"one before {'it was' if hits == 1 else 'them were'} skipped."
            )
        if self.near.documents:
            one, single = self.near.examples[0], self.near.documents == 1
            repeat = (
                "nearly repeats an answer and is" if single else "nearly repeat an answer and are"
            )
            said.append(
                f"{self.near.documents:,} of the documents in the first ten {repeat} not judged (for "
                f"example {one.document!r}, near {one.answer!r}): such may differ by one word that matters, so they count "
                "as wrong until somebody judges them."
            )
        return said


def _near_copies(
    corpus: Corpus,
    positions: Mapping[str, int],
    shown: Mapping[str, Iterable[str]],
    query_set: QuerySet,
) -> NearDuplicateAnswers:
    """Documents that were shown and not judged, and nearly equal an answer (`search.text.near_duplicates`).

    :param positions: of the documents of the corpus, by id.
    :param shown: the documents that were shown for a query, by its id.
    """

    @lru_cache(maxsize=_REMEMBERED)
    def seen(document: str) -> frozenset[str]:
        at = positions[document]
        return shingles(corpus.texts(at, at + 1)[0])

    found: list[NearCopy] = []
    for query, documents in shown.items():
        answers = [d for d in query_set.relevant(query) if d in positions]
        for document in dict.fromkeys(documents):
            if document in query_set.judgments.get(query, {}):
                continue
            near = (a for a in answers if similar(seen(a), seen(document)))
            if (answer := next(near, None)) is not None:
                found.append(NearCopy(query, answer, document))
    queries = len({one.query for one in found})
    return NearDuplicateAnswers(len(found), queries, tuple(found[:_EXAMPLES]))
