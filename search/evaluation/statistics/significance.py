"""Whether a difference is more than chance: a paired test over the same queries, and its verdict.

The test flips the signs of groups of queries (`search.evaluation.statistics.flips`), the interval draws groups, or inverts the test
where groups are few or few of them differ: a bootstrap of few is too narrow (`search.evaluation.statistics.intervals`). What is too small to matter is told by two one-sided tests: the 90 % interval inside the margin (Schuirmann, Journal of
Pharmacokinetics and Biopharmaceutics 1987).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from search.evaluation.rankings.metrics import MAIN_METRIC, Scores, metric_title
from search.evaluation.statistics.flips import Flips
from search.evaluation.statistics.groups import FEW, FEWEST, QueryGroups
from search.evaluation.statistics.intervals import Intervals
from search.evaluation.statistics.power import Power, Spread
from search.projects.errors import Refused

MARGIN = 0.02
"""The least difference that matters, unless a project says otherwise."""
ALPHA = 0.05
_TIE = 1e-9

Verdict = Literal["better", "worse", "no clear difference"]
Practical = Literal[
    "too small to matter",
    "better by at least the margin",
    "better",
    "worse by at least the margin",
    "worse",
    "cannot tell",
]


@dataclass(frozen=True)
class MetricTest:
    """The difference in one metric: its mean, 95 % interval and p, adjusted for nothing.

    >>> MetricTest(0.1, (0.05, 0.15), 0.01).delta
    0.1
    """

    delta: float
    ci95: tuple[float, float]
    p_value: float


@dataclass(frozen=True)
class PairedTest:
    """A candidate against a baseline on the same queries.

    `p_value` and `ci95` are of this difference alone. `p_adjusted` holds for all `family` candidates together, and
    decides the verdict; None for a reference, which is not counted (its own p decides). `ci95_simultaneous` holds for
    all candidates of the evaluation at once. `groups` are independent groups of queries (0: not known, as in what was
    evaluated before they were counted); `few_groups` says that there are few, or that one holds much of all.
    `practical` holds the difference against `margin`; `metrics` has every metric's difference. `detectable` is the gain that
    these queries show four times in five, `more_queries` how many more of the same spread would show one of `margin` (None
    for both: not known, or beyond reach).

    >>> test = paired_test("generic", "mine", [0.1, 0.2, 0.3] * 10, [0.5, 0.4, 0.6] * 10)
    >>> test.verdict, test.wins, round(test.delta, 2), test.practical
    ('better', 30, 0.3, 'better by at least the margin')
    """

    baseline: str
    candidate: str
    metric: str
    delta: float
    ci95: tuple[float, float]
    p_value: float
    wins: int
    ties: int
    losses: int
    verdict: Verdict
    p_adjusted: float | None = None
    family: int = 0
    ci95_simultaneous: tuple[float, float] | None = None
    ci90: tuple[float, float] | None = None
    groups: int = 0
    few_groups: bool = False
    margin: float = MARGIN
    practical: Practical = "cannot tell"
    metrics: dict[str, MetricTest] = field(default_factory=dict)
    detectable: float | None = None
    more_queries: int | None = None

    @property
    def p_decisive(self) -> float:
        """The p that the verdict follows."""
        return self.p_value if self.p_adjusted is None else self.p_adjusted

    @property
    def can_tell(self) -> bool:
        """Whether there are groups enough for any verdict."""
        return not 0 < self.groups < FEWEST

    def within_family(self, p_adjusted: float, family: int) -> "PairedTest":
        """The same test as one of several candidates: verdict and practical size follow the adjusted p.

        :param family: how many candidates there are.
        """
        return replace(self, p_adjusted=p_adjusted, family=family)._decided()

    def as_json(self) -> dict[str, Any]:
        """The shape that `evaluate --json` prints of a comparison."""
        shape: dict[str, Any] = TypeAdapter(PairedTest).dump_python(self, mode="json")
        return shape

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval to show: the one that holds for all candidates where there are several."""
        return self.ci95_simultaneous or self.ci95

    def sentence(self, queries: int) -> str:
        """The verdict in one plain sentence, for the person who decides."""
        low, high = self.interval
        on = f"on {queries:,} held-out queries"
        size = f"{self.delta:+.3f} {metric_title(self.metric)}"
        if not self.can_tell:
            groups = f"{self.groups} independent {'group' if self.groups == 1 else 'groups'}"
            return (
                f"Cannot tell whether {self.candidate} is better than {self.baseline} {on}: only {groups} of queries "
                f"({size})."
            )
        said = f"No clear difference between {self.candidate} and {self.baseline}"
        if self.verdict != "no clear difference":
            said = f"{self.candidate} is {self.verdict} than {self.baseline}"
        return f"{said} {on}: {size} (95% interval {low:+.3f} to {high:+.3f}{self._caveat()})."

    @property
    def evidence(self) -> str:
        """What the verdict rests on: p, the one adjusted for all candidates, wins, ties and losses."""
        p = f"p = {self.p_value:.4f}"
        if self.p_adjusted is not None and self.family > 1:
            p += f", {self.p_adjusted:.4f} adjusted for {self.family:,} candidates"
        return f"{p}; {self.wins:,} wins, {self.ties:,} ties, {self.losses:,} losses."

    @property
    def practical_sentence(self) -> str | None:
        """How large the difference is against the margin; None where nothing is certain of that."""
        if self.practical == "too small to matter":
            return f"Too small to matter: less than {self.margin:.3f} either way (90% interval)."
        if self.practical.endswith("by at least the margin"):
            return f"By at least the margin of {self.margin:.3f}."
        return None

    @property
    def power_sentence(self) -> str | None:
        """What these queries could have shown, where there is no clear difference; None elsewhere."""
        if self.verdict != "no clear difference" or self.detectable is None:
            return None
        title = metric_title(self.metric)
        shown = (
            f"These queries show a difference of {self.detectable:.3f} {title} four times in five"
        )
        if not self.more_queries:
            return f"{shown}."
        return f"{shown}; for one of {self.margin:.3f} it takes about {self.more_queries:,} more of the same spread."

    def _caveat(self) -> str:
        """What the groups take from what an interval says."""
        if not self.few_groups:
            return ""
        if self.groups < FEW:
            return f"; few independent groups: {self.groups}"
        return "; few independent groups: one holds more than a tenth of the queries"

    def _decided(self) -> "PairedTest":
        verdict: Verdict = "no clear difference"
        if self.can_tell and self.p_decisive < ALPHA and self.delta != 0:
            verdict = "better" if self.delta > 0 else "worse"
        return replace(self, verdict=verdict, practical=self._practical(verdict))

    def _practical(self, verdict: Verdict) -> Practical:
        if not self.can_tell:
            return "cannot tell"
        if self.ci90 is not None and max(map(abs, self.ci90)) < self.margin:
            return "too small to matter"
        if verdict == "no clear difference":
            return "cannot tell"
        ends = self.interval
        if verdict == "better":
            return "better by at least the margin" if ends[0] >= self.margin else "better"
        return "worse by at least the margin" if ends[1] <= -self.margin else "worse"


def paired_test(
    baseline: str,
    candidate: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    groups: QueryGroups | None = None,
    metric: str = MAIN_METRIC,
    margin: float = MARGIN,
) -> PairedTest:
    """Test a candidate's per-query scores (`theirs`) against a baseline's (`ours`), two-sided.

    :param groups: of the queries; every query its own where none.
    :returns: the mean difference, its intervals, the p-value, wins, ties, losses and the verdict: better or worse where
        p < 0.05, else no clear difference.
    :raises Refused: where a score is missing.
    """
    scores = {baseline: {metric: list(ours)}, candidate: {metric: list(theirs)}}
    if baseline == candidate:
        raise Refused(f"{baseline} is compared with itself: name two different columns.")
    return compare(scores, groups or QueryGroups.single(len(ours)), (), metric, margin)[0]


def compare(
    scores: Mapping[str, Scores],
    groups: QueryGroups,
    candidates: Collection[str],
    metric: str = MAIN_METRIC,
    margin: float = MARGIN,
) -> list[PairedTest]:
    """Test every column against the first, in all metrics, by one set of flips and one of draws.

    :param scores: column to metric to one score a query.
    :param candidates: the columns whose intervals are to hold together (`ci95_simultaneous`).
    :param metric: what the verdict is about.
    :raises Refused: where a score is missing.
    """
    baseline, *others = scores
    rows = [(other, name) for other in others for name in scores[baseline]]
    if not rows:
        return []
    differences = np.stack([_differences(scores, baseline, other, name) for other, name in rows])
    flips = Flips(groups)
    sums, sizes = groups.totals(differences)
    p_values = flips.p_of_sums(sums)
    main = [i for i, (_, name) in enumerate(rows) if name == metric]
    counted = [i for i in main if rows[i][0] in candidates]
    intervals = Intervals(groups, sums, sizes, flips)
    ci95 = intervals.at(0.95)
    ci90 = intervals.at(0.90)
    together = dict(zip(counted, intervals.together(counted), strict=True)) if counted else {}
    tests = []
    for i in main:
        each = differences[i]
        ties = np.abs(each) < _TIE
        power = Power.on(groups, Spread.of(each, groups), "measured", metric)
        named = [j for j, (other, _) in enumerate(rows) if other == rows[i][0]]
        test = PairedTest(
            baseline=baseline,
            candidate=rows[i][0],
            metric=metric,
            delta=float(each.mean()),
            ci95=_pair(ci95[i]),
            p_value=float(p_values[i]),
            wins=int(((each > 0) & ~ties).sum()),
            ties=int(ties.sum()),
            losses=int(((each < 0) & ~ties).sum()),
            verdict="no clear difference",
            ci95_simultaneous=_pair(together[i]) if i in together else None,
            ci90=_pair(ci90[i]),
            groups=groups.count,
            few_groups=groups.few,
            detectable=power.detectable(),
            more_queries=power.more_queries(margin),
            margin=margin,
            metrics={
                rows[j][1]: MetricTest(
                    float(differences[j].mean()), _pair(ci95[j]), float(p_values[j])
                )
                for j in named
            },
        )
        tests.append(test._decided())
    return tests


def _differences(
    scores: Mapping[str, Scores], baseline: str, other: str, metric: str
) -> NDArray[np.float64]:
    ours = np.asarray(scores[baseline][metric], dtype=np.float64)
    theirs = np.asarray(scores[other][metric], dtype=np.float64)
    for column, values in ((baseline, ours), (other, theirs)):
        if not np.isfinite(values).all():
            missing = int((~np.isfinite(values)).sum())
            raise Refused(
                f"{missing:,} of {len(values):,} scores of {column} in {metric} are missing, so nothing can be tested: "
                "measure it again, or leave it out."
            )
    result: NDArray[np.float64] = theirs - ours
    result[np.abs(result) < _TIE] = 0.0  # Equal but for rounding.
    return result


def _pair(ends: NDArray[np.float64]) -> tuple[float, float]:
    return float(ends[0]), float(ends[1])
