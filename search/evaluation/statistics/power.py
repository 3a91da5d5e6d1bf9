"""What a number of queries can show: the power of the paired test, from the spread of a difference over groups.

A power analysis for a paired t-test, as Sakai (Information Retrieval Journal 2016; Laboratory Experiments in Information
Retrieval, 2018) sizes topic sets, by the noncentral t distribution; the randomization test has the same power where
groups are not few (Smucker, Allan and Carterette 2007). Groups are its units, so its spread is that of their sums.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from search.evaluation.rankings.metrics import MAIN_METRIC, metric_title
from search.evaluation.statistics.groups import FEWEST, QueryGroups

POWER = 0.8
"""Four times in five."""
ROUGH_SPREAD = 0.20
"""Of a difference in nDCG@10 from query to query, where nothing was measured: between what was seen on real sets."""
FEWEST_QUESTIONS = 20
"""Under so many questions that people judged no figure is shown: it would change with the next one."""
FIRST_GAIN = 0.10
"""In nDCG@10: the gain that a first verdict is aimed at, a large one."""
_ALPHA = 0.05
_MOST = 1_000_000

Basis = Literal["measured", "adapter", "rough"]


@dataclass(frozen=True)
class Spread:
    """How much a difference varies from query to query, and how far queries of one group vary together.

    :param deviation: the standard deviation over queries.
    :param correlation: of two queries of one group, 0 to 1.

    >>> spread = Spread.of(np.array([0.1, -0.1, 0.3, -0.3]), QueryGroups.single(4))
    >>> round(spread.deviation, 3), spread.correlation
    (0.258, 0.0)
    """

    deviation: float
    correlation: float = 0.0

    @classmethod
    def of(cls, differences: NDArray[np.float64], groups: QueryGroups) -> "Spread":
        """That of measured differences, of shape (queries,), in groups.

        The correlation is the one that gives the groups' own standard error back.
        """
        count, queries = groups.count, len(differences)
        if count < 2:
            return cls(float(differences.std()))
        off = differences - differences.mean()
        variance = float(off @ off) / (queries - 1)
        sums = groups.sums(off[None])[0]
        error = count / (count - 1) * float(sums @ sums) / queries**2
        # error = variance * ((1 - correlation) / queries + correlation / effective)
        shared = 1 / groups.effective - 1 / queries
        if variance <= 0 or shared < 1e-12:
            return cls(math.sqrt(variance))
        found = (error / variance - 1 / queries) / shared
        return cls(math.sqrt(variance), float(np.clip(found, 0.0, 1.0)))

    def error(self, queries: float, effective: float) -> float:
        """The standard error of the mean over so many queries in so many groups (effective number)."""
        rho = self.correlation
        return self.deviation * math.sqrt((1 - rho) / queries + rho / effective)


@dataclass(frozen=True)
class Power:
    """What the queries of a set can show of one candidate.

    :param queries: how many there are; `groups` how many groups, `effective` their effective number.
    :param basis: where the spread is from: measured columns, an adapter of ten seconds, or a rough guess.

    >>> power = Power(Spread(0.2), 400, 400, 400.0, "measured")
    >>> round(power.detectable(), 3), round(power.share(0.02), 2), power.more_queries(0.02)
    (0.028, 0.51, 388)
    """

    spread: Spread
    queries: int
    groups: int
    effective: float
    basis: Basis
    metric: str = MAIN_METRIC

    @classmethod
    def on(
        cls, groups: QueryGroups, spread: Spread | None, basis: Basis, metric: str = MAIN_METRIC
    ) -> "Power":
        """That of a query set with these groups.

        :param spread: None for the rough one, which takes the queries of a group for one.
        """
        given = spread or Spread(ROUGH_SPREAD, 1.0)
        return cls(given, len(groups.labels), groups.count, groups.effective, basis, metric)

    def share(self, gain: float, times: float = 1.0) -> float:
        """How often, of 1, a true difference of this size would get a verdict.

        :param times: with so many times as many queries of the same kind.
        """
        from scipy.stats import nct, t

        groups = self.groups * times
        if groups < FEWEST:
            return 0.0
        error = self.spread.error(self.queries * times, self.effective * times)
        if error <= 0:
            return 1.0 if gain else 0.0
        freedom = groups - 1
        limit = float(t.ppf(1 - _ALPHA / 2, freedom))
        shift = abs(gain) / error
        if shift > 30:  # Beyond what the distribution is computed for, and certain.
            return 1.0
        return float(nct.sf(limit, freedom, shift) + nct.cdf(-limit, freedom, shift))

    def detectable(self) -> float | None:
        """The least gain that gets a verdict four times in five; None where there are too few groups for any."""
        if self.groups < FEWEST:
            return None
        low, high = 0.0, 1.0
        if self.share(high) < POWER:
            return None
        while high - low > 1e-5:
            middle = (low + high) / 2
            low, high = (middle, high) if self.share(middle) < POWER else (low, middle)
        return high

    def more_queries(self, gain: float) -> int | None:
        """How many more queries of the same spread would show this gain four times in five: 0 where these do.

        None where it would take more than a million.
        """
        if gain == 0:
            return None
        low, high = 1.0, 1.0
        while self.share(gain, high) < POWER:
            low, high = high, 2 * high
            if self.queries * high > _MOST:
                return None
        while self.queries * (high - low) > 0.5:
            middle = (low + high) / 2
            low, high = (middle, high) if self.share(gain, middle) < POWER else (low, middle)
        return max(0, math.ceil(self.queries * (high - 1)))

    @property
    def sentence(self) -> str:
        """What can be hoped to show, in plain words."""
        on = f"{self.queries:,} test queries in {self.groups:,} independent groups"
        least = self.detectable()
        if least is None:
            return f"{on} cannot show any gain: more independent queries are needed."
        how = {
            "measured": "by the spread of the models measured on them",
            "adapter": "by the spread of a quick adapter on the training pairs",
            "rough": f"roughly, for a spread of {ROUGH_SPREAD:.2f}",
        }[self.basis]
        return f"{on} would show a gain of {least:.3f} {metric_title(self.metric)} four times in five ({how})."

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Power":
        """What a report kept."""
        facts = {key: stored[key] for key in ("queries", "groups", "effective", "basis", "metric")}
        return cls(Spread(stored["deviation"], stored["correlation"]), **facts)

    def as_json(self) -> dict[str, Any]:
        """Everything in plain JSON types."""
        return {
            "queries": self.queries,
            "groups": self.groups,
            "effective": self.effective,
            "deviation": self.spread.deviation,
            "correlation": self.spread.correlation,
            "basis": self.basis,
            "metric": self.metric,
            "detectable": self.detectable(),
            "sentence": self.sentence,
        }


def questions_for_a_verdict(gain: float = FIRST_GAIN) -> int:
    """About how many independent questions show a gain four times in five, before anything was measured: a round number.

    >>> questions_for_a_verdict()
    30
    """
    begun = Power.on(QueryGroups.single(FEWEST_QUESTIONS), None, "rough")
    return round((FEWEST_QUESTIONS + (begun.more_queries(gain) or 0)) / 10) * 10


def how_many_more(judged: int) -> str:
    """The one statement of how many questions are still to be judged, in plain words.

    :param judged: how many have a right answer.

    >>> how_many_more(12)
    '8 more, and there is a first figure; a large gain shows four times in five on about 30.'
    >>> how_many_more(30)
    'Enough for a first figure; a small gain takes several times as many.'
    """
    if judged < FEWEST_QUESTIONS:
        return (
            f"{FEWEST_QUESTIONS - judged} more, and there is a first figure; a large gain shows four times in five on "
            f"about {questions_for_a_verdict()}."
        )
    aim = questions_for_a_verdict()
    if judged < aim:
        return f"Enough for a first figure; a large gain shows four times in five on about {aim}."
    return "Enough for a first figure; a small gain takes several times as many."
