"""What more pairs would bring: an adapter trained on a tenth, three tenths and all of them, and a curve through it.

The error (1 - nDCG@10) of a model falls with the number of its examples as a power law: Hestness et al. 2017, "Deep Learning
Scaling is Predictable, Empirically". Small samples lie in larger ones, and each size is trained with several
seeds; the uncertainty of what is expected comes from a bootstrap over dev queries and seeds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.models.registry import named
from search.models.sentence_transformer import best_device
from search.projects.artifacts import Manifest
from search.projects.errors import Refused
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project
from search.projects.turns import in_turn
from training.adapter.fit import measure_of, train_adapter
from training.adapter.recipe import with_hard_negatives
from training.adapter.settings import AdapterSettings
from training.base_model import load_base_model
from training.data.reports import current_report
from training.embeddings import document_vectors, embedded
from training.recipes import recipe_info, validated
from training.training_data import load_training_data

SHARES = (0.1, 0.3, 1.0)
SEEDS = 3
MORE = 1_000
KIND = "learning-curve"
_RECIPE = "adapter"
_RESAMPLES = 2_000
_SEED = 20_240_501
_SMALLEST_ERROR = 1e-6
_LEAST_PAIRS = 30
_NOTICEABLE = 0.005

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """A learning curve on dev.

    :param sizes: how many pairs each step trained on, rising.
    :param means: nDCG@10 at each size; `low` and `high` are the ends of its 95% interval.
    :param start: nDCG@10 of the untrained start.
    :param gain: what 1,000 more pairs are expected to add; `ci95` are the ends of its 95% interval.
    """

    recipe: str
    sizes: list[int]
    means: list[float]
    low: list[float]
    high: list[float]
    start: float
    queries: int
    seeds: int
    gain: float
    ci95: tuple[float, float]
    expected: list[tuple[int, float]]

    @property
    def sentence(self) -> str:
        """What follows from it, in plain words."""
        low, high = self.ci95
        size = f"{self.gain:+.3f} nDCG@10 (95% interval {low:+.3f} to {high:+.3f})"
        of = f"on {self.queries:,} dev queries, from {self.sizes[-1]:,} pairs"
        if low > _NOTICEABLE:
            return f"More pairs would help: 1,000 more should bring about {size} {of}."
        if high < _NOTICEABLE:
            return (
                f"More pairs of the same kind would change little: 1,000 more, about {size} {of}."
            )
        return f"It cannot be told yet whether more pairs would help: 1,000 more, {size} {of}."

    def as_json(self) -> dict[str, Any]:
        """Everything in plain JSON types."""
        points = {"ci95": list(self.ci95), "expected": [list(point) for point in self.expected]}
        return {**vars(self), **points, "more": MORE, "sentence": self.sentence}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Curve":
        """A curve out of a manifest."""
        facts = {key: stored[key] for key in cls.__dataclass_fields__}
        points = [(size, score) for size, score in stored["expected"]]
        return cls(**{**facts, "ci95": tuple(stored["ci95"]), "expected": points})


def fit(sizes: Sequence[int], scores: Sequence[float]) -> tuple[float, float]:
    """The power law 1 - score = c * n ** -alpha through scores at sizes, by least squares of the logarithms.

    :returns: c and alpha; alpha below 0 where more pairs made it worse.
    """
    errors = np.log(np.maximum(1 - np.asarray(scores, dtype=np.float64), _SMALLEST_ERROR))
    slope, cut = np.polyfit(np.log(np.asarray(sizes, dtype=np.float64)), errors, 1)
    return float(np.exp(cut)), float(-slope)


def at(law: tuple[float, float], size: float) -> float:
    """The score that a power law expects at a size."""
    c, alpha = law
    return float(1 - c * size**-alpha)


def curve_of(sizes: Sequence[int], scores: Scores, start: float, recipe: str = _RECIPE) -> Curve:
    """A curve through measured scores.

    :param scores: nDCG@10, shape (sizes, seeds, dev queries).
    """
    counted, seeds, queries = scores.shape
    law = fit(sizes, scores.mean(axis=(1, 2)).tolist())
    last = sizes[-1]
    rng = np.random.default_rng(_SEED)
    means, gains = np.empty((_RESAMPLES, counted)), np.empty(_RESAMPLES)
    for number in range(_RESAMPLES):
        drawn = scores[:, :, rng.integers(0, queries, queries)].mean(axis=2)
        # Each size has its own chance: seeds are drawn for each.
        again = np.take_along_axis(drawn, rng.integers(0, seeds, (counted, seeds)), axis=1)
        means[number] = again.mean(axis=1)
        refitted = fit(sizes, means[number].tolist())
        gains[number] = at(refitted, last + MORE) - at(refitted, last)
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    gain_low, gain_high = np.percentile(gains, [2.5, 97.5])
    ahead = np.geomspace(sizes[0], last + MORE, 25).round().astype(int)
    return Curve(
        recipe=recipe,
        sizes=list(sizes),
        means=scores.mean(axis=(1, 2)).tolist(),
        low=low.tolist(),
        high=high.tolist(),
        start=start,
        queries=queries,
        seeds=seeds,
        gain=at(law, last + MORE) - at(law, last),
        ci95=(float(gain_low), float(gain_high)),
        expected=[(int(size), at(law, float(size))) for size in ahead],
    )


@in_turn
def learning_curve(
    project: Project,
    recipe: str = _RECIPE,
    values: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> Manifest:
    """Train on parts of a project's pairs, and keep the curve as a report.

    :param recipe: adapter; the others would take too long to train nine times.
    :param values: settings that differ from the recipe's defaults.
    :returns: its details hold the curve: see `Curve.from_json`.
    :raises Refused: for another recipe, and for fewer than 30 pairs.
    """
    if recipe != _RECIPE:
        recipe_info(recipe)
        raise Refused(
            f"A learning curve trains nine times, so it is drawn with an {_RECIPE}; {recipe} would take too long."
        )
    settings = validated(recipe_info(recipe), values or {})
    assert isinstance(settings, AdapterSettings)
    progress(0, 0, "keeping training and test apart")
    material = load_training_data(project)
    total = len(material.guarded.pairs)
    if total < _LEAST_PAIRS:
        raise Refused(f"A learning curve needs at least {_LEAST_PAIRS} pairs; there are {total}.")
    progress(0, 0, f"loading {settings.base} on {best_device()}")
    base = load_base_model(project, settings.base)
    info = named(project, settings.base)
    vectors, _ = document_vectors(project, settings.base, base, material, Stage(progress, 0, 0.1))
    data = embedded(base, info, material, vectors, Stage(progress, 0.1, 0.3))
    data, _ = with_hard_negatives(project, settings, data, material, silent)
    measured = measure_of(data, material.dev, settings.side)
    start = float(np.mean(measured(np.eye(data.queries.shape[1], dtype=np.float32))))
    sizes = [max(2, round(share * total)) for share in SHARES]
    scores: list[list[list[float]]] = [[] for _ in sizes]
    work, done = SEEDS * sum(sizes), 0
    for seed in range(SEEDS):
        order = np.random.default_rng(_SEED + seed).permutation(total)
        for number, size in enumerate(sizes):
            stage = Stage(progress, 0.3 + 0.7 * done / work, 0.3 + 0.7 * (done + size) / work)
            part = data.only(order[:size].tolist())
            seeded = settings.model_copy(update={"seed": settings.seed + seed})
            message = f"training on {size:,} pairs, {seed + 1} of {SEEDS}"
            # Its own messages and numbers would only flicker.
            tell = partial(_tell, stage, message)
            found = train_adapter(part, material.dev, seeded, tell)
            scores[number].append(measured(found.matrix))
            done += size
    curve = curve_of(sizes, np.asarray(scores, dtype=np.float64), start, recipe)
    made_from = {**material.made_from, "base": info.id if info else settings.base}
    with project.publish("reports", made_from, report=KIND, curve=curve.as_json()) as draft:
        pass
    progress(1, 1, "the learning curve is ready")
    return project.artifact("reports", draft.id)


def current_curve(project: Project) -> Curve | None:
    """The newest curve of the newest corpus and pairs, or None."""
    report = current_report(project, KIND, of_generic=False)
    return Curve.from_json(report.details["curve"]) if report is not None else None


def _tell(stage: Progress, message: str, done: float, total: float, *_: object) -> None:
    stage(done, total, message)
