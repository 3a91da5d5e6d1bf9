"""Whether judges agree more than chance would make them: Cohen's and Fleiss' kappa, in figures and in words.

Cohen 1960 for two judges; Cohen 1968 with weights, where grades are nearer to each other or farther apart;
Fleiss 1971 for more, in the form for items that not everybody rated (Fleiss, Levin and Paik 2003, 18.3). The
words are those of Landis and Koch 1977, a convention and no law.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

Weights = Literal["none", "linear", "quadratic"]
Method = Literal["cohen", "weighted cohen", "fleiss", "mean weighted cohen"]
Ratings = Mapping[str, Mapping[Hashable, str]]
"""Judge to item to what the judge said of it."""

_WORDS = (
    (0.0, "no better than chance"),
    (0.20, "slight"),
    (0.40, "fair"),
    (0.60, "moderate"),
    (0.80, "substantial"),
    (1.0, "almost perfect"),
)
FEW = 10
"""Below so many common items a kappa is mostly noise."""


@dataclass(frozen=True)
class InterRaterAgreement:
    """How far judges agree on what more than one of them rated.

    `kappa` is None where it says nothing: no common items, or everybody always said the same one thing.
    `same` is the share of pairs of ratings that are equal.
    """

    method: Method
    judges: tuple[str, ...]
    items: int
    same: float
    kappa: float | None

    @property
    def words(self) -> str:
        """How good that is, in a word or two."""
        if self.kappa is None:
            return "cannot be told from chance yet"
        return next(word for most, word in _WORDS if self.kappa <= most + 1e-12)

    def sentence(self, what: str = "question") -> str:
        """The agreement in a plain sentence, for people who never heard of kappa.

        :param what: what was rated, in the singular.
        """
        if not self.items:
            return f"No {what} was judged by two people yet, so nothing can be said of agreement."
        who = " and ".join(self.judges) if len(self.judges) == 2 else f"{len(self.judges)} judges"
        common = f"the one {what}" if self.items == 1 else f"the {self.items} {what}s"
        said = f"{who} said the same in {self.same:.0%} of cases, on {common} that they share"
        if self.kappa is None:
            return f"{said}; with answers that are always the same, chance would do as well."
        name = "Fleiss' kappa" if "cohen" not in self.method else "Cohen's kappa"
        if "weighted" in self.method:
            name = "weighted kappa"
        few = f" Fewer than {FEW} are too few to lean on." if self.items < FEW else ""
        word = "no better than chance" if self.kappa <= 0 else f"{self.words} agreement"
        return f"{said}: {word} ({name} {self.kappa:.2f}; 1 is perfect, 0 is chance).{few}"


def cohen_kappa(
    ours: Sequence[str],
    theirs: Sequence[str],
    weights: Weights = "none",
    levels: Sequence[str] = (),
) -> float | None:
    """Cohen's kappa of two judges who rated the same items.

    :param weights: how much a near miss counts; by the distance of two ratings in `levels`, or its square.
    :param levels: all ratings in order, for weights; without, those that occur, sorted.
    :returns: None where chance alone would agree always.
    """
    order = {level: place for place, level in enumerate(levels or sorted({*ours, *theirs}))}
    count = len(ours)
    if not count or len(theirs) != count:
        return None

    def apart(one: str, other: str) -> int:
        distance = abs(order[one] - order[other])
        return {"none": min(distance, 1), "linear": distance, "quadratic": distance**2}[weights]

    seen = sum(apart(a, b) for a, b in zip(ours, theirs, strict=True)) / count
    left, right = Counter(ours), Counter(theirs)
    chance = sum(apart(a, b) * left[a] * right[b] for a in left for b in right) / count**2
    return None if chance == 0 else 1 - seen / chance


def fleiss_kappa(items: Sequence[Sequence[str]]) -> float | None:
    """Fleiss' kappa of items with two ratings or more each, not necessarily by the same judges.

    :returns: None where chance alone would agree always.
    """
    rated = [Counter(ratings) for ratings in items if len(ratings) > 1]
    total = sum(map(Counter.total, rated))
    if not total:
        return None
    alike = [
        sum(n * (n - 1) for n in found.values()) / (found.total() * (found.total() - 1))
        for found in rated
    ]
    shares = [n / total for n in sum(rated, Counter()).values()]
    chance = sum(share**2 for share in shares)
    return None if chance > 1 - 1e-12 else (sum(alike) / len(alike) - chance) / (1 - chance)


def inter_rater_agreement(ratings: Ratings, levels: Sequence[str] = ()) -> InterRaterAgreement:
    """The agreement of all judges with something in common.

    Two judges: Cohen's kappa. More: Fleiss' kappa; of grades, which Fleiss does not weigh, the mean weighted
    kappa of all pairs of judges (Light 1971), each pair by the number of its items.

    :param levels: the grades in order, where near misses count as such (linear weights); none for votes.
    """
    given: dict[Hashable, list[tuple[str, str]]] = {}
    for judge, said in ratings.items():
        for item, value in said.items():
            given.setdefault(item, []).append((judge, value))
    shared = {item: said for item, said in given.items() if len(said) > 1}
    judges = tuple(
        judge for judge in ratings if any(judge == j for s in shared.values() for j, _ in s)
    )
    pairs = [(a, b) for said in shared.values() for (_, a), (_, b) in combinations(said, 2)]
    same = sum(a == b for a, b in pairs) / len(pairs) if pairs else 0.0
    if len(judges) > 2 and not levels:
        kappa = fleiss_kappa([[value for _, value in said] for said in shared.values()])
        return InterRaterAgreement("fleiss", judges, len(shared), same, kappa)
    weighed = [found for pair in combinations(judges, 2) if (found := _two(ratings, pair, levels))]
    known = [(count, kappa) for count, kappa in weighed if kappa is not None]
    total = sum(count for count, _ in known)
    mean = sum(count * kappa for count, kappa in known) / total if total else None
    method: Method = "weighted cohen" if levels else "cohen"
    if len(judges) > 2:
        method = "mean weighted cohen"
    return InterRaterAgreement(method, judges, len(shared), same, mean)


def _two(
    ratings: Ratings, pair: tuple[str, str], levels: Sequence[str]
) -> tuple[int, float | None] | None:
    """How many items two judges share, and their kappa."""
    ours, theirs = ratings[pair[0]], ratings[pair[1]]
    common = [item for item in ours if item in theirs]
    if not common:
        return None
    weights: Weights = "linear" if levels else "none"
    kappa = cohen_kappa([ours[i] for i in common], [theirs[i] for i in common], weights, levels)
    return len(common), kappa
