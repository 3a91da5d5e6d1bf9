"""How much a search must look at to find what was asked for: measured on the index's own vectors.

The questions are vectors of a sample, each moved towards another one of it until its cosine with the original is
that of a question with its answer: .7. So they are like the vectors of the index, and none of them is in it. One
half of them chooses the width, the other half measures what it reaches.
"""

import time
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import numpy as np

from indexes.stored_vectors import StoredVectors
from indexes.vector_index import IndexFacts, Positions, Progress, Vectors, normalised

K = 10
_QUESTIONS = 400
_COSINE = 0.7
_SEED = 2
_TIMED = 24
_MOST_OVERSAMPLED = 64
_NOISE = 1e-6
_BEYOND = 5
"""Widths from the least that reaches the recall on, of which the one with the least work is taken."""


class Tunable(Protocol):
    """What can be tuned: an `ApproximateIndex`."""

    facts: IndexFacts

    @property
    def widths(self) -> list[int]: ...

    @property
    def exact_work(self) -> float: ...

    def work(self, width: int, oversampling: int) -> float: ...

    def exact_below(self, speedup: float) -> int: ...

    def search_with(
        self, queries: Vectors, k: int, width: int, oversampling: int
    ) -> tuple[Positions, Vectors]: ...


class RecallTrial:
    """Questions with their exact answers, and how long an exact search takes; made once, for any index.

    >>> from indexes.flat import FlatIndex
    >>> trial = RecallTrial(StoredVectors(np.eye(12, dtype=np.float32)))
    >>> trial.questions.shape, trial.best.shape
    ((12, 12), (12, 10))
    """

    def __init__(self, stored: StoredVectors) -> None:
        self.stored = stored
        self.questions = _questions(stored)
        self.best = stored.search(self.questions, K)[1]
        self.exact_ms = _milliseconds(lambda rows: stored.search(rows, K), self.questions[:8])

    def recall(self, index: Tunable, width: int, oversampling: int, part: slice) -> float:
        """The share of the ten nearest that is found; one with the same cosine as the tenth counts, too."""
        scores = index.search_with(self.questions[part], K, width, oversampling)[1]
        best = self.best[part]
        found = np.isfinite(scores) & (scores >= best.min(axis=1, keepdims=True) - _NOISE)
        there = np.isfinite(best).sum()
        return float(min(found.sum() / there, 1.0)) if there else 1.0


def tuned(index: Tunable, target: float, trial: RecallTrial, progress: Progress) -> IndexFacts:
    """The facts of an index with what reaches a recall by the least work, and what it then reaches.

    Where it looks at more, fewer candidates have to be ranked: some widths from the least on are compared, by the work
    that they are counted to be. Time is measured only to be told: a busy machine must not change what is chosen. A
    little more than the target is asked of the questions that choose, because others measure it.
    """
    goal = target + (1 - target) / 4
    half = len(trial.questions) // 2
    choosing, measuring = slice(0, half), slice(half, None)
    widths = index.widths

    def reaches(i: int, oversampling: int) -> bool:
        progress(i, len(widths), "measuring recall")
        return trial.recall(index, widths[i], oversampling, choosing) >= goal

    least = bisect_left(range(len(widths) - 1), True, key=lambda i: reaches(i, _MOST_OVERSAMPLED))
    candidates, oversampling = [], _MOST_OVERSAMPLED
    for i in range(least, min(least + _BEYOND, len(widths))):
        while oversampling > 1 and reaches(i, oversampling // 2):
            oversampling //= 2
        candidates.append((index.work(widths[i], oversampling), i, oversampling))
    _, i, oversampling = min(candidates)
    recall = trial.recall(index, widths[i], oversampling, measuring)
    while recall < target and (i + 1 < len(widths) or oversampling < _MOST_OVERSAMPLED):
        if i + 1 < len(widths):
            i += 1
        else:
            oversampling *= 2
        recall = trial.recall(index, widths[i], oversampling, measuring)
    width = widths[i]
    speedup = index.exact_work / index.work(width, oversampling)
    spent = _milliseconds(
        lambda rows: index.search_with(rows, K, width, oversampling), trial.questions[-_TIMED:]
    )
    return replace(
        index.facts,
        parameters={
            **index.facts.parameters,
            "width": width,
            "oversampling": oversampling,
            "exact_below": index.exact_below(speedup),
        },
        figures={
            **index.facts.figures,
            "recall@10": round(recall, 4),
            "target": target,
            "questions": float(len(trial.questions) - half),
            "speedup": round(speedup, 3),
            "ms": round(spent, 3),
            "exact_ms": round(trial.exact_ms, 3),
        },
    )


def _questions(stored: StoredVectors) -> Vectors:
    rng = np.random.default_rng(_SEED)
    rows = np.asarray(stored.rows[rng.permutation(len(stored))[:_QUESTIONS]])
    rows = rows[rows.any(axis=1)]
    other = np.roll(rows, 1, axis=0)
    aside = normalised(other - (other * rows).sum(axis=1, keepdims=True) * rows)
    return normalised(_COSINE * rows + (1 - _COSINE**2) ** 0.5 * aside)


def _milliseconds(search: Callable[[Vectors], object], questions: Vectors) -> float:
    """The median time of a search for one question; the first one warms up."""
    times = [0.0]
    for row in range(-1 if len(questions) else 0, len(questions)):
        started = time.perf_counter()
        search(questions[max(row, 0)][None])
        times.append((time.perf_counter() - started) * 1000)
    return float(np.median(times[2:])) if len(times) > 2 else 0.0
