"""The recipe "adapter", from a request to what it learned."""

from dataclasses import replace
from typing import Any

import numpy as np

from search.models.linear_adapter import with_adapter
from search.models.registry import named
from search.models.sentence_transformer import best_device
from search.projects.progress import Progress, Stage
from search.projects.project import Project
from search.retrieval.bm25.store import keyword_index
from training.adapter.fit import FittedAdapter, measure_of, train_adapter
from training.adapter.keyword_teacher import keyword_matrix, with_keywords
from training.adapter.settings import AdapterSettings
from training.base_model import load_base_model
from training.data.hard_negatives import HardNegatives, NegativeSources, mine_hard_negatives
from training.dev_set import DevSet
from training.embeddings import Embedded, document_vectors, embedded
from training.forgetting import general_ndcg
from training.refit_plan import PlannedStep, plan_facts
from training.result import DevRecord, Request, TrainingResult
from training.training_data import TrainingData
from training.weight_interpolation import SHRUNKEN, InterpolationPoint, shrunken


def learn_adapter(request: Request, material: TrainingData) -> TrainingResult:
    """Train an adapter.

    :raises Refused: when the base cannot be adapted.
    """
    project, settings, progress = request.project, request.settings, request.progress
    assert isinstance(settings, AdapterSettings)
    progress(0, 0, f"loading {settings.base} on {best_device()}")
    base, info = load_base_model(project, settings.base), named(project, settings.base)
    # Shares of the time as measured; where the base has no index yet, its building comes first.
    known, encoded = Stage(progress, 0.0, 0.1), Stage(progress, 0.1, 0.3)
    documents, _ = document_vectors(project, settings.base, base, material, known)
    data = embedded(base, info, material, documents, encoded)
    data, mined = with_hard_negatives(project, settings, data, material, Stage(progress, 0.3, 0.4))
    kept = request.resumable(material.made_from, start=info.fingerprint if info else settings.base)
    training, last = Stage(progress, 0.4, 0.9), Stage(progress, 0.9, 1.0)
    adapted = train_adapter(data, material.dev, settings, training, kept)
    if material.synthetic:
        adapted = followed_adapter(project, material, data, material.dev, adapted, settings, last)
    model = with_adapter(base, adapted.matrix, settings.side)
    dev = _record(adapted, mined)
    facts = InterpolationPoint.facts_of("matrix", adapted.blend, settings.base, info)
    facts |= plan_of_adapter(adapted, settings, material, len(material.guarded.pairs))
    return TrainingResult(
        settings.base, model, dev, general_ndcg(base), facts, is_adapter=True, info=info
    )


def planned_step(adapted: FittedAdapter, settings: AdapterSettings, pairs: int) -> PlannedStep:
    """What was chosen of an adapter that learned from so many pairs."""
    epoch = -(-pairs // settings.batch_size)
    return PlannedStep(
        "adapter",
        settings.model_dump(mode="json"),
        updates=adapted.epoch * epoch,
        planned=settings.epochs * epoch,
        share=adapted.blend,
        negatives=adapted.negatives,
    )


def _record(adapted: FittedAdapter, mined: HardNegatives | None) -> DevRecord:
    """What the dev queries said, for the manifest and for people."""
    scores = [adapted.start, adapted.best]
    if mined is None:
        return DevRecord(scores, adapted.selected)
    return DevRecord(scores, adapted.selected, {"hard_negatives": mined.figures}, [mined.sentence])


def plan_of_adapter(
    adapted: FittedAdapter, settings: AdapterSettings, material: TrainingData, pairs: int
) -> dict[str, Any]:
    """What a refit follows; nothing where keyword search taught, too: then there is nobody's question to learn more from."""
    if _has_keywords(material):
        return {}
    return plan_facts(planned_step(adapted, settings, pairs))


def followed_adapter(
    project: Project,
    material: TrainingData,
    data: Embedded,
    dev: DevSet,
    adapted: FittedAdapter,
    settings: AdapterSettings,
    progress: Progress,
) -> FittedAdapter:
    """What was learned from pairs that nobody asked, and from keyword search where no model wrote them, as far as it can be
    trusted.

    :param data: the material as the base sees it; `dev` asks in it.
    """
    if _has_keywords(material):
        taught = keyword_matrix(project, material, data, settings, progress)
        adapted = with_keywords(adapted, taught)
    if adapted.epoch == 0:
        return adapted
    measure = measure_of(data, dev, settings.side)
    found = shrunken(adapted.matrix, adapted.blend, measure, material.followed)
    if found is None:
        identity = np.eye(len(adapted.matrix), dtype=np.float32)
        return replace(adapted, matrix=identity, best=adapted.start, epoch=0, blend=0.0)
    matrix, blend, score = found
    return replace(adapted, matrix=matrix, best=score, blend=blend)


def _has_keywords(material: TrainingData) -> bool:
    """Whether keyword search teaches beside the pairs: where they are scraps of the documents, followed a fifth of the way."""
    return material.synthetic and material.followed <= SHRUNKEN


def with_hard_negatives(
    project: Project,
    settings: AdapterSettings,
    data: Embedded,
    material: TrainingData,
    progress: Progress,
) -> tuple[Embedded, HardNegatives | None]:
    """The data with hard negatives, by the base's own vectors and by words, where the settings ask for them."""
    if settings.negatives != "mined":
        return data, None
    words = keyword_index(project, material.corpus_manifest, material.corpus)
    sources = NegativeSources(data.queries, data.responses, data.documents, material.corpus, words)
    # What came with the pairs stands beside what is found, and is no part of its number.
    pairs = [replace(pair, negatives=()) for pair in material.guarded.pairs]
    margin, seed = settings.negative_margin, settings.seed
    found = mine_hard_negatives(pairs, sources, settings.hard_negatives, margin, seed, progress)
    most = max(map(len, found.positions), default=0)
    rows = [positions + [-1] * (most - len(positions)) for positions in found.positions]
    return replace(data, mined=np.array(rows, dtype=np.int64).reshape(len(rows), most)), found
