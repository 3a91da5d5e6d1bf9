"""The difference inside each slice, tested by the flips of the whole, and what is certain after all slices were looked at.

Of twenty slices that are no different, one is below .05 by chance; so p is adjusted over all slices of one comparison, by
Benjamini and Hochberg (JRSS B 1995; for tests that depend on each other positively, as slices that overlap mostly do:
Benjamini and Yekutieli, Annals of Statistics 2001). Slices that overlap the other way make it approximate.

Where most questions are answered alike and a few gain much, a small part that happens to hold none of these looks worse than it
is: sign flips are exact for differences that are as often so far above zero as below. So a loss is certain only where random
parts of the same size hardly ever fall as low (a permutation test of belonging to the slice; Pitman 1937).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from search.evaluation.rankings.metrics import MAIN_METRIC, Scores
from search.evaluation.slices.define import Slice
from search.evaluation.statistics.family import benjamini_hochberg
from search.evaluation.statistics.flips import SEED, Flips
from search.evaluation.statistics.groups import QueryGroups
from search.evaluation.statistics.significance import ALPHA, Verdict

LEAST_QUERIES = 20
LEAST_GROUPS = 10
RARE = 0.025
"""The share of random parts of the questions that may fall as low as a slice whose loss is certain."""
_PARTS = 1_999
_CHUNK = 2_000_000
_TIE = 1e-9
_NAMED = 3


@dataclass(frozen=True)
class SliceTest:
    """A candidate against a baseline on the queries of one slice.

    `delta`, `ci95` and `p_value` are of the difference inside the slice, in the main metric; `p_adjusted` holds over all
    slices of this comparison, and decides the verdict. `as_low` is the share of random parts of the queries, as large as this
    one, that fall as low: None for a slice that is not worse. `of_corpus` says that the title quotes the corpus.

    >>> test = SliceTest("negation", "questions with a negation", "generic", "mine", 40, 35, -0.2, (-0.3, -0.1), 0.001, 0.01,
    ...                  5, 10, 25, "worse", as_low=0.001)
    >>> test.is_certain_loss
    True
    """

    key: str
    title: str
    baseline: str
    candidate: str
    queries: int
    groups: int
    delta: float
    ci95: tuple[float, float]
    p_value: float
    p_adjusted: float
    wins: int
    ties: int
    losses: int
    verdict: Verdict
    as_low: float | None = None
    of_corpus: bool = False

    @property
    def is_certain_loss(self) -> bool:
        """Whether it belongs into the sentence of the verdict: it got worse, and that is no chance."""
        is_rare = self.as_low is not None and self.as_low < RARE
        return self.verdict == "worse" and self.ci95[1] < 0 and is_rare

    @property
    def sentence(self) -> str:
        """What there is to say of it, in a line of a list."""
        low, high = self.ci95
        return (
            f"{self.candidate} against {self.baseline} on {self.title}: {self.verdict}, {self.delta:+.3f} (95% interval "
            f"{low:+.3f} to {high:+.3f}; {self.queries:,} queries, adjusted p = {self.p_adjusted:.4f})."
        )

    def as_json(self) -> dict[str, Any]:
        """The shape that `evaluate --json` prints of a slice."""
        shape: dict[str, Any] = TypeAdapter(SliceTest).dump_python(self, mode="json")
        return shape


def large_enough(slices: Sequence[Slice], groups: QueryGroups) -> list[Slice]:
    """The slices of at least 20 queries in 10 groups: of fewer nothing can be told."""
    return [
        one
        for one in slices
        if one.size >= LEAST_QUERIES and groups.only(one.members).count >= LEAST_GROUPS
    ]


def compare_slices(
    slices: Sequence[Slice],
    scores: Mapping[str, Scores],
    pairs: Sequence[tuple[str, str]],
    groups: QueryGroups,
    flips: Flips | None = None,
    metric: str = MAIN_METRIC,
) -> list[SliceTest]:
    """Test each pair of a baseline and a candidate inside each slice that is large enough.

    :param slices: of the queries that were scored.
    :param scores: column to metric to one score a query.
    :param flips: patterns of signs over these groups; those of every test, with the same seed, where none are given.
    :returns: pair by pair, in the order of the slices.
    """
    tested = large_enough(slices, groups)
    if not tested or not pairs:
        return []
    members = np.stack([one.members for one in tested])
    each = np.array([np.subtract(scores[c][metric], scores[b][metric]) for b, c in pairs])
    each[np.abs(each) < _TIE] = 0.0
    differences = np.repeat(each, len(tested), axis=0)
    within = np.tile(members, (len(pairs), 1))
    flips = flips or Flips(groups)
    p_values = flips.p_values(differences, within).reshape(len(pairs), -1)
    intervals = flips.intervals(differences, within).reshape(len(pairs), -1, 2)
    in_groups = [groups.only(one.members).count for one in tested]
    made = []
    for i, (baseline, candidate) in enumerate(pairs):
        adjusted = benjamini_hochberg(p_values[i].tolist())
        for j, one in enumerate(tested):
            inside = each[i][one.members]
            delta = float(inside.mean())
            verdict: Verdict = "no clear difference"
            if adjusted[j] < ALPHA and delta != 0:
                verdict = "better" if delta > 0 else "worse"
            is_worse = verdict == "worse"
            made.append(
                SliceTest(
                    key=one.key,
                    title=one.title,
                    baseline=baseline,
                    candidate=candidate,
                    queries=one.size,
                    groups=in_groups[j],
                    delta=delta,
                    ci95=(float(intervals[i, j, 0]), float(intervals[i, j, 1])),
                    p_value=float(p_values[i, j]),
                    p_adjusted=adjusted[j],
                    wins=int((inside > 0).sum()),
                    ties=int((inside == 0).sum()),
                    losses=int((inside < 0).sum()),
                    verdict=verdict,
                    as_low=_as_low(each[i], one.members, groups) if is_worse else None,
                    of_corpus=one.of_corpus,
                )
            )
    return made


def _as_low(
    differences: NDArray[np.float64], members: NDArray[np.bool_], groups: QueryGroups
) -> float:
    """The share of random parts of the queries, of as many in as many groups, whose mean is at most that of a slice."""
    means = groups.sums(differences[None])[0] / groups.sizes
    counts = groups.sums(members.astype(np.float64)[None])[0]
    counts = counts[counts > 0]
    limit = float(differences[members].mean()) + 1e-12
    rng = np.random.default_rng(SEED)
    rows = max(1, _CHUNK // len(means))
    low = 0
    for start in range(0, _PARTS, rows):
        drawn = rng.random((min(rows, _PARTS - start), len(means)))
        chosen = np.argpartition(drawn, len(counts) - 1, axis=1)[:, : len(counts)]
        low += int((means[chosen] @ counts / counts.sum() <= limit).sum())
    return (1 + low) / (1 + _PARTS)


def worse_on(tests: Sequence[SliceTest], baseline: str, candidate: str, most: int = _NAMED) -> str:
    """What a verdict says of the slices that got worse for certain; nothing where there is none.

    >>> one = SliceTest("number", "questions with a number", "generic", "mine", 40, 35, -0.2, (-0.3, -0.1), 0.001, 0.01,
    ...                 5, 10, 25, "worse", as_low=0.001)
    >>> worse_on([one], "generic", "mine")
    'worse on questions with a number'
    """
    lost = [
        test
        for test in tests
        if (test.baseline, test.candidate) == (baseline, candidate) and test.is_certain_loss
    ]
    lost.sort(key=lambda test: test.delta)
    titles = [test.title for test in lost[:_NAMED]]
    if not titles:
        return ""
    if more := len(lost) - len(titles):
        titles.append(f"{more} more {'slice' if more == 1 else 'slices'}")
    return "worse on " + " and ".join(filter(None, (", ".join(titles[:-1]), titles[-1])))
