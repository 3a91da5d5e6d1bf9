"""Documents that nobody judged: what a verdict would be if some of them are relevant after all.

With all of them wrong (the headline) whoever finds something new is punished. How many are relevant is a question to people:
of what only one of two columns has in its first ten, a random sample is graded blind, and the rest is taken to be relevant at
the rate that was found. Both the sample's chance and the queries' go into the interval.

The sample is drawn with probabilities proportional to the rank's discount, by permanent random numbers: the first 40 of an
order are a sample, and so are the first 160, and when a column changes, what is still there keeps its turn (sequential Poisson
sampling: Ohlsson, Journal of Official Statistics 1998). The effect of a label on the difference is trec_eval's own, with and
without it; per unit of discount it is averaged over the sample (a ratio estimate, for each column by itself).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from search.corpus.labels import Judgments
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.rankings.metrics import MAIN_METRIC, score

TEN = 10
FIRST_SAMPLE, LARGEST_SAMPLE = 40, 160
LEAST_GRADED = 30
"""Under so many grades of a sample nothing is estimated, unless it is all there is: by 20 one verdict in twenty was wrong."""
LEAST_JUDGED = 30
"""So many judged documents of a column, good and bad ones, are a sample that was there before."""
_ANSWERED = 0.9
_SEED = b"2026-11-30"

Grades = Mapping[str, Mapping[str, int]]
"""Query id to document id to grade."""


@dataclass(frozen=True)
class UnjudgedHit:
    """A document that only one of two columns has in its first ten; `side` is 0 for the baseline, 1 for the candidate.

    >>> hit = UnjudgedHit("q1", "a", rank=3, side=1)
    >>> hit.weight, 0 < hit.turn < 1e9
    (0.5, True)
    """

    query: str
    document: str
    rank: int
    side: int

    @property
    def weight(self) -> float:
        """The discount of its rank."""
        return 1 / math.log2(1 + self.rank)

    @property
    def turn(self) -> float:
        """When it is drawn, among all: its permanent random number over its weight."""
        said = f"{self.query}\0{self.document}".encode("utf-8", "surrogatepass")
        drawn = int.from_bytes(blake2b(said, digest_size=8, key=_SEED).digest(), "big")
        return (drawn + 1) / 2**64 / self.weight


@dataclass(frozen=True)
class TwoRuns:
    """What two columns found for the same queries, and what is known of it.

    :param runs: of the baseline and of the candidate: query id to document ids, best first.
    :param judged: queries and judgments, copies as one document.

    >>> judged = QuerySet({"q": "?"}, {"q": {"a": 1}})
    >>> two = TwoRuns(({"q": ["a", "b"]}, {"q": ["c", "a"]}), judged)
    >>> [(hit.document, hit.side) for hit in two.unjudged]
    [('b', 0), ('c', 1)]
    """

    runs: tuple[Mapping[str, Sequence[str]], Mapping[str, Sequence[str]]]
    judged: QuerySet
    metric: str = MAIN_METRIC

    @property
    def unjudged(self) -> list[UnjudgedHit]:
        """What only one side has in its first ten and nobody judged, in the order in which it is to be graded."""
        return sorted(self._alone(judged=False), key=lambda hit: hit.turn)

    @property
    def already_judged(self) -> list[UnjudgedHit]:
        """What only one side has in its first ten and is judged."""
        return list(self._alone(judged=True))

    def _alone(self, judged: bool) -> Iterable[UnjudgedHit]:
        for query in sorted(self.judged.queries):
            known = self.judged.judgments.get(query, {})
            tops = [list(run.get(query, ()))[:TEN] for run in self.runs]
            for side in (0, 1):
                for rank, document in enumerate(tops[side], 1):
                    if document not in tops[1 - side] and (document in known) is judged:
                        yield UnjudgedHit(query, document, rank, side)

    def effects(self, hits: Sequence[UnjudgedHit], grades: Sequence[int]) -> NDArray[np.float64]:
        """By how much the query's difference (candidate minus baseline) changes when a hit has a grade.

        :returns: of shape (hits,): with the grade, less without any.
        """
        with_it: Judgments = {}
        without: Judgments = {}
        for n, (hit, grade) in enumerate(zip(hits, grades, strict=True)):
            rest = dict(self.judged.judgments.get(hit.query, {}))
            rest.pop(hit.document, None)
            without[str(n)], with_it[str(n)] = rest, {**rest, hit.document: grade}
        found = []
        names = sorted(without)
        for judgments in (with_it, without):
            labels = QuerySet(dict.fromkeys(names, ""), judgments)
            sides = [
                score({n: run.get(hits[int(n)].query, ()) for n in names}, labels, [self.metric])
                for run in self.runs
            ]
            found.append(np.subtract(sides[1][self.metric], sides[0][self.metric]))
        changes = np.empty(len(hits))
        changes[[int(n) for n in names]] = found[0] - found[1]
        return changes


def lined_up(hits: Sequence[UnjudgedHit], graded: int) -> list[UnjudgedHit]:
    """What to grade next: the first 40 of an order, and when those are graded twice as many, up to 160.

    :param hits: in the order in which they are graded.
    :param graded: how many of the first are graded.
    """
    wanted = FIRST_SAMPLE
    while wanted < LARGEST_SAMPLE and graded >= _ANSWERED * wanted:
        wanted *= 2
    return list(hits[: min(wanted, LARGEST_SAMPLE)])


def graded_part(hits: Sequence[UnjudgedHit], grades: Grades) -> list[UnjudgedHit]:
    """The graded ones of the longest beginning of an order of which nine in ten are graded: a random sample.

    What was graded beyond it was not drawn, but chosen by somebody for some reason.
    """
    part: list[UnjudgedHit] = []
    best = 0
    for n, hit in enumerate(hits[:LARGEST_SAMPLE], 1):
        if hit.document in grades.get(hit.query, {}):
            part.append(hit)
            if len(part) >= _ANSWERED * n:
                best = len(part)
    return part[:best]
