"""What every approximate index does the same way: exact scores, exact answers where few vectors count, a width that
reaches the recall that is wanted.

An approximate index names candidates by codes that are smaller than the vectors. Their cosines are then computed
from the stored vectors themselves, so a score is exact and so is the order of what was found.

How much a search must look at is measured by questions: by those that people hold ready for tests, where there are
enough, else by questions made of the index's own vectors. Each of these is a vector of a sample, moved towards another
one of it until it is as far off as neighbours are, but no nearer than a question is to its answer: .7. All of it about
the centre of the vectors: many models put all texts into a narrow cone, in which any two have a cosine of .9, and there
a question that was moved to .7 would lie outside of everything. One half of the questions chooses the width, the other
half measures what it reaches.
"""

import time
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from indexes.faiss_files import faiss
from indexes.stored_vectors import StoredIndex, StoredVectors, in_order, no_hits, threads_for
from indexes.vector_index import (
    ENOUGH_QUESTIONS,
    BadVectors,
    IndexFacts,
    Positions,
    Progress,
    Vectors,
    normalised,
    part,
    silent,
)

_MARGIN = 16
_FEW = 1_000  # So many vectors are compared in no time.
# What a search costs, in multiplications of two components, as measured with 40,000 vectors of 384 on one core.
_SETUP = 500_000  # Whatever it looks at: a tenth of a millisecond.
# A candidate's own vector lies anywhere in its file: as much as so many vectors in a row.
_RERANKED = 10
_LARGEST_SHARE = 0.25  # More candidates than this share of all vectors: exact search is no slower.
K = 10
_QUESTIONS = 400
_COSINE = 0.7
_LEAST_COSINE = 0.3
_SEED = 2
_TIMED = 24
_MOST_OVERSAMPLED = 64
_NOISE = 1e-6
_BEYOND = 5
"""Widths from the least that reaches the recall on, of which the one with the least work is taken."""


class RecallTrial:
    """Questions with their exact answers, and how long an exact search takes; made once, for any index.

    :param asked: vectors of questions that people ask of these documents: shape (m, d); fewer than
        `ENOUGH_QUESTIONS` are left aside.

    >>> from indexes.flat import FlatIndex
    >>> trial = RecallTrial(StoredVectors(np.eye(12, dtype=np.float32)))
    >>> trial.questions.shape, trial.best.shape
    ((12, 12), (12, 10))
    """

    def __init__(self, stored: StoredVectors, asked: Vectors | None = None) -> None:
        self.stored = stored
        enough = asked is not None and len(asked) >= ENOUGH_QUESTIONS
        self.questions = _sampled(asked) if asked is not None and enough else _questions(stored)
        self.best = stored.search(self.questions, K)[1]
        self.exact_ms = _milliseconds(lambda rows: stored.search(rows, K), self.questions[:8])

    def recall(self, scores: Vectors, part: slice = slice(None)) -> float:
        """The share of the ten nearest that was found; one with the same cosine as the tenth counts, too.

        :param scores: of what was found for the questions (of a part), as `VectorIndex.search` gives them.
        """
        best = self.best[part]
        found = np.isfinite(scores) & (scores >= best.min(axis=1, keepdims=True) - _NOISE)
        there = np.isfinite(best).sum()
        return float(min(found.sum() / there, 1.0)) if there else 1.0


class ApproximateIndex(StoredIndex, ABC):
    """Candidates from `nearest`, ranked by the stored vectors.

    `width` is how many places a search looks at (lists or nodes), `oversampling` how many candidates are ranked for
    each one that is wanted. Where no more than `exact_below` vectors are allowed, all of them are compared.

    >>> from tempfile import TemporaryDirectory
    >>> from indexes.opening import build, open_index
    >>> from indexes.vector_index import IndexPlan
    >>> with TemporaryDirectory() as name:
    ...     facts = build(np.eye(4, dtype=np.float32), IndexPlan(type="hnsw"), Path(name))
    ...     index = open_index(Path(name), facts.details())
    >>> isinstance(index, ApproximateIndex), facts.figures["recall@10"], index.search(index.vectors[2:3], k=1)[0].item()
    (True, 1.0, 2)
    """

    @property
    @abstractmethod
    def widths(self) -> list[int]:
        """Widths worth trying, ascending; the last is all that can be done."""

    @abstractmethod
    def exact_below(self, speedup: float) -> int:
        """Up to how many allowed vectors exact search costs no more than this index.

        :param speedup: how many times faster it is than exact search over all vectors.
        """

    @abstractmethod
    def compared(self, width: int, fetch: int) -> float:
        """About how many vectors exact search compares in the time in which `nearest` finds candidates."""

    def work(self, width: int, oversampling: int) -> float:
        """What a search costs, in multiplications: counted, so that it is the same on a busy machine."""
        fetch = min(K * oversampling + _MARGIN, len(self))
        if len(self) <= _FEW or fetch > _LARGEST_SHARE * len(self):
            return self.exact_work
        return _SETUP + self.dimension * (self.compared(width, fetch) + _RERANKED * fetch)

    @property
    def exact_work(self) -> float:
        """What exact search costs, in the same unit."""
        return float(self.dimension * len(self))

    @abstractmethod
    def nearest(
        self, queries: Vectors, fetch: int, among: Positions | None, width: int
    ) -> Positions:
        """Candidates for each query by their codes: shape (queries, fetch), -1 where there are none.

        :param queries: of length 1, none of them zero.
        :param among: the only positions that may be found, ascending.
        """

    @abstractmethod
    def changed(
        self, vectors: Vectors, origins: Positions, folder: Path, progress: Progress
    ) -> "ApproximateIndex | None":
        """`write_changed` without the tuning."""

    def write_changed(
        self,
        vectors: Vectors,
        origins: Positions,
        folder: Path,
        progress: Progress = silent,
        questions: Vectors | None = None,
    ) -> IndexFacts | None:
        """See `VectorIndex.write_changed`; tuned again, to what the index holds now."""
        if vectors.shape[1:] != (self.dimension,):
            width = vectors.shape[-1]
            raise BadVectors(f"vectors have {width} dimensions, the index has {self.dimension}")
        made = self.changed(vectors, origins, folder, part(progress, 0, 0.8))
        if made is None:
            return None
        target = float(self.facts.figures["target"])
        trial = RecallTrial(made.stored, questions)
        facts = tuned(made, target, trial, part(progress, 0.8, 1))
        return replace(facts, reason=self.facts.reason)

    def search(
        self, queries: Vectors, k: int, allowed: Positions | None = None
    ) -> tuple[Positions, Vectors]:
        """See `VectorIndex.search`."""
        chosen: dict[str, Any] = self.facts.parameters
        return self.search_with(queries, k, chosen["width"], chosen["oversampling"], allowed)

    def search_with(
        self,
        queries: Vectors,
        k: int,
        width: int,
        oversampling: int,
        allowed: Positions | None = None,
    ) -> tuple[Positions, Vectors]:
        """Search with another width than the index was tuned to."""
        rows = self.stored.checked(queries, k)
        among = None if allowed is None else in_order(allowed)
        most = len(self) if among is None else len(among)
        fetch = min(k * oversampling + _MARGIN, most)
        few = self.facts.parameters.get("exact_below", 0) if among is not None else 0
        if most <= max(few, _FEW) or fetch > _LARGEST_SHARE * most:
            return self.stored.search(queries, k, among)
        if k > K:  # The width finds ten. A hundred lie further apart, but not ten times so.
            width = round(width * (k / K) ** 0.5)
        positions, scores = no_hits(len(rows), k)
        askers = np.flatnonzero(rows.any(axis=1))
        if not len(askers):
            return positions, scores
        lacking = []
        with threads_for(len(askers)):
            found = self.nearest(rows[askers], fetch, among, width)
        for asker, candidates in zip(askers, found, strict=True):
            best, exact = self.stored.best(rows[asker], candidates, k)
            positions[asker, : len(best)] = best
            scores[asker, : len(best)] = exact
            if len(best) < k:
                lacking.append(asker)
        if lacking:  # Fewer than were wanted: whether there are more, only exact search can say.
            positions[lacking], scores[lacking] = self.stored.search(rows[lacking], k, among)
        return positions, scores


def tuned(
    index: ApproximateIndex, target: float, trial: RecallTrial, progress: Progress
) -> IndexFacts:
    """The facts of an index with what reaches a recall by the least work, and what it then reaches.

    Where it looks at more, fewer candidates have to be ranked: some widths from the least on are compared, by the work
    that they are counted to be. Time is measured only to be told: a busy machine must not change what is chosen. A
    little more than the target is asked of the questions that choose, because others measure it.
    """
    goal = target + (1 - target) / 4
    half = len(trial.questions) // 2
    choosing, measuring = slice(0, half), slice(half, None)
    widths = index.widths

    def recall(i: int, oversampling: int, part: slice) -> float:
        found = index.search_with(trial.questions[part], K, widths[i], oversampling)
        return trial.recall(found[1], part)

    def reaches(i: int, oversampling: int) -> bool:
        progress(i, len(widths), "measuring recall")
        return recall(i, oversampling, choosing) >= goal

    least = bisect_left(range(len(widths) - 1), True, key=lambda i: reaches(i, _MOST_OVERSAMPLED))
    candidates, oversampling = [], _MOST_OVERSAMPLED
    for i in range(least, min(least + _BEYOND, len(widths))):
        while oversampling > 1 and reaches(i, oversampling // 2):
            oversampling //= 2
        candidates.append((index.work(widths[i], oversampling), i, oversampling))
    _, i, oversampling = min(candidates)
    reached = recall(i, oversampling, measuring)
    while reached < target and (i + 1 < len(widths) or oversampling < _MOST_OVERSAMPLED):
        if i + 1 < len(widths):
            i += 1
        else:
            oversampling *= 2
        reached = recall(i, oversampling, measuring)
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
            "recall@10": round(reached, 4),
            "target": target,
            "questions": float(len(trial.questions) - half),
            "speedup": round(speedup, 3),
            "ms": round(spent, 3),
            "exact_ms": round(trial.exact_ms, 3),
        },
    )


def bitmap(mask: Any) -> Any:
    """A FAISS selector of the places where a mask is true."""
    return faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))


def _sampled(asked: Vectors) -> Vectors:
    rows = asked[np.random.default_rng(_SEED).permutation(len(asked))[:_QUESTIONS]]
    return normalised(rows[rows.any(axis=1)])


def _questions(stored: StoredVectors) -> Vectors:
    """Questions as far off the vectors as these are off one another, about their centre."""
    rng = np.random.default_rng(_SEED)
    rows = np.asarray(stored.rows[rng.permutation(len(stored))[:_QUESTIONS]])
    rows = rows[rows.any(axis=1)]
    if len(rows) < 2:
        return rows
    centre = rows.mean(axis=0)
    apart = rows - centre
    lengths = np.linalg.norm(apart, axis=1, keepdims=True)
    directions = normalised(apart)
    # The nearest is the vector itself.
    nearest = stored.search(rows, 2)[0][:, -1]
    beside = normalised(np.asarray(stored.rows[np.maximum(nearest, 0)]) - centre)
    usual = float(np.median((directions * beside).sum(axis=1)))
    cosine = float(np.clip(usual, _LEAST_COSINE, _COSINE))
    other = np.roll(directions, 1, axis=0)
    aside = normalised(other - (other * directions).sum(axis=1, keepdims=True) * directions)
    moved = cosine * directions + (1 - cosine**2) ** 0.5 * aside
    return normalised(centre + lengths * moved)


def _milliseconds(search: Callable[[Vectors], object], questions: Vectors) -> float:
    """The median time of a search for one question; the first one warms up."""
    times = [0.0]
    for row in range(-1 if len(questions) else 0, len(questions)):
        started = time.perf_counter()
        search(questions[max(row, 0)][None])
        times.append((time.perf_counter() - started) * 1000)
    return float(np.median(times[2:])) if len(times) > 2 else 0.0
