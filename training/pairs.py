"""Query/response pairs of a project: stored, and split without leaks."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from search.duplicates import Groups, NearDuplicates
from search.errors import Refused
from search.query_sets import QuerySet
from search.readers.pairs import Pair
from search.settings import LIMITS
from search.workspace import Draft, Manifest, Project

_PAIRS = "pairs.jsonl"
_DEV = "dev.json"
TEST_SHARE = 0.2
DEV_SHARE = 0.1
DEV_QUERIES = 300
_MIN_GROUPS = 4


@dataclass(frozen=True)
class PairSet:
    """Pairs to train on, and dev queries (never trained on) by which a training run steers."""

    pairs: list[Pair]
    dev: QuerySet

    def save(self, draft: Draft) -> None:
        """Write the pairs into an artifact."""
        with (draft.folder / _PAIRS).open("w", encoding="utf-8") as stream:
            for pair in self.pairs:
                stream.write(json.dumps(asdict(pair), ensure_ascii=False) + "\n")
        dev = {"queries": dict(self.dev.queries), "judgments": self.dev.judgments}
        (draft.folder / _DEV).write_text(json.dumps(dev, ensure_ascii=False), encoding="utf-8")
        draft.details.update(pairs=len(self.pairs), dev_queries=len(self.dev.queries))

    @classmethod
    def load(cls, project: Project, manifest: Manifest) -> "PairSet":
        """Read a pairs artifact, checked to be whole."""
        folder = project.checked(manifest)
        with (folder / _PAIRS).open(encoding="utf-8") as stream:
            pairs = [Pair(**json.loads(line)) for line in stream]
        dev = json.loads((folder / _DEV).read_text(encoding="utf-8"))
        return cls(pairs, QuerySet(dev["queries"], dev["judgments"]))


@dataclass(frozen=True)
class Split:
    """Pairs parted into training, dev and test, with no near-duplicate on two sides."""

    train: list[Pair]
    dev: QuerySet
    test: QuerySet

    @property
    def digest(self) -> str:
        """A hash of who is where, to tell whether two splits are the same."""
        parts = [[pair.query for pair in self.train], sorted(self.dev.queries)]
        parts.append(sorted(self.test.queries))
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def current_pairs(project: Project) -> tuple[Manifest, PairSet]:
    """The newest pairs of a project.

    :raises Refused: when there are none yet.
    """
    manifest = project.newest("pairs")
    if manifest is None:
        raise Refused(
            f"The project {project.name!r} has no query/response pairs, and this recipe learns from "
            f"pairs. Add some: python cli.py pairs {project.name} FILE."
        )
    return manifest, PairSet.load(project, manifest)


def split_pairs(pairs: Sequence[Pair], hold_test: bool, seed: int = 42) -> Split:
    """Part pairs into training, dev and, if wanted, test.

    Pairs that share a query or a response, or whose queries or responses are near-duplicates, form one
    group, and a group is never parted. A fifth goes to test, a tenth (at most 300) to dev. Only pairs
    that point to a document can be held out.

    :raises Refused: when there are too few pairs, or too few independent groups of them.
    """
    if len(pairs) < LIMITS.min_pairs:
        raise Refused(
            f"{len(pairs)} pairs are too few to train on and to prove anything with: at least "
            f"{LIMITS.min_pairs} are needed, a few hundred are a good start."
        )
    groups = _groups(pairs)
    if len(groups) < _MIN_GROUPS:
        raise Refused(
            f"The {len(pairs)} pairs form only {len(groups)} independent groups (pairs with the same "
            f"or nearly the same query or response belong together): at least {_MIN_GROUPS} are "
            "needed, so that some can be held out for the proof."
        )
    order = sorted(groups, key=lambda group: _shuffled(pairs[group[0]], seed))
    # The largest group always trains: held out, it would be the whole test.
    order.remove(largest := max(order, key=len))
    test_size = max(2, round(len(pairs) * TEST_SHARE)) if hold_test else 0
    dev_size = max(1, min(round(len(pairs) * DEV_SHARE), DEV_QUERIES))
    test, order = _take(pairs, order, test_size)
    dev, order = _take(pairs, order, dev_size)
    train = sorted(place for group in [largest, *order] for place in group)
    return Split(
        train=[pairs[place] for place in train],
        dev=as_query_set([pairs[place] for place in dev]),
        test=as_query_set([pairs[place] for place in test]),
    )


def as_query_set(pairs: Sequence[Pair]) -> QuerySet:
    """Pairs that point to documents as queries with judgments; equal queries become one."""
    queries: dict[str, str] = {}
    judgments: dict[str, dict[str, int]] = {}
    for pair in pairs:
        if pair.document is not None:
            key = "q-" + hashlib.sha256(pair.query.encode()).hexdigest()[:12]
            queries[key] = pair.query
            judgments.setdefault(key, {})[pair.document] = 1
    return QuerySet(queries, judgments)


def _groups(pairs: Sequence[Pair]) -> list[list[int]]:
    """Places of pairs that belong together, by equal or near-equal queries and responses."""
    groups = Groups(len(pairs))
    for texts in ([p.query for p in pairs], [p.response for p in pairs]):
        distinct = list(dict.fromkeys(texts))
        near = NearDuplicates(distinct)
        first: dict[str, int] = {}
        for place, text in enumerate(texts):
            groups.join(first.setdefault(text, place), place)
        for text in distinct:
            for other in near.of(text):
                groups.join(first[text], first[distinct[other]])
    by_document: dict[str, int] = {}
    for place, pair in enumerate(pairs):
        if pair.document is not None:
            groups.join(by_document.setdefault(pair.document, place), place)
    members: dict[int, list[int]] = {}
    for place in range(len(pairs)):
        members.setdefault(groups.find(place), []).append(place)
    return list(members.values())


def _take(
    pairs: Sequence[Pair], order: list[list[int]], size: int
) -> tuple[list[int], list[list[int]]]:
    """Take whole groups, in order, until `size` pairs are taken; groups too large are passed over.

    Where every group is too large, the smallest is taken: better a small test than none.
    """
    taken: list[int] = []
    left: list[list[int]] = []
    for group in order:
        fits = len(taken) + len(group) <= max(size, 1)
        if size and fits and all(pairs[place].document is not None for place in group):
            taken.extend(group)
        else:
            left.append(group)
    if size and not taken:
        smallest = min(
            (g for g in order if all(pairs[place].document is not None for place in g)),
            key=len,
            default=None,
        )
        if smallest is not None:
            return smallest, [group for group in order if group is not smallest]
    return taken, left


def _shuffled(pair: Pair, seed: int) -> str:
    return hashlib.sha256(f"{seed} {pair.query} {pair.response}".encode()).hexdigest()
