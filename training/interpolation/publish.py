"""A new model between a custom model and its start, published with what it does to dev queries.

The rule of every training holds here, too: what is not better than the start on dev is published as the start itself, and
says so (for mined dev queries: what is not surely better).
"""

import shutil
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from search.corpus.corpus import Corpus
from search.evaluation.query_sets.general import general_questions
from search.evaluation.query_sets.leakage import MINED, ORIGIN
from search.evaluation.query_sets.trained_on import TRAINED_ON
from search.evaluation.statistics.significance import paired_test
from search.models.load import load_encoder
from search.models.registry import IS_START, find_model
from search.models.sentence_transformer import best_device
from search.projects.artifacts import Manifest
from search.projects.errors import Damaged, Failed, Refused
from search.projects.libraries import libraries
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project
from training.base_model import load_start
from training.data.pair_sets import PairSet
from training.dev_set import START, DevSet
from training.forgetting import General
from training.interpolation.path import MatrixPath, Scores, WeightsPath
from training.publish import LIBRARIES, BaseOfAdapter, form_of, save_model, untouched
from training.refit_plan import with_share
from training.train import free_name
from training.weight_interpolation import InterpolationPoint, followed

KIND = "blend"
AUTO = "auto"
_SAME = 0.005  # The start's dev score then and now may differ by another backend's rounding, not by more.


@dataclass(frozen=True)
class InterpolationCurve:
    """Scores along the way from a start to what was trained.

    :param shares: places on the way, rising; the first is 0, the start.
    :param dev: nDCG@10 on dev queries at each; `general` the same on the general questions.
    :param published: where the model that was asked about stands.
    :param best: the place that serves the dev queries best, of those that may be chosen by themselves.
    :param mined: whether nobody asked the dev queries: they were mined from the documents.
    """

    shares: list[float]
    dev: list[float]
    general: list[float]
    queries: int
    published: float
    best: float
    mined: bool = False

    def at(self, share: float) -> tuple[float, float, bool]:
        """The dev and the general score at a place, and whether they were measured (else: read off the line between
        the two nearest places).
        """
        dev = float(np.interp(share, self.shares, self.dev))
        general = float(np.interp(share, self.shares, self.general))
        return dev, general, any(abs(share - known) < 1e-9 for known in self.shares)

    @property
    def sentence(self) -> str:
        """What it says, in words."""
        on = f"on {self.queries:,} dev queries"
        if self.best == 0:
            return f"Nowhere on the way is better than the start {on} ({self.dev[0]:.3f} nDCG@10)."
        dev, general, _ = self.at(self.best)
        return (
            f"{self.best:.0%} of the way is best {on}: {dev:.3f} nDCG@10 (the start {self.dev[0]:.3f}); on general "
            f"questions {general:.3f} (the start {self.general[0]:.3f})."
        )


@dataclass(frozen=True)
class Blended:
    """What was measured and, where that was asked for, published."""

    curve: InterpolationCurve
    name: str | None = None
    id: str | None = None
    notes: tuple[str, ...] = ()


def blend(
    project: Project,
    name: str,
    share: float | str | None = None,
    new_name: str | None = None,
    progress: Progress = silent,
) -> Blended:
    """Measure the way from a model's start to what was trained, and publish the model at one place on it.

    :param name: a custom model that was trained from a start.
    :param share: how much of the way, 0 to 1, or "auto" for what serves the dev queries best; None publishes nothing.
    :param new_name: what to call the new model.
    :raises Refused: for a model without a way to a start, a share that is none, or a name that is taken.
    :raises Failed: when the start is not what it was.
    """
    started = time.monotonic()
    info = find_model(project, name)
    if info.kind == "generic":
        raise Refused(f"{name!r} was not trained here, so there is no start to blend it with.")
    if info.refit_of is not None:
        raise Refused(
            f"{name!r} learned from its dev queries, too, so no place on its way can be measured. Blend the model it came from."
        )
    source = project.artifact("models", info.id)
    position = _point(source, name)
    wanted = _wanted(share)
    called = None if share is None else free_name(project, f"{name}-blend", new_name)
    progress(0, 0, f"loading {name} and its start")
    work = _Work(project, source, position, load_encoder(project, info))
    curve = curve_for(project, source)
    if curve is None:
        curve = work.curve(Stage(progress, 0.0, 0.9))
        sources = {"model": info.id, **source.made_from}
        with project.publish("reports", sources, report=KIND, curve=asdict(curve)):
            pass
    if called is None:
        progress(1, 1, "the way is measured")
        return Blended(curve)
    chosen = curve.best if wanted is None else wanted
    share = work.gated(chosen, Stage(progress, 0.9, 0.99))
    return work.published(called, chosen, share, curve, started)


def _wanted(share: float | str | None) -> float | None:
    """The share as a number; None for auto."""
    if share is None or share == AUTO:
        return None
    with suppress(ValueError):
        if 0 <= (number := float(share)) <= 1:
            return number
    raise Refused(f"The share {share!r} is no number from 0 to 1, and not auto.")


def _point(source: Manifest, name: str) -> InterpolationPoint:
    position = InterpolationPoint.of(source)
    if position is None:
        raise Refused(
            f"There is no start that {name!r} could be blended with: it was trained from scratch, or in two steps."
        )
    if source.details.get(IS_START) or position.share == 0:
        raise Refused(f"{name!r} is its start, untouched: there is nothing between the two.")
    return position


def _dev(project: Project, source: Manifest) -> tuple[DevSet, Manifest]:
    """The dev queries that the model was steered by, which it never learned from; and the pairs they belong to."""
    try:
        pairs = project.artifact("pairs", source.made_from["pairs"])
        corpus = Corpus.of(project, project.artifact("corpora", source.made_from["corpus"]))
        dev = DevSet.of(corpus, PairSet.load(project, pairs).dev)
    except Damaged as error:
        raise Refused(
            "The documents or pairs that the model was trained with are gone or damaged, so no place on the way can be "
            "measured. Train anew."
        ) from error
    return dev, pairs


class _Work:
    """One model and the way to it, with what was measured on it."""

    def __init__(
        self, project: Project, source: Manifest, position: InterpolationPoint, encoder: Any
    ) -> None:
        self._project = project
        self._source = source
        self._point = position
        self._dev, pairs = _dev(project, source)
        self._mined = pairs.details.get(ORIGIN) == MINED
        self._followed = followed(pairs.details)
        self._measured: dict[float, Scores] = {}
        info = position.start_info(project)
        start = load_start(project, info, position.start)
        self._path: MatrixPath | WeightsPath = (
            MatrixPath(start, info, encoder, position.share, self._dev)
            if position.kind == "matrix"
            else WeightsPath(start, encoder, position.share, self._dev)
        )

    def curve(self, progress: Progress) -> InterpolationCurve:
        """Measure places all along the way.

        :raises Failed: when the start is not what it was.
        """
        shares = sorted({*self._path.shares, self._point.share})
        for number, share in enumerate(shares):
            stage = Stage(progress, number / len(shares), (number + 1) / len(shares))
            stage(0, 1, f"measuring {share:.0%} of the way")
            numbers = {"share": share, "dev ndcg@10": self._score(share, stage)}
            stage(1, 1, f"measured {share:.0%} of the way", numbers)
            if share == 0:
                self._same_start()
        free = [share for share in shares if share <= self._followed]
        return InterpolationCurve(
            shares,
            dev=[self._score(share) for share in shares],
            general=[self._measured[share][1] for share in shares],
            queries=len(self._dev.query_set.queries),
            published=self._point.share,
            best=self.gated(max(free, key=lambda share: (self._score(share), share))),
            mined=self._mined,
        )

    def gated(self, share: float, progress: Progress = silent) -> float:
        """The share that may be published: this one, or 0 where it does not beat the start."""
        before, after = self._score(0.0, progress), self._score(share, progress)
        if not self._mined:
            return share if after > before else 0.0
        test = paired_test("start", "blend", self._measured[0.0][0], self._measured[share][0])
        return share if test.verdict == "better" else 0.0

    def published(
        self, name: str, chosen: float, share: float, curve: InterpolationCurve, started: float
    ) -> Blended:
        """Publish the model at a place.

        :param chosen: the place that was asked for; where `share` is 0 instead, it did not beat the start.
        """
        before, after = self._score(0.0), self._score(share)
        source, of, start = self._source, self._source.details["name"], self._point.start
        asked = len(general_questions())
        general = General(asked, self._measured[0.0][1], self._measured[share][1])
        if share:
            notes = [
                f"{share:.0%} of the way from {start} to what {of} learned: {after:.3f} nDCG@10 on the dev queries, "
                f"the start {before:.3f}, all of the way {curve.dev[-1]:.3f}.",
                general.sentence,
            ]
        else:
            notes = [
                f"{chosen:.0%} of the way from {start} to what {of} learned is not {'surely ' * self._mined}better than "
                f"the start on the dev queries ({self._score(chosen):.3f} nDCG@10, the start {before:.3f}), so this "
                "model is the untouched start."
            ]
        details = {key: value for key, value in source.details.items() if key != IS_START}
        details |= {
            "name": name,
            "blend_of": {"model": source.id, "name": of},
            "dev": {
                "queries": curve.queries,
                "documents": len(self._dev.ids),
                "ndcg@10": [before, after],
                "kept": f"blend {share:g} of {of}" if share else START,
                "blends": dict(zip(map("{:g}".format, curve.shares), curve.dev, strict=True)),
            },
            "general": general.as_json(),
            "libraries": libraries(LIBRARIES),
            "device": best_device(),
            "seconds": round(time.monotonic() - started, 1),
            "notes": notes,
            **replace(self._point, share=share).facts(),
            **with_share(source.details, share),
            **({} if share else {IS_START: True}),
        }
        model = self._path.model(share)
        with self._project.publish_together() as drafts:
            if not share and isinstance(self._path, WeightsPath):
                model = untouched(model, details["dimension"])
                info = self._point.start_info(self._project)
                base = BaseOfAdapter.of(self._project, drafts, info, start, model, besides=name)
                beneath = base.said(model, details)
                notes += base.notes
                details |= {**beneath, "format": form_of(model, beneath)}
            draft = drafts.add("models", dict(source.made_from))
            draft.details.update(details)
            save_model(model, draft.folder, details)
            shutil.copyfile(self._project.folder_of(source) / TRAINED_ON, draft.folder / TRAINED_ON)
        return Blended(curve, name, draft.id, tuple(notes))

    def _score(self, share: float, progress: Progress = silent) -> float:
        """nDCG@10 on the dev queries, measured once."""
        if share not in self._measured:
            self._measured[share] = self._path.measure(share, progress)
        return float(np.mean(self._measured[share][0]))

    def _same_start(self) -> None:
        dev = self._source.details["dev"]
        asked = len(self._dev.query_set.queries), len(self._dev.ids)
        if (dev["queries"], dev["documents"]) != asked:
            return  # It was steered by other dev queries than those of its pairs, or among fewer documents.
        then, now = dev["ndcg@10"][0], self._score(0.0)
        if abs(then - now) > _SAME:
            raise Failed(
                f"The start is not what it was: on the same dev queries it scored {then:.3f} nDCG@10 when the model "
                f"was trained, and {now:.3f} now. Put the old one back, or train anew."
            )


def curve_for(project: Project, model: Manifest) -> InterpolationCurve | None:
    """The curve of a model, when it was measured."""
    report = project.newest_where("reports", {"report": KIND}, model=model.id)
    return InterpolationCurve(**report.details["curve"]) if report is not None else None
