"""More queries to choose by, where the dev queries are few: the pairs parted several times, for as many members.

Sixteen dev queries cannot tell a good model from a lucky one. Where there are fewer than sixty, some of the
pairs are not learned from but asked: dev queries like the others, parted from the rest as any split is. Where pairs
are few, too, what is learned depends on which of them were held out; so there are three members, each with other pairs
held out. All that were held out choose together (as in cross-validation), and the members' average is published:
bagging (Breiman 1996, "Bagging predictors") of weights (Wortsman et al. 2022, "Model soups").
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from operator import or_

import numpy as np

from search.corpus.labels import Pair
from search.evaluation.leakage import keep_apart, texts_of
from search.evaluation.query_set import QuerySet
from search.projects.errors import Refused
from training.data.pair_sets import DEV_SHARE, split_pairs
from training.dev_set import DevSet
from training.training_data import TrainingData

ENOUGH = 60
"""Dev queries; with so many, a gain of some hundredths can be told from luck."""
MEMBERS = 3
FEW = 600
"""Pairs: with fewer, several members learn; a tenth of so many is enough to choose by."""
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
            split = split_pairs(pairs, True, _SEED, texts, never_held=held, test_share=more)
        except Refused:  # Too few, or too much alike, to hold some out.
            break
        asked = split.dev | split.test
        if not asked.queries:  # All that can be held out was.
            break
        parts.append(_part(material, split.train, asked.graded(material.grades)))
        learned = set(split.train)
        held += [pair for pair in pairs if pair not in learned]
    return parts or [material]


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
        learned = keep_apart(learned, [held], material.corpus).pairs
    return replace(
        material,
        guarded=replace(material.guarded, pairs=learned),
        dev=DevSet.of(material.corpus, held | material.dev.query_set),
    )
