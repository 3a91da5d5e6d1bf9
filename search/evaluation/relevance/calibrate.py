"""From evidence to probabilities and lines: numbers only.

A hit's log odds come from a logistic regression over its evidence. What they are worth is learned from log odds that each query
got from the others (cross-fitting): by isotonic regression above a thousand hits (Zadrozny and Elkan, "Transforming Classifier
Scores into Accurate Multiclass Probability Estimates", 2002), below by a straight line (Platt, "Probabilistic Outputs for
Support Vector Machines", 1999), which needs fewer (Niculescu-Mizil and Caruana, "Predicting Good Probabilities", 2005).

The two lines are of two other regressions, over the evidence of whole questions: dev queries against questions of anything but the
corpus; and dev queries as they are against the same ones with all that answers them taken out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from search.retrieval.relevance.calibration import (
    Calibration,
    Logistic,
    Steps,
    Threshold,
    standardised,
)
from search.retrieval.relevance.evidence import Evidence, Table

ISOTONIC_ABOVE = 1_000
FOREIGN_LOST, UNANSWERED_LOST = 0.05, 0.1
WORTH_SAYING = 1 / 3
_FOLDS = 5
_SEED = 7
_PENALTY = 0.1
_FIRST = 3
_CONFIDENCE = 0.99
_REACH = 0.95

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class AskedQuestion:
    """A dev query in one column: its evidence as it is, its first hits, which of them answer, and its evidence without any answer.

    `hits` has a row of measures a hit; `gone` is None where nothing is left without the answers.

    >>> scores = Evidence(np.full(50, 0.2), np.zeros(50), 0.0, 0.0, 0.0, 0.0, {})
    >>> AskedQuestion(scores, np.zeros((1, 13)), np.array([True]), None).relevant.tolist()
    [True]
    """

    evidence: Evidence
    hits: Table
    relevant: Flags
    gone: Evidence | None


def calibrate(
    asked: Sequence[AskedQuestion], general: Sequence[AskedQuestion], rough: bool = False
) -> Calibration:
    """What some dev queries, and questions of anything but the corpus, make of the evidence.

    :param asked: of at least one query that some hit answers, and one that some does not.
    :param general: of the questions that nothing in the corpus is about; they have no part in the probability of hits. None
        where they find nothing, as words of another script do: then no line is needed.
    :param rough: that the queries are made of the documents: they cannot say when an answer is missing.
    """
    rows = np.concatenate([one.hits for one in asked])
    right = np.concatenate([one.relevant for one in asked])
    owner = np.repeat(np.arange(len(asked)), [len(one.hits) for one in asked])
    odds = cross_fitted(rows, right, owner)
    unanswered = _unanswered(asked)
    return Calibration(
        _regression(rows, right),
        _steps(odds, right),
        _foreign([one.evidence for one in asked], [one.evidence for one in general]),
        replace(unanswered, at=None) if rough else unanswered,
        len(asked),
        rough,
    )


def cross_fitted(rows: Table, right: Flags, owner: NDArray[np.int64]) -> Table:
    """The log odds of each row by what was fitted without any row of its owner: shape (rows,)."""
    odds = np.zeros(len(rows))
    for held in _folds(int(owner.max()) + 1):
        out = np.isin(owner, held)
        if out.any():
            odds[out] = _regression(rows[~out], right[~out]).of(rows[out])
    return odds


def _foreign(own: Sequence[Evidence], general: Sequence[Evidence]) -> Threshold:
    """The line between the questions of a corpus and those of anything else."""
    rows = np.stack([one.subject() for one in (*own, *general)])
    right = np.arange(len(rows)) < len(own)
    odds = cross_fitted(rows, right, np.arange(len(rows)))
    at = _safe(odds[right], FOREIGN_LOST)
    if not general:
        return _threshold(rows, right, odds, odds, at)
    # Where there is room between the two, half of it is for questions of the corpus that nobody asked yet.
    at = min(at, (at + float(np.quantile(odds[~right], _REACH))) / 2)
    return _threshold(rows, right, odds, odds[right], at)


def _unanswered(asked: Sequence[AskedQuestion]) -> Threshold:
    """The line between questions that something answers and the same ones without the answers."""
    pairs = [(i, one.gone) for i, one in enumerate(asked) if one.gone is not None]
    every = [*(one.evidence for one in asked), *(gone for _, gone in pairs)]
    rows = np.stack([one.question() for one in every])
    right = np.arange(len(rows)) < len(asked)
    owner = np.array([*range(len(asked)), *(i for i, _ in pairs)])
    odds = cross_fitted(rows, right, owner)
    answered = np.array([bool(one.relevant[:_FIRST].any()) for one in asked])
    spared = odds[right][answered] if answered.any() else odds[right]
    return _threshold(rows, right, odds, spared, _safe(spared, UNANSWERED_LOST))


def _safe(values: Table, share: float) -> float:
    """What with 99 % confidence no more than so large a share of new values is below: a tolerance limit (Wilks 1941).

    Of so few values that there is none, the lowest.
    """
    from scipy.stats import binom

    rank = int(binom.ppf(1 - _CONFIDENCE, len(values), share))
    return float(np.sort(values)[max(rank - 1, 0)])


def _threshold(rows: Table, right: Flags, odds: Table, spared: Table, at: float) -> Threshold:
    """A line at some log odds; none where it says too little."""
    below = float((odds[~right] < at).mean()) if not right.all() else 0.0
    wrong = float((spared < at).mean())
    return Threshold(_regression(rows, right), at if below >= WORTH_SAYING else None, below, wrong)


def _regression(rows: Table, right: Flags) -> Logistic:
    """A logistic regression with a small penalty; of one class alone, its share with a half added to each class."""
    from sklearn.linear_model import LogisticRegression

    means, scales = rows.mean(axis=0), rows.std(axis=0)
    scales[scales < 1e-9] = 1.0
    weights, bias = np.zeros(rows.shape[1]), np.log((right.sum() + 0.5) / ((~right).sum() + 0.5))
    if right.any() and not right.all():
        standard = standardised(rows, means.tolist(), scales.tolist())
        fitted = LogisticRegression(C=_PENALTY, max_iter=2_000).fit(standard, right)
        weights, bias = fitted.coef_[0], fitted.intercept_[0]
    numbers = [tuple(map(float, part)) for part in (means, scales, weights)]
    return Logistic(numbers[0], numbers[1], numbers[2], float(bias))


def _steps(odds: Table, right: Flags) -> Steps:
    """Log odds as probabilities: isotonic where there are many hits, else Platt's line."""
    if len(odds) > ISOTONIC_ABOVE:
        from sklearn.isotonic import IsotonicRegression

        fitted = IsotonicRegression(y_min=0, y_max=1).fit(odds, right.astype(float))
        return Steps(tuple(fitted.X_thresholds_.tolist()), tuple(fitted.y_thresholds_.tolist()))
    line = _regression(odds[:, None], right)
    slope = line.weights[0] / line.scales[0]
    return Steps((), (), slope, line.bias - slope * line.means[0])


def _folds(count: int) -> Iterator[NDArray[np.int64]]:
    order = np.random.default_rng(_SEED).permutation(count)
    return (order[fold::_FOLDS] for fold in range(_FOLDS))
