"""A gain in words that need no metric: how many more questions are answered at the top, and by which part it is better."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.evaluation.statistics.flips import DRAWS, SEED, Flips
from search.evaluation.statistics.groups import QueryGroups
from search.evaluation.statistics.significance import ALPHA

TOP = 3
_OF = 100
_FARTHEST = 10.0  # Eleven times as good, or as bad: farther nobody looks.
_STEPS, _ROUNDS = 17, 5
_ROUNDING = 1e-12
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Gain:
    """How often a right document is at the top, and the relative gain in the main metric.

    `before` and `after` of `queries` have one among the first three. `relative` is the gain as a part of the baseline's
    mean, `interval` its 95 % interval; both None where the baseline's mean is 0.

    >>> gain = Gain(116, before=67, after=82, relative=0.12, interval=(0.05, 0.2))
    >>> gain.sentence
    'The right document is among the first three for 71 instead of 58 of 100 questions.'
    >>> gain.relative_words
    '+12% (95% interval +5% to +20%)'
    """

    queries: int
    before: int
    after: int
    relative: float | None = None
    interval: tuple[float, float] | None = None

    @property
    def sentence(self) -> str:
        """The gain in plain words; of a hundred questions where there are that many."""
        of = min(self.queries, _OF)
        before, after = (round(of * n / max(1, self.queries)) for n in (self.before, self.after))
        start = "The right document is among the first three for"
        if before == after:
            return f"{start} {after:,} of {of:,} questions, with either."
        return f"{start} {after:,} instead of {before:,} of {of:,} questions."

    @property
    def relative_words(self) -> str:
        """The relative gain with its interval, in whole percent; empty where there is none."""
        if self.relative is None or self.interval is None:
            return ""
        low, high = self.interval
        return f"{self.relative:+.0%} (95% interval {low:+.0%} to {high:+.0%})"

    def as_json(self) -> dict[str, Any]:
        """As a comparison of `evaluate --json` has it."""
        return {
            "first_three": {"queries": self.queries, "before": self.before, "after": self.after},
            "relative": self.relative,
            "relative_ci95": None if self.interval is None else list(self.interval),
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Gain":
        """A gain out of an evaluation."""
        ends = said["relative_ci95"]
        interval = None if ends is None else (float(ends[0]), float(ends[1]))
        return cls(**said["first_three"], relative=said["relative"], interval=interval)


def first_three_sentence(title: str, ranks: Sequence[int | None]) -> str:
    """How often a column has a right document among its first three, in plain words that follow those of a gain.

    >>> first_three_sentence("Keyword search", [1, 4, None, 3])
    'Keyword search has it there for 2 of 4.'

    :param title: what begins the sentence.
    :param ranks: of the first right document of each query.
    """
    of = min(len(ranks), _OF)
    count = sum(rank is not None and rank <= TOP for rank in ranks)
    return f"{title} has it there for {round(of * count / max(1, len(ranks))):,} of {of:,}."


def gain_of(
    ours: Sequence[float],
    theirs: Sequence[float],
    firsts: tuple[Sequence[int | None], Sequence[int | None]],
    groups: QueryGroups,
) -> Gain:
    """The gain of a candidate (`theirs`) over a baseline (`ours`).

    The interval of the relative gain is that of a ratio of sums: groups are drawn with replacement (cluster bootstrap;
    Cameron, Gelbach and Miller 2008), and the ends are bias-corrected and accelerated (Efron 1987). Where groups are few,
    it holds the gains that the randomization test does not reject (as Fieller 1954 inverts a test of a ratio), so that it
    never contradicts the verdict.

    :param ours: and `theirs`: the main metric of each query.
    :param firsts: of the baseline and of the candidate, the rank of the first right document of each query.
    :param groups: of the queries.
    """
    before, after = (sum(rank is not None and rank <= TOP for rank in ranks) for ranks in firsts)
    each = np.array([ours, theirs], dtype=np.float64)
    if not each[0].sum() > 0:
        return Gain(len(ours), before, after)
    relative = float(each[1].sum() / each[0].sum() - 1)
    interval = (_inverted if groups.few else _drawn)(each, groups, relative)
    return Gain(len(ours), before, after, relative, interval)


def _drawn(each: Values, groups: QueryGroups, relative: float) -> tuple[float, float]:
    """The BCa interval of the ratio of sums."""
    from scipy.stats import bootstrap

    sums = groups.sums(each)
    if np.ptp(sums[1] - (1 + relative) * sums[0]) < _ROUNDING:
        return relative, relative
    found = bootstrap(
        (sums[0], sums[1]),
        lambda ours, theirs, axis: theirs.sum(axis=axis) / ours.sum(axis=axis) - 1,
        paired=True,
        vectorized=True,
        n_resamples=DRAWS,
        batch=max(1, 2_000_000 // sums.shape[1]),
        method="BCa",
        rng=np.random.default_rng(SEED),
    ).confidence_interval
    return float(found.low), float(found.high)


def _inverted(each: Values, groups: QueryGroups, relative: float) -> tuple[float, float] | None:
    """The relative gains that the randomization test does not reject; None where it rejects none."""
    flips = Flips(groups)
    ends = []
    for way in (-1.0, 1.0):
        inside, outside = relative, relative + way * _FARTHEST
        if flips.p_values(_against(each, np.array([outside])))[0] >= ALPHA:
            return None
        for _ in range(_ROUNDS):
            steps = np.linspace(inside, outside, _STEPS)
            rejected = flips.p_values(_against(each, steps)) < ALPHA
            first = int(np.argmax(rejected))
            inside, outside = float(steps[max(first - 1, 0)]), float(steps[first])
        ends.append(inside)
    return ends[0], ends[1]


def _against(each: Values, relative: Values) -> Values:
    """The differences of each query, were the candidate better by such parts: of shape (parts, queries)."""
    result: Values = each[1] - (1 + relative[:, None]) * each[0]
    return result
