"""The recipe "static", from a request to what it learned."""

from dataclasses import replace
from typing import Any

import numpy as np

from search.models.pretrained import wordllama as packaged
from search.models.sentence_transformer import best_device
from search.projects.progress import Progress, Stage
from search.projects.project import Project
from training.base_model import load_base_model, origin_of
from training.data.answering_passages import answering_passages
from training.dev_set import generic_dev
from training.fine_tune.loop import Tuned, fine_tune
from training.fine_tune.recipe import dev_record, planned_step
from training.forgetting import general_ndcg
from training.refit_plan import plan_facts
from training.result import GENERIC_DEV, DevRecord, Request, TrainingResult
from training.static.settings import StaticSettings
from training.static.starts import StaticBase, distilled, scratch
from training.training_data import TrainingData

_PACKAGED = f"{packaged.TITLE}'s word vectors"
_SCRATCH = "word pieces learned from scratch"


def learn_static(request: Request, material: TrainingData) -> TrainingResult:
    """Make a static start and teach it with pairs; its gate is its own start, the generic model stands beside.

    :raises Refused: when what was asked for cannot be distilled.
    """
    project, settings, progress = request.project, request.settings, request.progress
    assert isinstance(settings, StaticSettings)
    kept = request.resumable(material.made_from)
    begun = StaticBase.from_checkpoint(kept)
    if begun is None:
        begun = static_start(project, settings, material, Stage(progress, 0.0, 0.3))
        begun.keep(kept)
    generic = generic_dev(project, material.dev, Stage(progress, 0.3, 0.5))
    model = begun.model(best_device())
    knew = general_ndcg(model)
    pairs = answering_passages(material.guarded.pairs, material.corpus)
    tuned = fine_tune(model, pairs, material.dev, settings.tuning, Stage(progress, 0.5, 1.0), kept)
    assert tuned is not None, "only helpers have nothing to say, and this recipe has none"
    base, origin = static_origin(settings)
    record, facts = (
        _record(tuned, generic, begun.note),
        plan_facts(planned_step("static", settings, tuned)),
    )
    return TrainingResult(base, model, record, knew, facts, origin)


def static_start(
    project: Project, settings: StaticSettings, material: TrainingData, progress: Progress
) -> StaticBase:
    """What a static model is before it learns from pairs, as the settings ask for it."""
    if settings.start == "distilled":
        progress(0, 0, f"loading {settings.base} on {best_device()}")
        teacher = load_base_model(project, settings.base)
        texts = _texts(material)
        name = origin_of(project, settings.base)
        return distilled(teacher, name, settings.vector_size, progress, texts)
    if settings.start == "scratch":
        texts = _texts(material)
        size, learned = settings.vector_size, settings.vectors == "word2vec"
        return scratch(texts, settings.pieces, size, learned, settings.seed, progress)
    progress(0, 0, f"loading {_PACKAGED}")
    module: Any = packaged.load()[0]
    weights = module.embedding.weight.detach().numpy()[:, : settings.vector_size]
    return StaticBase.of(module.tokenizer.to_str(), np.ascontiguousarray(weights))


def _texts(material: TrainingData) -> list[str]:
    """What the model is for: questions have words that no document has."""
    corpus, pairs = material.corpus, material.guarded.pairs
    return [*corpus.texts(0, len(corpus)), *dict.fromkeys(pair.query for pair in pairs)]


def static_origin(settings: StaticSettings) -> tuple[str, str | None]:
    """The model that was distilled, else a name for what there is; and what people read of it."""
    if settings.start == "distilled":
        return settings.base, None
    said = _SCRATCH if settings.start == "scratch" else _PACKAGED
    return said, said


def _record(tuned: Tuned, generic: float | None, note: str) -> DevRecord:
    record = dev_record(tuned)
    notes = [*record.notes, *([note] if note else [])]
    if generic is not None:
        best = max(record.scores)
        notes.insert(
            0,
            f"On the dev queries it scores {best:.3f} nDCG@10, its untrained start {record.scores[0]:.3f}, the "
            f"generic model {generic:.3f}: "
            + (
                "it is ahead of a transformer there, and much faster to run."
                if best > generic
                else "what it gives away for running without a transformer."
            ),
        )
    return replace(record, details={**record.details, GENERIC_DEV: generic}, notes=notes)
