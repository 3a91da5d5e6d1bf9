"""Whether a difference is more than chance: a paired test over the same queries, and its verdict.

The tests are scipy's: a paired randomization test (Fisher; Smucker, Allan, Carterette, CIKM 2007) and a
bias-corrected and accelerated bootstrap interval of the mean difference (Efron 1987).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from search.evaluation.metrics import MAIN_METRIC

_RESAMPLES = 9_999
_ALPHA = 0.05
_SEED = 20_240_501

Verdict = Literal["better", "worse", "no clear difference"]


@dataclass(frozen=True)
class PairedTest:
    """A candidate against a baseline on the same queries.

    >>> test = paired_test("generic", "mine", [0.1, 0.2, 0.3] * 10, [0.5, 0.4, 0.6] * 10)
    >>> test.verdict, test.wins, round(test.delta, 2)
    ('better', 30, 0.3)
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

    def sentence(self, queries: int) -> str:
        """The verdict in one plain sentence, for the person who decides."""
        low, high = self.ci95
        size = f"{self.delta:+.3f} nDCG@10 (95% interval {low:+.3f} to {high:+.3f})"
        on = f"on {queries:,} held-out queries"
        said = f"No clear difference between {self.candidate} and {self.baseline}"
        if self.verdict != "no clear difference":
            said = f"{self.candidate} is {self.verdict} than {self.baseline}"
        return f"{said} {on}: {size}."


def paired_test(
    baseline: str, candidate: str, ours: Sequence[float], theirs: Sequence[float]
) -> PairedTest:
    """Test a candidate's per-query scores (`theirs`) against a baseline's (`ours`), two-sided.

    :returns: the mean difference, its 95% interval, the p-value, wins, ties, losses and the verdict:
        better or worse where p < 0.05, else no clear difference.
    """
    differences = np.asarray(theirs, dtype=np.float64) - np.asarray(ours, dtype=np.float64)
    delta = float(differences.mean())
    p_value = _randomization_p(differences)
    verdict: Verdict = "no clear difference"
    if p_value < _ALPHA and delta != 0:
        verdict = "better" if delta > 0 else "worse"
    ties = np.abs(differences) < 1e-9
    return PairedTest(
        baseline=baseline,
        candidate=candidate,
        metric=MAIN_METRIC,
        delta=delta,
        ci95=_interval(differences),
        p_value=p_value,
        wins=int(((differences > 0) & ~ties).sum()),
        ties=int(ties.sum()),
        losses=int(((differences < 0) & ~ties).sum()),
        verdict=verdict,
    )


def _randomization_p(differences: NDArray[np.float64]) -> float:
    from scipy.stats import permutation_test

    if len(differences) < 2 or not np.abs(differences).max() > 0:
        return 1.0
    result = permutation_test(
        (differences,),
        lambda x, axis: np.mean(x, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=_RESAMPLES,
        batch=max(1, 2_000_000 // len(differences)),
        rng=np.random.default_rng(_SEED),
    )
    return float(result.pvalue)


def _interval(differences: NDArray[np.float64]) -> tuple[float, float]:
    from scipy.stats import bootstrap

    mean = float(differences.mean())
    if len(differences) < 2 or np.ptp(differences) == 0:
        return mean, mean
    interval = bootstrap(
        (differences,),
        np.mean,
        vectorized=True,
        n_resamples=_RESAMPLES,
        batch=max(1, 2_000_000 // len(differences)),
        method="BCa",
        rng=np.random.default_rng(_SEED),
    ).confidence_interval
    return float(interval.low), float(interval.high)
