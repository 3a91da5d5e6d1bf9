"""The recipe "auto": several ways to learn within a time budget, of which the best on dev is published."""

from typing import Any

from search.encoders import best_device
from search.models import named
from search.progress import Stage
from training.auto.climbing import Climb
from training.auto.keeping import Keeper
from training.auto.ladder import Ladder
from training.auto.pooled import pooled
from training.auto.ways import ORIGIN, Ways
from training.dev import START
from training.embedding import document_vectors, embedded
from training.forgetting import general_ndcg
from training.making.request import Request
from training.making.starts import start_of
from training.making.taught import DevRecord, Taught
from training.material import Material
from training.recipes.auto import Auto

LADDER = "ladder"


def learn_auto(request: Request, material: Material) -> Taught:
    """Try what fits into the time, and keep the best.

    :raises Refused: when the base cannot be adapted.
    """
    from sentence_transformers import SentenceTransformer

    project, settings, progress = request.project, request.settings, request.progress
    assert isinstance(settings, Auto)
    progress(0, 0, f"loading {settings.base} on {best_device()}")
    base, info = start_of(project, settings.base), named(project, settings.base)
    chosen = pooled(material)
    # Before the clock starts: where the base has no index yet, it is built.
    documents, _ = document_vectors(project, settings.base, base, chosen, Stage(progress, 0.0, 0.1))
    kept = request.resumable(material.made_from, start=info.fingerprint if info else settings.base)
    keeps = kept.folder is not None and isinstance(base, SentenceTransformer)
    climb = Climb(settings.minutes, Keeper(kept) if keeps else None, Stage(progress, 0.2, 1.0))
    data = embedded(base, info, chosen, documents, Stage(progress, 0.1, 0.2))
    Ways(request, chosen, base, data, climb).climb()
    leader = climb.ladder.leader
    facts: dict[str, Any] = {LADDER: climb.ladder.table(), **leader.facts}
    origin = facts.pop(ORIGIN, None)
    model = base if leader.name == START else climb.model_of(leader)
    dev = _record(climb.ladder, material, chosen)
    return Taught(settings.base, model, dev, general_ndcg(base), facts, origin)


def _record(ladder: Ladder, material: Material, chosen: Material) -> DevRecord:
    """What the dev queries said, for the manifest and for people."""
    first, leader = ladder.rungs[0], ladder.leader
    scores = [score for score in (first.score, leader.score) if score is not None]
    asked = len(chosen.dev.query_set.queries)
    notes = [ladder.note]
    more = asked - len(material.dev.query_set.queries)
    if more > 0:
        notes.append(
            f"There are {asked - more:,} dev queries, too few to tell a good model from a lucky one: {more:,} more were "
            "made of pairs that were held out of learning."
        )
    details = {
        "queries": asked,
        "documents": len(chosen.dev.ids),
        "settings": leader.settings,
    }
    return DevRecord(scores[: 1 if leader is first else 2], leader.name, details, notes)
