"""Pairs that people wrote and pairs that nobody wrote, side by side: what each counts, and what steers.

Fifty real pairs and five hundred generated ones are the usual case. With each pair counting the same, the few that say what
people really ask are a tenth of what is learned; with each kind counting the same, a handful is learned by heart. Halfway
between, the real ones are seen as often as the square root of how many times more the others are: measured on dev queries,
hardly told apart from either end by so few draws, and the best of the three on average (docs/benchmarks.md).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from search.corpus.labels import Pair
from search.evaluation.query_sets.leakage import Texts
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.query_sets.questions import NEW_DOCUMENTS
from search.projects.settings import LIMITS
from training.data.pair_sets import PairSet, split_pairs

_MOST_TIMES = 10
ENOUGH_DEV = 60
"""Dev queries that are enough to steer by: fewer real ones are joined by generated ones."""


def pair_weights(real: int, generated: int) -> tuple[int, int]:
    """How often a real pair and a generated one are seen in an epoch.

    >>> pair_weights(50, 500), pair_weights(500, 50), pair_weights(7, 5_000), pair_weights(0, 9)
    ((3, 1), (1, 1), (10, 1), (1, 1))
    """
    return (min(max(1, round(math.sqrt(generated / real))), _MOST_TIMES) if real else 1), 1


def weighted(pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs, each as often as it counts; all of one kind once each."""
    real = [pair for pair in pairs if not pair.mined]
    times, _ = pair_weights(len(real), len(pairs) - len(real))
    return [*pairs, *real * (times - 1)]


def weights_note(pairs: Sequence[Pair]) -> str | None:
    """In words what counts how much; None where all pairs are of one kind."""
    real = sum(not pair.mined for pair in pairs)
    generated = len(pairs) - real
    if not real or not generated:
        return None
    times, _ = pair_weights(real, generated)
    often = "once" if times == 1 else f"{times} times"
    return f"{real:,} pairs of people, each seen {often}, beside {generated:,} that nobody wrote, each seen once"


def joined(
    own: PairSet, made: Sequence[Pair], texts: Mapping[str, Texts]
) -> tuple[PairSet, list[str]]:
    """A project's own pairs with generated ones beside them, in place of those that were there before.

    Its dev queries stay; where they are fewer than `ENOUGH_DEV`, generated ones that are learned from by nobody join them.
    The test has no part in it: generated queries enter none.

    :param texts: of the documents of `made`.
    :returns: the pairs, and the ids of the dev queries that are generated.
    """
    people = [pair for pair in own.pairs if not pair.mined]
    dev, learned = own.dev, list(made)
    lacking = ENOUGH_DEV - len(own.dev.queries) if len(made) >= LIMITS.min_pairs else 0
    steering = QuerySet({}, {})
    if lacking > 0:
        split = split_pairs(made, hold_test=False, texts=texts, question=NEW_DOCUMENTS)
        chosen = [q for q in sorted(split.dev.queries) if q not in own.dev.queries][:lacking]
        steering, learned = split.dev.only(chosen), split.train
        dev = QuerySet({**dev.queries, **steering.queries}, {**dev.judgments, **steering.judgments})
    return replace(own, pairs=[*people, *learned], dev=dev), list(steering.queries)
