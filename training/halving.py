"""Which of several models serves the dev queries best: measured on ever more of them, the worse half left out each time.

Successive halving (Karnin, Koren and Somekh 2013, "Almost Optimal Exploration in Multi-Armed Bandits"; Jamieson and
Talwalkar 2016): all models on a part of queries and documents, the better half on twice as much, the last ones on all.
Each part holds the one before it, and what a model encoded is in the embedding store, so nothing is encoded twice.
"""

import math
import statistics
import time
import timeit
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from search.models.encoder import Encoder
from search.models.encoding.texts import encode_texts, unknown_texts
from search.models.registry import ModelInfo
from search.projects.errors import BespokeError, first_line
from search.projects.progress import Progress, Stage, silent
from training.dev_set import DevSet

_FEWEST_QUERIES, _FEWEST_PASSAGES = 40, 200
_TRIED = 8
"""Texts that tell how fast a model is, before it is known whether a part fits into the time."""
_SEED = 7


@dataclass(eq=False)
class Entrant:
    """A model that is measured: how it is opened, and what was found so far.

    :param name: what it is called meanwhile.
    :param opening: what is known of the model, and its encoder; called when it is needed first.
    :param each: nDCG@10 of each dev query (by id) of the last part that it was measured on; none where it was on none.
    :param passages: how many were to be found there.
    :param why_not: in words why it was not measured; "" where it was.
    :param pace: seconds that a character takes; 0 before that is known, and where nothing is to be encoded.
    :param milliseconds: that a query takes, alone; None before that is known, and of a server's.

    >>> Entrant("e5", None, each={"q1": 0.5, "q2": 1.0}).score
    0.75
    """

    name: str
    opening: Callable[[], tuple[ModelInfo, Encoder]]
    each: dict[str, float] = field(default_factory=dict)
    passages: int = 0
    why_not: str = ""
    pace: float = 0.0
    milliseconds: float | None = None
    _open: tuple[ModelInfo, Encoder] | None = None

    def open(self) -> tuple[ModelInfo, Encoder]:
        """What is known of the model, and its encoder.

        :raises BespokeError: where it cannot be had.
        """
        if self._open is None:
            self._open = self.opening()
        return self._open

    def release(self) -> None:
        """Give its memory back."""
        self._open = None

    @property
    def score(self) -> float | None:
        """Mean nDCG@10 over the queries of the last part; None where it was not measured."""
        return float(np.mean(list(self.each.values()))) if self.each else None

    def seconds_for(self, part: DevSet) -> float:
        """About how long it takes to encode what it has not encoded of a part; a few passages are encoded to know."""
        info, encoder = self.open()
        unknown = unknown_texts(encoder, info, part.texts, "document")
        if unknown and not self.pace:
            some = unknown[:: max(1, len(unknown) // _TRIED)][:_TRIED]
            encoder.encode_query(some[0][:20])  # The first call prepares what later ones have.
            started = time.monotonic()
            encode_texts(encoder, info, some, "document")
            self.pace = (time.monotonic() - started) / max(1, sum(map(len, some)))
        return self.pace * sum(map(len, unknown))

    def measure(self, part: DevSet, progress: Progress) -> None:
        """nDCG@10 of each query of a part, and how long one query takes."""
        info, encoder = self.open()
        what = (f"documents with {self.name}", f"dev queries with {self.name}")
        vectors = part.encoded(encoder, info, progress, what)
        names = sorted(part.query_set.queries)
        self.each = dict(zip(names, part.scores_of_vectors(*vectors), strict=True))
        self.passages = len(part.texts)
        if self.milliseconds is None and info.format != "endpoint":
            self.milliseconds = 1_000 * statistics.median(
                timeit.timeit(partial(encoder.encode_query, [query]), number=1)
                for query in part.queries[:_TRIED]
            )


def part_of(dev: DevSet, share: float) -> DevSet:
    """A share (0 to 1) of the dev queries, what answers them, and the same share of all other passages.

    Forty queries and 200 other passages at the least, as far as there are so many. The part of a larger share holds that
    of a smaller one.
    """
    rng = np.random.default_rng(_SEED)
    names = sorted(dev.query_set.queries)
    count = min(len(names), max(_FEWEST_QUERIES, math.ceil(share * len(names))))
    asked = [names[i] for i in rng.permutation(len(names))[:count]]
    queries = dev.query_set.only(sorted(asked))
    wanted = {document for query in asked for document in queries.relevant(query)}
    judged = {document for query in names for document in dev.query_set.relevant(query)}
    rows = range(len(dev.ids))
    others = rng.permutation([row for row in rows if dev.ids[row] not in judged])
    count = min(len(others), max(_FEWEST_PASSAGES, math.ceil(share * len(others))))
    chosen = {*others[:count].tolist(), *(row for row in rows if dev.ids[row] in wanted)}
    some = sorted(chosen)
    return replace(
        dev,
        query_set=queries,
        positions=[dev.positions[row] for row in some],
        ids=[dev.ids[row] for row in some],
        texts=[dev.texts[row] for row in some],
    )


def halve(
    first: Entrant,
    others: Sequence[Entrant],
    dev: DevSet,
    seconds: float = math.inf,
    progress: Progress = silent,
) -> Entrant:
    """The model that serves the dev queries best: `first`, unless another one is better by more than chance.

    As everywhere a model is chosen by dev: its gain over `first` is more than the standard error of that gain, query by
    query (after Breiman et al. 1984). `first` is measured in each round, whatever the time; of the others none that would
    not fit.

    :param seconds: how long all of it may take, as far as it can be told beforehand.
    """
    ends = time.monotonic() + seconds
    alive = openable(others)
    rounds = max(1, math.ceil(math.log2(len(alive) + 1)))
    share = 2.0 ** (1 - rounds)
    for number in range(rounds):
        allowed = (ends - time.monotonic()) / (rounds - number)
        if number == 0:
            share, fit = _beginning(first, alive, dev, share, allowed)
        else:
            share, fit = _further(first, alive, dev, share, allowed, number + 1 == rounds)
            if not fit:
                break
        alive = fit
        _measure((first, *alive), part_of(dev, share), Stage(progress, number / rounds, 1.0))
        alive.sort(key=lambda entrant: (-(entrant.score or 0.0), others.index(entrant)))
        if number + 1 < rounds:
            for entrant in alive[math.ceil(len(alive) / 2) :]:
                entrant.release()
            alive = alive[: math.ceil(len(alive) / 2)]
    best = alive[0] if alive else first
    return best if surely_better(best, first) else first


def openable(entrants: Sequence[Entrant]) -> list[Entrant]:
    """Those that can be opened; the others say why not."""
    able = []
    for entrant in entrants:
        try:
            entrant.open()
        except BespokeError as error:
            entrant.why_not = first_line(error)
        else:
            able.append(entrant)
    return able


def surely_better(one: Entrant, other: Entrant) -> bool:
    """Whether the gain of one model over another is more than its standard error, over the queries that both were asked."""
    shared = one.each.keys() & other.each.keys()
    gains = np.array([one.each[query] - other.each[query] for query in sorted(shared)])
    if len(gains) < 2:
        return False
    return bool(gains.mean() > gains.std(ddof=1) / math.sqrt(len(gains)))


def _beginning(
    first: Entrant, others: Sequence[Entrant], dev: DevSet, share: float, allowed: float
) -> tuple[float, list[Entrant]]:
    """The share of dev to begin with, halved until it fits into the time, and the models that fit even so."""
    part = part_of(dev, share)
    while _seconds((first, *others), part) > allowed:
        fewer = part_of(dev, share / 2)
        if len(fewer.texts) == len(part.texts):
            break
        share, part = share / 2, fewer
    spent, fit = first.seconds_for(part), []
    for entrant in sorted(others, key=lambda entrant: entrant.seconds_for(part)):
        spent += entrant.seconds_for(part)
        if spent <= allowed:
            fit.append(entrant)
        else:
            entrant.why_not = "too slow here for the time that there is"
            entrant.release()
    return share, fit


def _further(
    first: Entrant, ranked: Sequence[Entrant], dev: DevSet, share: float, allowed: float, last: bool
) -> tuple[float, list[Entrant]]:
    """Twice the share of the round before (in the last one all that fits), and those that fit, the worst left out."""
    least = min(1.0, 2 * share)
    share, fit = 1.0 if last else least, list(ranked)
    while fit and _seconds((first, *fit), part_of(dev, share)) > allowed:
        if share > least:
            share = max(least, share / 2)
        else:
            fit.pop()
    return share, fit


def _measure(entrants: Sequence[Entrant], part: DevSet, progress: Progress) -> None:
    width = len(entrants)
    for position, entrant in enumerate(entrants):
        entrant.measure(part, Stage(progress, position / width, (position + 1) / width))


def _seconds(entrants: Sequence[Entrant], part: DevSet) -> float:
    return sum(entrant.seconds_for(part) for entrant in entrants)
