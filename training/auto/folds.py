"""More queries to choose by, where the dev queries are few: the pairs parted several times, for as many members.

Sixteen dev queries cannot tell a good model from a lucky one. Where there are fewer than sixty, some of the
pairs are not learned from but asked: dev queries like the others, parted from the rest as any split is. Where pairs
are few, too, what is learned depends on which of them were held out; so there are three members, each with other pairs
held out. All that were held out choose together (as in cross-validation), and the members' average is published:
bagging (Breiman 1996, "Bagging predictors") of weights. Models that were tuned from the same start lie in one basin, and
their mean is often better than each, at the price of one (Wortsman et al. 2022, "Model soups: averaging weights of
multiple fine-tuned models improves accuracy without increasing inference time").
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

import numpy as np

from search.corpus.labels import Pair
from search.evaluation.query_sets.leakage import keep_apart, texts_of
from search.evaluation.query_sets.query_set import QuerySet
from search.models.linear_adapter import LinearAdapter
from search.projects.errors import Refused
from training.data.pair_sets import DEV_SHARE, split_pairs
from training.dev_set import DevSet
from training.fine_tune.speed import characters
from training.refit_plan import PLAN, averaged_plan, plan_facts, plan_of
from training.training_data import TrainingData
from training.weight_interpolation import PLACE

if TYPE_CHECKING:
    import torch

ENOUGH = 60
"""Dev queries; with so many, a gain of some hundredths can be told from luck."""
MEMBERS = 3
FEW = 600
"""Pairs: with fewer, several members learn; a tenth of so many is enough to choose by."""
_POOLS = 0.08
"""Of the time may go into encoding the dev pools of all members once."""
_FEWEST_PASSAGES = 100
_MOST = 0.2
_SEED = 11


def split_into_folds(material: TrainingData) -> list[TrainingData]:
    """What each member learns from and chooses by, up to a fifth of the pairs held out; the material alone where there
    is no need or no way.

    Pairs that were mined are left as they are: they have dev queries enough of their own.
    """
    lacking = ENOUGH - len(material.dev.query_set.queries)
    pairs = material.guarded.pairs
    if lacking <= 0 or material.synthetic:
        return [material]
    texts = texts_of(material.corpus, {p.document for p in pairs if p.document is not None})
    # A split holds a tenth out as its dev part in any case; what more is needed is its test part.
    more = max(0.0, min(_MOST, lacking / len(pairs)) - DEV_SHARE)
    parts: list[TrainingData] = []
    held: list[Pair] = []
    for _ in range(MEMBERS if len(pairs) < FEW else 1):
        try:
            split = split_pairs(
                pairs, True, _SEED, texts, held, test_share=more, question=material.question
            )
        except Refused:  # Too few, or too much alike, to hold some out.
            break
        asked = split.dev | split.test
        if not asked.queries:  # All that can be held out was.
            break
        parts.append(_part(material, split.train, asked.graded(material.grades)))
        learned = set(split.train)
        held += [pair for pair in pairs if pair not in learned]
    return parts or [material]


def narrowed(parts: Sequence[TrainingData], seconds: float, character: float) -> list[TrainingData]:
    """The parts with dev pools that are encoded often enough in the time: each trial's models encode all of them.

    :param seconds: the whole budget.
    :param character: seconds that one takes.
    """
    most = _POOLS * seconds / len(parts) / max(character, 1e-9)
    made = []
    for part in parts:
        share = most / max(characters(part.dev.texts), 1)
        passages = max(_FEWEST_PASSAGES, int(share * len(part.dev.ids)))
        made.append(replace(part, dev=part.dev.narrowed(passages)) if share < 1 else part)
    return made


def all_dev_queries(parts: Sequence[TrainingData]) -> QuerySet:
    """The dev queries of all members, each once."""
    return reduce(or_, (part.dev.query_set for part in parts))


def merged(parts: Sequence[TrainingData], each: Sequence[Sequence[float]]) -> list[float]:
    """The members' scores as one: for each query, in the order of their ids, the mean of those who were asked it.

    :param each: nDCG@10 of each member's dev queries, in the order of `DevSet.queries`.
    """
    known: dict[str, list[float]] = {}
    for part, scores in zip(parts, each, strict=True):
        for query, score in zip(sorted(part.dev.query_set.queries), scores, strict=True):
            known.setdefault(query, []).append(score)
    return [float(np.mean(known[query])) for query in sorted(known)]


def _part(material: TrainingData, learned: list[Pair], held: QuerySet) -> TrainingData:
    if material.grades:
        # Lesser answers bind no pairs together: what a held-out query has among them may be taught by another one.
        learned = keep_apart(learned, [held], material.corpus, material.question).pairs
    return replace(
        material,
        guarded=replace(material.guarded, pairs=learned),
        dev=DevSet.of(material.corpus, held | material.dev.query_set),
    )


def averaged(models: Sequence[Any]) -> Any:
    """The mean of models with the same modules, or of matrices over the same server's vectors; one alone as it is."""
    first, *others = models
    if not others:
        return first
    if isinstance(first, LinearAdapter):
        matrices = [model.matrix for model in models]
        return LinearAdapter(first.base, np.mean(matrices, axis=0, dtype=np.float32), first.side)
    made = deepcopy(first)
    states = [model.state_dict() for model in others]
    made.load_state_dict(
        {
            name: _mean(tensor, [state[name].to(tensor) for state in states])
            for name, tensor in first.state_dict().items()
        }
    )
    return made


def facts_of(facts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the manifest of an average says: what all members' would, and of its place, that it is all that was learned.

    Of how it came about it says the middle of what the members chose. Each member went its own share of its own way, so there is nothing beyond the average to go on to.
    """
    first = dict(facts[0])
    if len(facts) > 1 and PLACE in first:
        moved = any(known[PLACE]["share"] > 0 for known in facts)
        first[PLACE] = {**first[PLACE], "share": float(moved)}
    if len(facts) > 1 and PLAN in first:
        first |= plan_facts(*averaged_plan([plan_of(known) for known in facts]))
    return first


def _mean(first: "torch.Tensor", others: Sequence["torch.Tensor"]) -> "torch.Tensor":
    """The mean, exactly the first where all are the same; numbers that do not flow stay."""
    if not first.is_floating_point():
        return first
    away = sum((other - first for other in others), start=first * 0)
    return first + away / (1 + len(others))
