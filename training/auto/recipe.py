"""The recipe "auto": several ways to learn within a time budget, of which the best on dev is published."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from search.evaluation.query_sets.general import general_questions
from search.models.linear_adapter import LinearAdapter
from search.models.registry import GENERIC, named
from search.models.sentence_transformer import best_device
from search.projects.progress import Stage
from training.adapter.fit import measure_of
from training.auto.budgeted_search import BudgetedSearch
from training.auto.candidates import Candidates
from training.auto.folds import all_dev_queries, averaged, merged, narrowed, split_into_folds
from training.auto.leaderboard import Leaderboard, Outcome, Trial
from training.auto.member import ORIGIN, Member, members_of
from training.auto.settings import AutoSettings
from training.base_model import load_base_model
from training.baseline import best_ready_made
from training.checkpoints import Checkpointer
from training.dev_set import START
from training.embeddings import document_vectors
from training.forgetting import general_ndcg
from training.publish import untouched
from training.result import DevRecord, Request, TrainingResult
from training.training_data import TrainingData
from training.weight_interpolation import is_matrix_of_start

LEADERBOARD, READY_MADE = "leaderboard", "ready_made"
_START, _PACE = "ready-made", "pace"
_READY_SHARE = 0.2
"""Of the minutes at most, for finding the ready-made model to start from."""
_USED = 0.9
"""Of the minutes; where less is used, it says why more would not help."""


def learn_auto(request: Request, material: TrainingData) -> TrainingResult:
    """Try what fits into the time, and keep the best.

    :raises Refused: when the base cannot be adapted.
    """
    project, progress = request.project, request.progress
    begun = _start(request, material)
    settings = request.settings.model_copy(update={"base": begun["base"]})
    request = replace(request, settings=settings)
    assert isinstance(settings, AutoSettings)
    progress(0, 0, f"loading {settings.base} on {best_device()}")
    base, info = load_base_model(project, settings.base), named(project, settings.base)
    kept = request.resumable(material.made_from, start=info.fingerprint if info else settings.base)
    pace = _pace(base, kept)
    parts = narrowed(split_into_folds(material), 60 * settings.minutes, pace["character"])
    # Before the clock starts: where the base has no index yet, it is built.
    documents, _ = document_vectors(
        project, settings.base, base, material, Stage(progress, 0.0, 0.1)
    )
    told = Stage(progress, 0.2, 1.0)
    search = BudgetedSearch(settings.minutes, told, kept, base, begun["seconds"])
    members = members_of(request, parts, base, documents, Stage(progress, 0.1, 0.2))
    Candidates(request, members, search).search()
    leader = search.leaderboard.leader
    facts: dict[str, Any] = {LEADERBOARD: search.leaderboard.table(), **leader.facts}
    facts |= {READY_MADE: begun["standings"]} if begun["standings"] else {}
    origin = facts.pop(ORIGIN, None)
    notes = [*begun["notes"], *_notes(material, parts), *_enough(search, material)]
    is_adapter = leader.name == START or is_matrix_of_start(facts)
    if leader.name == START:
        model = untouched(base, documents.shape[1])
    else:
        model, said = _one_of(search.models_of(leader), leader, members)
        notes += said
    dev = _record(search.leaderboard, parts, notes)
    return TrainingResult(settings.base, model, dev, pace["knew"], facts, origin, is_adapter, info)


def _start(request: Request, material: TrainingData) -> dict[str, Any]:
    """The model to start from, how long it took to find it, and what to say of it: measured now, or by a process that was
    killed.

    Where no other start was asked for, it is the ready-made model that serves the dev queries best. Queries that nobody asked
    choose none.
    """
    settings = request.settings
    assert isinstance(settings, AutoSettings)
    if settings.base != GENERIC or material.synthetic:
        return {"base": settings.base, "seconds": 0.0, "notes": [], "standings": []}
    kept = request.resumable(material.made_from)
    if (saved := kept.load(_START)) is not None:
        return saved.state
    started, most = time.monotonic(), _READY_SHARE * 60 * settings.minutes
    ready = best_ready_made(request.project, Stage(request.progress, 0.0, 0.1), most)
    measured = [standing for standing in ready.standings if standing.score is not None]
    state = {
        "base": ready.info.name,
        "seconds": time.monotonic() - started,
        "notes": [ready.sentence, *ready.notes] if len(measured) > 1 else [],
        "standings": ready.as_json() if len(measured) > 1 else [],
    }
    kept.save(_START, {}, state)
    return state


def _pace(base: Any, checkpointer: Checkpointer) -> dict[str, float]:
    """What the base knows of other fields, and the seconds that a character took it: now, or in a process that was killed."""
    if (saved := checkpointer.load(_PACE)) is not None:
        return dict(saved.state)
    started = time.perf_counter()
    knew = general_ndcg(base)
    read = sum(len(text) for pair in general_questions() for text in pair)
    state = {"knew": knew, "character": (time.perf_counter() - started) / read}
    checkpointer.save(_PACE, {}, state)
    return state


def _one_of(
    models: Sequence[Any], leader: Trial, members: Sequence[Member]
) -> tuple[Any, list[str]]:
    """The model that is published of the members', and what people should know of it."""
    if len(models) == 1:
        return models[0], []
    made = averaged(models)
    # Most of them have seen each of these queries: a mean that is worse even there has been spoiled by averaging.
    score = _score_of(made, members)
    if leader.score is not None and score >= leader.score:
        return made, [
            f"What is published is the average of the {len(models)} models that learned; the dev scores are theirs, each "
            "on the queries that it had not seen."
        ]
    return models[0], [
        f"The average of the {len(models)} models that learned is no good ({score:.3f} nDCG@10), so the first of them is "
        "published."
    ]


def _score_of(model: Any, members: Sequence[Member]) -> float:
    """nDCG@10 of one model on what any member was asked."""
    parts = [member.material for member in members]
    if isinstance(model, LinearAdapter):  # A server would be paid again for vectors that are here.
        each = [measure_of(m.data, m.material.dev, model.side)(model.matrix) for m in members]
        return float(np.mean(merged(parts, each)))
    # Among the documents that the leader was measured among: fewer make a higher score.
    each = [part.dev.scores_of_vectors(*part.dev.vectors(model)) for part in parts]
    return float(np.mean(merged(parts, each)))


def _notes(material: TrainingData, parts: Sequence[TrainingData]) -> list[str]:
    own, asked = len(material.dev.query_set.queries), len(all_dev_queries(parts).queries)
    if asked == own:
        return []
    few = f"There are {own:,} dev queries, too few to tell a good model from a lucky one: "
    if len(parts) == 1:
        return [f"{few}{asked - own:,} more were made of pairs that were held out of learning."]
    return [
        f"{few}{len(parts)} models learned, each with other pairs held out to choose by, {asked:,} queries in all."
    ]


def _enough(search: BudgetedSearch, material: TrainingData) -> list[str]:
    """Why more time would not help, where it was not used."""
    clock, board = search.clock, search.leaderboard
    if clock.spent >= _USED * clock.budget:
        return []
    outcomes = {trial.outcome for trial in board.trials}
    if material.synthetic:
        why = "what nobody asked teaches no more than an adapter"
    elif Outcome.CANNOT in outcomes:
        why = "the weights of this start cannot be trained here, and what else can learn was tried"
    elif Outcome.NO_TIME in outcomes:
        why = "what was left is too little for another way to learn"
    else:
        why = "every way to learn that it knows was tried, and the same again would bring the same"
    spent = f"{clock.spent / 60:.1f} of {clock.budget / 60:g} minutes were used"
    return [f"{spent}; the rest would not help: {why}."]


def _record(
    leaderboard: Leaderboard, parts: Sequence[TrainingData], notes: Sequence[str]
) -> DevRecord:
    """What the dev queries said, for the manifest and for people."""
    first, leader = leaderboard.trials[0], leaderboard.leader
    scores = [score for score in (first.score, leader.score) if score is not None]
    details = {
        "queries": len(all_dev_queries(parts).queries),
        "documents": len(parts[0].dev.ids),
        "members": len(parts),
        "settings": leader.settings,
    }
    return DevRecord(
        scores[: 1 if leader is first else 2], leader.name, details, [leaderboard.note, *notes]
    )
