"""The recipe "auto": several ways to learn within a time budget, of which the best on dev is published."""

from collections.abc import Sequence
from typing import Any

from search.encoders import best_device
from search.models import named
from search.progress import Stage
from training.auto.average import averaged
from training.auto.climbing import Climb
from training.auto.keeping import Keeper
from training.auto.ladder import Ladder, Rung
from training.auto.member import ORIGIN, STEERING, Member
from training.auto.parted import asked_in_all, parted
from training.auto.ways import Ways
from training.dev import START, DevSet
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
    parts = parted(material)
    # Before the clock starts: where the base has no index yet, it is built.
    documents, _ = document_vectors(
        project, settings.base, base, material, Stage(progress, 0.0, 0.1)
    )
    kept = request.resumable(material.made_from, start=info.fingerprint if info else settings.base)
    keeps = kept.folder is not None and isinstance(base, SentenceTransformer)
    climb = Climb(settings.minutes, Keeper(kept) if keeps else None, Stage(progress, 0.2, 1.0))
    members = []
    for place, part in enumerate(parts):
        encoding = Stage(
            progress, 0.1 + 0.1 * place / len(parts), 0.1 + 0.1 * (place + 1) / len(parts)
        )
        data = embedded(base, info, part, documents, encoding)
        members.append(Member(request, part, base, data, f"-{place}" if len(parts) > 1 else ""))
    Ways(request, members, climb).climb()
    leader = climb.ladder.leader
    facts: dict[str, Any] = {LADDER: climb.ladder.table(), **leader.facts}
    origin = facts.pop(ORIGIN, None)
    notes = _notes(material, parts)
    model = base
    if leader.name != START:
        model, said = _one_of(climb.models_of(leader), leader, parts)
        notes += said
    dev = _record(climb.ladder, parts, notes)
    return Taught(settings.base, model, dev, general_ndcg(base), facts, origin)


def _one_of(
    models: Sequence[Any], leader: Rung, parts: Sequence[Material]
) -> tuple[Any, list[str]]:
    """The model that is published of the members', and what people should know of it."""
    if len(models) == 1:
        return models[0], []
    made = averaged(models)
    # Most of them have seen each of these queries: a mean that is worse even there has been spoiled by averaging.
    score = DevSet.of(parts[0].corpus, asked_in_all(parts)).narrowed(STEERING).ndcg(made)
    if leader.score is not None and score >= leader.score:
        number = len(models)
        return made, [
            f"What is published is the average of the {number} models that learned; the dev scores are theirs, each on "
            "the queries that it had not seen."
        ]
    return models[0], [
        f"The average of the {len(models)} models that learned is no good ({score:.3f} nDCG@10), so the first of them is "
        "published."
    ]


def _notes(material: Material, parts: Sequence[Material]) -> list[str]:
    own, asked = len(material.dev.query_set.queries), len(asked_in_all(parts).queries)
    if asked == own:
        return []
    few = f"There are {own:,} dev queries, too few to tell a good model from a lucky one: "
    if len(parts) == 1:
        return [f"{few}{asked - own:,} more were made of pairs that were held out of learning."]
    return [
        f"{few}{len(parts)} models learned, each with other pairs held out to choose by, {asked:,} queries in all."
    ]


def _record(ladder: Ladder, parts: Sequence[Material], notes: Sequence[str]) -> DevRecord:
    """What the dev queries said, for the manifest and for people."""
    first, leader = ladder.rungs[0], ladder.leader
    scores = [score for score in (first.score, leader.score) if score is not None]
    details = {
        "queries": len(asked_in_all(parts).queries),
        "documents": len(parts[0].dev.ids),
        "members": len(parts),
        "settings": leader.settings,
    }
    return DevRecord(
        scores[: 1 if leader is first else 2], leader.name, details, [ladder.note, *notes]
    )
