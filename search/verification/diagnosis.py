"""Which wrong way of serving a model explains the vectors that came: the one with the fewest faults that fits best.

Short texts tell prompts, special tokens, pooling and Dense layers apart, since nothing cuts them; long ones then tell where
a server cuts. What is left over is noise: little of it is a lower precision, much of it is another model.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexes.vector_index import Vectors
from search.models.prompts import Role
from search.verification.asking import ServerAnswers
from search.verification.probes import LONG, PLAIN, SHORT, Probe
from search.verification.variants import OWN, PROMPTS, RIGHT, Body, Head, LocalModel

SAME = 1e-3
"""1 - cosine up to which two vectors of a text are the same: half precision on another machine stays a tenth below."""
EIGHT_BITS = 3e-4
"""The same of eight bits, in the middle of many texts."""
ANOTHER = 0.06
_MOST = 0.2
_BETTER = 0.85
_NOISE = 5e-5
_CERTAIN = 1e-6
_DIAGNOSTIC = 12
_LONG = 3
_LENGTHS = (32, 64, 96, 128, 192, 256, 384, 512, 768, 1_024, 1_536, 2_048, 4_096, 8_192)
_ROLES: tuple[Role, Role] = ("query", "document")
Errors = NDArray[np.float64]


@dataclass(frozen=True)
class Way:
    """A way in which a model may be served: what goes into the transformer for queries and documents, and what comes behind.

    >>> Way().faults, Way(prompts=("none", "own"), head=Head("cls")).faults
    (0, 2)
    """

    prompts: tuple[str, str] = (OWN, OWN)
    special: str = OWN
    length: int | None = None
    head: Head = RIGHT

    @property
    def faults(self) -> int:
        """How much of it is wrong; a prompt counts once, on whichever side."""
        wrong = [self.prompts != (OWN, OWN), self.special != OWN, self.length is not None]
        return sum([*wrong, self.head.pooling != OWN, self.head.dense != OWN])

    def body(self, role: Role) -> Body:
        """What goes into the transformer for a side."""
        return Body(self.prompts[_ROLES.index(role)], self.special, self.length)


@dataclass(frozen=True)
class Diagnosis:
    """What explains a server's vectors.

    `errors` are 1 - cosine of each probe to the way that explains it best (NaN where it was refused), `noise` their median
    over usual and short texts. `dimension` is what was served, `of` what that way gives. `unlike` are kinds of texts that are
    read otherwise than all others. `lengths` are those of the served vectors, from the shortest to the longest.

    >>> Diagnosis(Way(), np.zeros(2), 0.0, 384, 384, (1.0, 1.0), (1.0, 1.0)).is_other_model
    False
    """

    way: Way
    errors: Errors
    noise: float
    dimension: int
    of: int
    lengths: tuple[float, float]
    own_lengths: tuple[float, float]
    unlike: list[str] = field(default_factory=list)

    @property
    def is_other_model(self) -> bool:
        """Whether nothing explains what came."""
        return self.noise > ANOTHER

    @property
    def is_low_precision(self) -> bool:
        """Whether numbers of few bits explain what is left over."""
        return EIGHT_BITS < self.noise <= ANOTHER


def diagnose(local: LocalModel, probes: Sequence[Probe], answers: ServerAnswers) -> Diagnosis:
    """Find the way that explains what a server answered.

    :param probes: what was asked, in the order of the answers.
    """
    return _Diagnosing(local, probes, answers).run()


class _Diagnosing:
    def __init__(self, local: LocalModel, probes: Sequence[Probe], answers: ServerAnswers) -> None:
        self._local = local
        self._probes = probes
        self._answers = answers
        self._asked: list[int] = np.flatnonzero(~answers.refused).tolist()

    def run(self) -> Diagnosis:
        way = Way()
        errors, own = self._errors_of(way, self._asked)
        made = own
        if not self._explains(errors):
            way = self._by_short_texts()
            errors, made = self._errors_of(way, self._asked)
            if self._are_cut(errors):
                way = self._by_long_texts(way)
                errors, made = self._errors_of(way, self._asked)
        of_all = np.full(len(self._probes), np.nan)
        of_all[self._asked] = errors
        noise = float(np.median(of_all[self._of_kinds(PLAIN, SHORT)]))
        served = self._answers.vectors[self._asked]
        return Diagnosis(
            way,
            of_all,
            noise,
            served.shape[1],
            own.shape[1] if noise > ANOTHER else made.shape[1],
            _ends(served),
            _ends(own),
            self._unlike(of_all, noise),
        )

    def _explains(self, errors: Errors) -> bool:
        """Whether nothing could explain it better; where it is only near, others are tried."""
        return bool((errors < SAME).all()) and float(np.median(errors)) < _NOISE / 5

    def _of_kinds(self, *kinds: str) -> list[int]:
        return [i for i in self._asked if self._probes[i].kind in kinds]

    def _errors_of(self, way: Way, positions: Sequence[int]) -> tuple[Errors, Vectors]:
        """1 - cosine of probes to what a way of serving gives, and what it gives."""
        made: dict[int, Vectors] = {}
        for role in _ROLES:
            own = [i for i in positions if self._probes[i].role == role]
            texts = [self._probes[i].text for i in own]
            if own:
                rows = self._local.vectors(texts, role, way.body(role), [way.head])[way.head]
                made |= dict(zip(own, rows, strict=True))
        vectors = np.stack([made[i] for i in positions])
        return errors(self._answers.vectors[positions], vectors), vectors

    def _by_short_texts(self) -> Way:
        """Prompts, special tokens, pooling and Dense: by the short texts that fit best into any cut."""
        short = sorted(self._of_kinds(SHORT, PLAIN), key=lambda i: len(self._probes[i].text))
        chosen = {
            role: [i for i in short if self._probes[i].role == role][-2 * _DIAGNOSTIC :: 2]
            for role in _ROLES
        }
        costs: dict[tuple[Role, str, str, Head], float] = {}
        for role, (prompt, special) in product(_ROLES, self._local.bodies()):
            texts = [self._probes[i].text for i in chosen[role]]
            made = self._local.vectors(texts, role, Body(prompt, special))
            for head, vectors in made.items():
                costs[role, prompt, special, head] = _cost(
                    errors(self._answers.vectors[chosen[role]], vectors)
                )
        kinds = {prompt for _, prompt, _, _ in costs}
        prompts = [one for one in PROMPTS if one in kinds]
        specials = dict.fromkeys(special for _, _, special, _ in costs)
        ways = [
            Way((query, document), special, None, head)
            for query, document, special, head in product(
                prompts, prompts, specials, self._local.heads
            )
        ]
        return _fewest(
            [
                (
                    way,
                    sum(
                        costs[r, p, way.special, way.head]
                        for r, p in zip(_ROLES, way.prompts, strict=True)
                    )
                    / 2,
                )
                for way in ways
            ]
        )

    def _are_cut(self, errors: Errors) -> bool:
        """Whether long texts are explained worse than others, by a model that has a window."""
        kinds = np.array([self._probes[i].kind for i in self._asked])
        if self._local.window is None or not (kinds == LONG).any():
            return False
        others = float(np.median(errors[(kinds == PLAIN) | (kinds == SHORT)]))
        return float(np.median(errors[kinds == LONG])) > max(2 * _NOISE, 4 * others)

    def _by_long_texts(self, way: Way) -> Way:
        """Where a server cuts: the length that explains long texts best, by a few and then between its neighbours."""
        window, positions = self._local.window or 0, self._of_kinds(LONG)[: 2 * _LONG]
        known: dict[int, float] = {}

        def cost(length: int) -> float:
            if length not in known:
                shorter = Way(way.prompts, way.special, length, way.head)
                known[length] = _cost(self._errors_of(shorter, positions)[0])
            return known[length]

        lengths = [one for one in _LENGTHS if one <= self._local.positions] + [window]
        lengths = sorted(set(lengths))
        best = min(lengths, key=cost)
        at = lengths.index(best)
        low, high = lengths[max(0, at - 1)], lengths[min(len(lengths) - 1, at + 1)]
        while cost(best) > _CERTAIN and high - low > 2:
            for middle in ((low + best) // 2, (best + high) // 2):
                cost(middle)
            ordered = sorted(one for one in known if low <= one <= high)
            best = min(ordered, key=cost)
            at = ordered.index(best)
            narrow = ordered[max(0, at - 1)], ordered[min(len(ordered) - 1, at + 1)]
            if narrow == (low, high):
                break
            low, high = narrow
        if best == window or cost(best) > _BETTER * cost(window):
            return way
        return Way(way.prompts, way.special, best, way.head)

    def _unlike(self, errors: Errors, noise: float) -> list[str]:
        """Kinds of texts that what explains the others does not explain."""
        if noise > ANOTHER:
            return []
        unlike = []
        for kind in dict.fromkeys(probe.kind for probe in self._probes):
            positions = self._of_kinds(kind)
            if kind in (PLAIN, SHORT) or not positions:
                continue
            # Each text counts: of a script, a server may know one letter and not the next.
            if float(np.quantile(errors[positions], 0.75)) > max(10 * SAME, 6 * noise):
                unlike.append(kind)
        return unlike


def errors(served: Vectors, made: Vectors) -> Errors:
    """1 - cosine of each row; of vectors with more numbers than were served, the first so many count. Two zeros are alike."""
    if made.shape[1] < served.shape[1]:
        return np.ones(len(served))
    one = served.astype(np.float64)
    other = made[:, : served.shape[1]].astype(np.float64)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    alike = ~one.any(axis=1) & ~other.any(axis=1)
    cosines = (one * other).sum(axis=1) / np.where(lengths > 0, lengths, 1)
    result: Errors = np.where(alike, 0.0, 1 - cosines)
    return result


def _cost(of: Errors) -> float:
    """How badly texts are explained; one that is not at all counts no more than a bad one."""
    return float(np.minimum(of, _MOST).mean())


def _fewest(ways: Sequence[tuple[Way, float]]) -> Way:
    """Of the ways that explain about as well as the best, the one with the fewest faults."""
    best = min(cost for _, cost in ways)
    near = [(way, cost) for way, cost in ways if cost * _BETTER <= best + _NOISE]
    return min(near, key=lambda one: (one[0].faults, one[1]))[0]


def _ends(vectors: Vectors) -> tuple[float, float]:
    lengths: Any = np.linalg.norm(vectors, axis=1)
    seen = lengths[lengths > 0]
    return (float(seen.min()), float(seen.max())) if len(seen) else (0.0, 0.0)
