"""The recipe "fine-tune", from a request to what it learned."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from indexes.vector_index import normalised
from search.corpus.labels import Pair
from search.models.encoding.texts import encode_texts
from search.models.registry import named
from search.models.sentence_transformer import best_device
from search.projects.progress import Progress, Stage
from search.projects.project import Project
from search.retrieval.bm25.store import keyword_index
from training.base_model import load_trainable_base
from training.data.answering_passages import answering_passages
from training.data.hard_negatives import HardNegatives, NegativeSources, mine_hard_negatives
from training.distributed import from_first, helps_only, together
from training.embeddings import document_vectors
from training.fine_tune.loop import Tuned, fine_tune
from training.fine_tune.settings import FineTuneSettings
from training.forgetting import general_ndcg
from training.refit_plan import PlannedStep, plan_facts
from training.result import DevRecord, Request, TrainingResult
from training.settings import RecipeSettings
from training.training_data import TrainingData
from training.weight_interpolation import InterpolationPoint

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_MINING = 0.15  # Of the time: where the start has no index yet, its building comes first.


def learn_fine_tune(
    request: Request, material: TrainingData, start: "SentenceTransformer | None" = None
) -> TrainingResult | None:
    """Fine-tune a SentenceTransformer.

    :param start: a model made of the base to go on from, changed in place; None for the base itself.
    :returns: None in a process that only helped (see `training.distributed`).
    :raises Refused: when the base has no weights here, or settings do not go with it.
    """
    project, settings, progress = request.project, request.settings, request.progress
    assert isinstance(settings, FineTuneSettings)
    device = best_device()
    progress(0, 0, f"loading {settings.base} on {device}")
    base = load_trainable_base(project, settings.base)
    pairs = answering_passages(material.guarded.pairs, material.corpus)
    knew = 0.0 if helps_only() else general_ndcg(base)
    kept = request.resumable(material.made_from)
    mined: HardNegatives | None = None
    with together(device):
        if settings.hard_negatives and not helps_only():
            mined = with_hard_negatives(
                project, settings, base, material, pairs, Stage(progress, 0.0, _MINING)
            )
        if settings.hard_negatives:
            negatives = from_first([p.negatives for p in mined.pairs] if mined else None, device)
            pairs = [
                replace(p, negatives=tuple(n)) for p, n in zip(pairs, negatives or [], strict=True)
            ]
            progress = Stage(progress, _MINING, 1.0)
        model = base if start is None else start
        tuned = fine_tune(model, pairs, material.dev, settings, progress, kept, request.ends)
    if tuned is None:
        return None
    share = tuned.share if tuned.best_epoch else 0.0
    info = named(project, settings.base)
    facts = InterpolationPoint.facts_of("weights", share, settings.base, info)
    facts |= plan_facts(planned_step("fine-tune", settings, tuned))
    return TrainingResult(settings.base, model, dev_record(tuned, mined), knew, facts, info=info)


def planned_step(recipe: str, settings: RecipeSettings, tuned: Tuned) -> PlannedStep:
    """What was chosen of a fine-tuning."""
    said = settings.model_dump(mode="json")
    return PlannedStep(recipe, said, tuned.updates, tuned.planned, tuned.share)


def with_hard_negatives(
    project: Project,
    settings: FineTuneSettings,
    model: "SentenceTransformer",
    material: TrainingData,
    pairs: Sequence[Pair],
    progress: Progress,
) -> HardNegatives:
    """The pairs with hard negatives, found by the start's own vectors and by words."""
    info = named(project, settings.base)
    half = Stage(progress, 0.0, 0.5)
    documents, _ = document_vectors(project, settings.base, model, material, half)
    manifest, corpus = material.corpus_manifest, material.corpus
    asked, answered = [p.query for p in pairs], [p.response for p in pairs]
    queries = encode_texts(model, info, asked, "query", Stage(progress, 0.5, 0.6), "queries")
    answers = encode_texts(model, info, answered, "document", Stage(progress, 0.6, 0.8), "answers")
    words = keyword_index(project, manifest, corpus)
    sources = NegativeSources(normalised(queries), normalised(answers), documents, corpus, words)
    count, margin, seed = settings.hard_negatives, settings.negative_margin, settings.seed
    return mine_hard_negatives(pairs, sources, count, margin, seed, Stage(progress, 0.8, 1.0))


def dev_record(tuned: Tuned, mined: HardNegatives | None = None) -> DevRecord:
    """What the dev queries said, for the manifest and for people."""
    details: dict[str, Any] = {
        "epochs": tuned.epochs,
        "steps": tuned.steps,
        "stopped_early": tuned.stopped,
        "blends": {f"{share:g}": score for share, score in tuned.share_scores.items()},
        "dimensions": {
            str(size): {"start": start, "model": model}
            for size, (start, model) in tuned.dimensions.items()
        },
    }
    notes = []
    if mined is not None:
        details["hard_negatives"] = mined.figures
        notes.append(mined.sentence)
    if tuned.stopped:
        notes.append(
            f"It stopped after {tuned.epochs[-1]:g} epochs, because the dev score did not rise any more."
        )
    if tuned.share < 1 and tuned.best_epoch:
        notes.append(
            f"A blend is published: {tuned.share:.0%} of the way from the start to what was trained scored best "
            f"on the dev queries ({tuned.share_scores[tuned.share]:.3f} nDCG@10; all of the way, {tuned.share_scores[1.0]:.3f})."
        )
    for size, (start, model) in tuned.dimensions.items():
        notes.append(
            f"Cut to {size} numbers, its vectors score {model:.3f} nDCG@10 on the dev queries, the start's {start:.3f}."
        )
    best = tuned.share_scores.get(tuned.share, 0.0)
    scores = [*tuned.dev_scores, best] if best > max(tuned.dev_scores) else tuned.dev_scores
    return DevRecord(scores, tuned.selected, details, notes)
