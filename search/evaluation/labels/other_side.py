"""A verdict held against what nobody judged: does it stay, where some of that is relevant after all?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from search.evaluation.labels.unjudged import (
    LEAST_GRADED,
    LEAST_JUDGED,
    Grades,
    TwoRuns,
    UnjudgedHit,
    graded_part,
    lined_up,
)
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.rankings.metrics import JUDGED, Scores
from search.evaluation.statistics.flips import DRAWS, SEED, Flips
from search.evaluation.statistics.groups import FEWEST, QueryGroups
from search.evaluation.statistics.resampling import Resamples
from search.evaluation.statistics.significance import PairedTest, Verdict

_FAR_APART = 0.05
_MOST_JUDGED = (
    2_000  # Existing judgments, drawn like a sample: more make a rate no surer than the rest is.
)

Source = Literal["a graded sample", "existing judgments"]


@dataclass(frozen=True)
class LabelEstimate:
    """The difference where unjudged documents are as often relevant as people found: mean, interval and verdict.

    `graded` and `relevant` count what the rate rests on, of the baseline and of the candidate.

    >>> LabelEstimate(0.03, (0.01, 0.05), "better", "a graded sample", (20, 20), (1, 4)).verdict
    'better'
    """

    delta: float
    ci95: tuple[float, float]
    verdict: Verdict
    source: Source
    graded: tuple[int, int]
    relevant: tuple[int, int]


@dataclass(frozen=True)
class OtherSide:
    """One comparison, held against the documents that nobody judged.

    `judged` is the mean share of the first ten that is judged, `unjudged` counts documents that only that column has in its
    first ten (baseline, candidate). `settled` says whether the verdict stays; None where nothing tells: no document was ever
    judged to be wrong, and no sample was graded. `to_grade` are query and document of what to grade next.

    >>> OtherSide("generic", "mine", (0.9, 0.6), (12, 80), "better", None, None).sentence
    'This holds if what nobody labelled is wrong: nobody judged 40 % of what mine has in its first ten, and 10 % of generic.'
    """

    baseline: str
    candidate: str
    judged: tuple[float, float]
    unjudged: tuple[int, int]
    verdict: Verdict
    estimate: LabelEstimate | None
    settled: bool | None
    to_grade: list[tuple[str, str]] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """In plain words what the verdict rests on; "" where all is judged."""
        if not sum(self.unjudged):
            return ""
        shares = [f"{100 * (1 - share):.0f} %" for share in self.judged]
        lacking = f"nobody judged {shares[1]} of what {self.candidate} has in its first ten, and {shares[0]} of {self.baseline}"
        if self.estimate is None:
            if self.settled is None:
                return f"This holds if what nobody labelled is wrong: {lacking}."
            if self.settled:
                return ""
            return f"Not settled: {lacking}, and nobody graded a sample of it."
        low, high = self.estimate.ci95
        rate = (
            f"by the rate of {self.estimate.source} ({sum(self.estimate.relevant)} of {sum(self.estimate.graded)} relevant) the "
            f"difference is {self.estimate.delta:+.3f} (95% interval {low:+.3f} to {high:+.3f}): {self.estimate.verdict}"
        )
        if self.settled:
            return f"It stays so where unjudged documents count: {rate}."
        return f"Not settled: if all that nobody judged is wrong, {self.verdict}; {rate}."

    @classmethod
    def of(
        cls,
        test: PairedTest,
        runs: Mapping[str, Mapping[str, Sequence[str]]],
        scores: Mapping[str, Scores],
        judged: QuerySet,
        groups: QueryGroups,
        grades: Grades,
        draws: int = DRAWS,
    ) -> "OtherSide":
        """Look at one comparison.

        :param runs: of the columns, by query id.
        :param scores: of the columns, a value a query (sorted by id).
        :param judged: queries and judgments, copies as one document.
        :param grades: what people graded of samples, by query id.
        """
        two = TwoRuns((runs[test.baseline], runs[test.candidate]), judged, test.metric)
        hits = two.unjudged
        part = graded_part(hits, grades)
        estimate = None
        if hits:
            estimate = _Estimator(two, hits, groups, draws).estimate(test, scores, part, grades)
        shares = tuple(
            float(np.mean(scores[name][JUDGED])) for name in (test.baseline, test.candidate)
        )
        bad_ones = any(g <= 0 for q in judged.queries for g in judged.judgments.get(q, {}).values())
        settled: bool | None = None
        if not hits:
            settled = True
        elif estimate is not None and estimate.source == "a graded sample":
            settled = estimate.verdict == test.verdict
        elif bad_ones:
            # Judgments that are there were not drawn at random: they unsettle a verdict, and do not settle one alone.
            agree = estimate is None or estimate.verdict == test.verdict
            settled = agree and abs(shares[0] - shares[1]) <= _FAR_APART
        wanted = lined_up(hits, len(part))
        return cls(
            baseline=test.baseline,
            candidate=test.candidate,
            judged=(shares[0], shares[1]),
            unjudged=(sum(h.side == 0 for h in hits), sum(h.side == 1 for h in hits)),
            verdict=test.verdict,
            estimate=estimate,
            settled=settled,
            to_grade=[
                (h.query, h.document) for h in wanted if h.document not in grades.get(h.query, {})
            ],
        )


class _Estimator:
    """Estimates the difference with the unjudged documents of one comparison."""

    def __init__(
        self, two: TwoRuns, hits: Sequence[UnjudgedHit], groups: QueryGroups, draws: int
    ) -> None:
        self._two = two
        self._hits = hits
        self._groups = groups
        self._draws = draws
        self._queries = {query: n for n, query in enumerate(sorted(two.judged.queries))}
        positive = [
            g for q in two.judged.queries for g in two.judged.judgments.get(q, {}).values() if g > 0
        ]
        self._best = max(positive, default=1)
        self._usual = max(set(positive), key=positive.count) if positive else 1

    def estimate(
        self,
        test: PairedTest,
        scores: Mapping[str, Scores],
        part: Sequence[UnjudgedHit],
        grades: Grades,
    ) -> LabelEstimate | None:
        """The estimate by a graded sample, else by the judgments there are; None where neither tells enough."""
        ours, theirs = (np.asarray(scores[n][test.metric]) for n in (test.baseline, test.candidate))
        if len(part) >= LEAST_GRADED or (part and len(part) == len(self._hits)):
            given = [min(grades[hit.query][hit.document], self._best) for hit in part]
            known = {(hit.query, hit.document) for hit in part}
            rest = [hit for hit in self._hits if (hit.query, hit.document) not in known]
            source: Source = "a graded sample"
        else:
            part = sorted(self._two.already_judged, key=lambda hit: hit.turn)[:_MOST_JUDGED]
            given = [self._two.judged.judgments[hit.query][hit.document] for hit in part]
            rest = list(self._hits)
            source = "existing judgments"
            if not self._enough(part, given, rest):
                return None
        effects = self._two.effects(part, given)
        rows = np.zeros((3, len(self._queries)))
        rows[0] = theirs - ours
        if source == "a graded sample":
            np.add.at(rows[0], [self._queries[hit.query] for hit in part], effects)
        if source == "existing judgments" and test.verdict != "no clear difference":
            # What is judged was not drawn at random, but picked because it looked good: its rate is the most that what is not
            # judged may have. A verdict has to stay where only the side that it is against comes up to that.
            favoured = 1 if test.verdict == "better" else 0
            rest = [hit for hit in rest if hit.side != favoured]
        for hit in rest:
            rows[1 + hit.side, self._queries[hit.query]] += hit.weight
        rates, drawn = self._rates(part, effects, rest)
        delta = float(rows[0].mean() + rates @ rows[1:].mean(axis=1))
        means = Resamples(*self._groups.totals(rows), self._draws).means
        level = 0.95 if not test.p_adjusted else 1 - 0.05 * min(1.0, test.p_value / test.p_adjusted)
        each = means[0] + (drawn * means[1:]).sum(axis=0)
        low, high = np.quantile(each, [(1 - level) / 2, (1 + level) / 2])
        verdict: Verdict = "no clear difference"
        # Decided by the test that decides verdicts, too: the draws alone are too sure where groups are few.
        flips = Flips(self._groups, self._draws)
        p_value = flips.p_values((rows[0] + rates @ rows[1:])[None])[0]
        if self._groups.count >= FEWEST and p_value < 1 - level and (low > 0 or high < 0):
            verdict = "better" if low > 0 else "worse"
        ends = np.quantile(each, [0.025, 0.975])
        return LabelEstimate(
            delta=delta,
            ci95=(float(ends[0]), float(ends[1])),
            verdict=verdict,
            source=source,
            graded=_counts(part),
            relevant=_counts([hit for hit, grade in zip(part, given, strict=True) if grade > 0]),
        )

    @staticmethod
    def _enough(
        part: Sequence[UnjudgedHit], given: Sequence[int], rest: Sequence[UnjudgedHit]
    ) -> bool:
        """Whether each column with unjudged documents has judged ones enough, relevant and not."""
        for side in {hit.side for hit in rest}:
            own = [grade for hit, grade in zip(part, given, strict=True) if hit.side == side]
            if len(own) < LEAST_JUDGED or min(own) > 0 or max(own) <= 0:
                return False
        return True

    def _rates(
        self, part: Sequence[UnjudgedHit], effects: NDArray[np.float64], rest: Sequence[UnjudgedHit]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Each side's effect per unit of discount, of shape (2,), and what it may be by chance, (2, draws).

        The draws are a Bayesian bootstrap (Rubin 1981) over the groups of the queries, with half a relevant and half an
        irrelevant document beside (Jeffreys' prior of a share): of twenty bad ones the rate need not be nothing.
        """
        rates, drawn = np.zeros(2), np.zeros((2, self._draws))
        rng = np.random.default_rng(SEED)
        often = rng.exponential(size=(self._draws, self._groups.count))
        for side in {hit.side for hit in rest}:
            own = [n for n, hit in enumerate(part) if hit.side == side]
            values = np.array([effects[n] / part[n].weight for n in own])
            groups = self._groups.labels[[self._queries[part[n].query] for n in own]]
            sums = np.bincount(groups, values, minlength=self._groups.count)
            counts = np.bincount(groups, minlength=self._groups.count)
            examples = [part[n] for n in own] or [h for h in self._hits if h.side == side]
            usual = np.mean(
                self._two.effects(
                    examples[:LEAST_JUDGED], [self._usual] * len(examples[:LEAST_JUDGED])
                )
                / [hit.weight for hit in examples[:LEAST_JUDGED]]
            )
            rates[side] = values.mean() if len(values) else 0.0
            good, bad = rng.gamma(0.5, size=(2, self._draws))
            drawn[side] = (often @ sums + good * usual) / (often @ counts + good + bad)
        return rates, drawn


def _counts(hits: Sequence[UnjudgedHit]) -> tuple[int, int]:
    return sum(hit.side == 0 for hit in hits), sum(hit.side == 1 for hit in hits)
