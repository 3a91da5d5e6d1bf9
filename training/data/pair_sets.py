"""Query/response pairs of a project: stored, and split without leaks."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from search.corpus.labels import Pair
from search.corpus.readers.pairs import load_pairs
from search.evaluation.query_sets.dev_queries import (
    GRADES_FILE,
    Grades,
    as_query_set,
    dev_queries,
    grades_of,
)
from search.evaluation.query_sets.leakage import DEV_FILE, PAIRS_FILE, Texts
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.query_sets.questions import (
    NEW_DOCUMENTS,
    NEW_QUESTIONS,
    QUESTION,
    Question,
    question_of,
)
from search.projects.artifacts import Draft, Manifest
from search.projects.errors import Refused
from search.projects.project import Project
from search.projects.settings import LIMITS
from search.text.near_duplicates import Groups, NearDuplicates

SEED = 42
TEST_SHARE = 0.2
DEV_SHARE = 0.1
DEV_QUERIES = 300
ENOUGH_QUERIES, ENOUGH_GROUPS = 50, 30
"""Of a test, so that it says something of new documents."""
MIN_GROUPS = 4


@dataclass(frozen=True)
class PairSet:
    """Pairs to train on, and dev queries (never trained on) by which a training run steers.

    :param grades: of the queries of `pairs`: what a query that is held out of them is measured by.
    :param question: what the dev queries ask.
    """

    pairs: list[Pair]
    dev: QuerySet
    grades: Grades = field(default_factory=dict)
    question: Question = NEW_DOCUMENTS

    @property
    def held_answers(self) -> int:
        """How many answers the dev queries have: the pairs that were held out."""
        return sum(len(self.dev.relevant(query)) for query in self.dev.queries)

    def save(self, draft: Draft) -> None:
        """Write the pairs into an artifact."""
        write_pairs(draft.folder / PAIRS_FILE, self.pairs)
        dev = {"queries": dict(self.dev.queries), "judgments": self.dev.judgments}
        (draft.folder / DEV_FILE).write_text(json.dumps(dev, ensure_ascii=False), encoding="utf-8")
        asked = {pair.query for pair in self.pairs}
        grades = {text: grades for text, grades in self.grades.items() if text in asked}
        if grades:
            told = json.dumps(grades, ensure_ascii=False)
            (draft.folder / GRADES_FILE).write_text(told, encoding="utf-8")
        draft.details.update(
            {QUESTION: self.question}, pairs=len(self.pairs), dev_queries=len(self.dev.queries)
        )

    @classmethod
    def load(cls, project: Project, manifest: Manifest) -> "PairSet":
        """Read a pairs artifact, checked to be whole."""
        pairs = load_pairs(project.checked(manifest) / PAIRS_FILE)
        asks = question_of(manifest.details)
        return cls(pairs, dev_queries(project, manifest), grades_of(project, manifest), asks)


@dataclass(frozen=True)
class Split:
    """Pairs parted into training, dev and test, for the `question` that dev and test ask.

    What `split_pairs` made has no near-duplicate on two sides (of queries; for new documents of answers, too); `uploaded` names the parts ("dev", "test") that
    came as they are, for which nobody can promise that; nor for the lesser answers of a dev query that keeps its grades
    (`training.training_data.load_training_data` leaves out pairs that teach them). `grades` are what a `PairSet` keeps.
    `asks` says in words what the test asks, where whoever made it knows more of it than its queries show.
    """

    train: list[Pair]
    dev: QuerySet
    test: QuerySet
    uploaded: frozenset[str] = frozenset()
    grades: Grades = field(default_factory=dict)
    asks: str = ""
    question: Question = NEW_DOCUMENTS

    @property
    def digest(self) -> str:
        """A hash of who is where, to tell whether two splits are the same."""
        parts = [
            [[pair.query, pair.response, pair.document] for pair in self.train],
            sorted((q, sorted(self.dev.relevant(q))) for q in self.dev.queries),
            sorted((q, sorted(self.test.relevant(q))) for q in self.test.queries),
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def write_pairs(path: Path, pairs: Sequence[Pair]) -> None:
    """Write pairs into a file, one a line, as `search.corpus.readers.pairs.load_pairs` reads them."""
    with path.open("w", encoding="utf-8") as stream:
        for pair in pairs:
            stream.write(json.dumps(asdict(pair), ensure_ascii=False) + "\n")


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


def split_pairs(
    pairs: Sequence[Pair],
    hold_test: bool,
    seed: int = SEED,
    texts: Mapping[str, Texts] | None = None,
    never_held: Collection[Pair] = (),
    test_share: float = TEST_SHARE,
    question: Question = NEW_QUESTIONS,
) -> Split:
    """Part pairs into training, dev and, if wanted, test.

    Pairs whose queries are the same or near-duplicates form one group, and a group is never parted. Where new documents are
    asked for, so do pairs that share a response or a document, or whose responses or documents are near-duplicates. A fifth
    goes to test (or another share), a tenth (at most 300) to dev. Of a test that asks new questions, up to half goes to
    queries whose answers no other pair has, where that gives fifty in thirty groups: they tell of new documents, too. Only
    pairs that point to a document can be held out. Hard negatives do not bind: see `search.evaluation.query_sets.leakage`.

    :param seed: the same pairs and seed, the same split.
    :param texts: the texts of the documents that pairs point to, where they are more than the responses.
    :param never_held: pairs that share something with a test that is there already: they cannot steer either.
    :raises Refused: when there are too few pairs, or too few independent groups of them.
    """
    if len(pairs) < LIMITS.min_pairs:
        raise Refused(
            f"{len(pairs)} pairs are too few to train on and to prove anything with: at least "
            f"{LIMITS.min_pairs} are needed, so add {LIMITS.min_pairs - len(pairs)} more; a few hundred are a good start."
        )
    strict = question == NEW_DOCUMENTS
    groups = _groups(pairs, texts or {}, by_answer=strict)
    if len(groups) < MIN_GROUPS:
        alike = "query or response" if strict else "query"
        raise Refused(
            f"The {len(pairs)} pairs form only {len(groups)} independent groups (pairs with the same "
            f"or nearly the same {alike} belong together): at least {MIN_GROUPS} are "
            "needed, so that some can be held out for the proof."
        )
    test_size = max(2, round(len(pairs) * test_share)) if hold_test else 0
    dev_size = max(1, min(round(len(pairs) * DEV_SHARE), DEV_QUERIES))
    barred = set(never_held)
    free = [pair.document is not None and pair not in barred for pair in pairs]
    order, largest = _ordered(pairs, groups, seed)
    known: set[int] = set()
    if hold_test and not strict and test_size // 2 >= ENOUGH_QUERIES:
        known = _new_documents(pairs, texts or {}, free, seed, test_size // 2)
        # Their groups by answer hold whole groups by query.
        order = [group for group in order if group[0] not in known]
        largest = [position for position in largest if position not in known]
    test, order = _take(free, order, test_size - len(known))
    dev, order = _take(free, order, dev_size)
    train = sorted(position for group in [largest, *order] for position in group)
    return Split(
        train=[pairs[position] for position in train],
        dev=as_query_set([pairs[position] for position in dev]),
        test=as_query_set([pairs[position] for position in sorted(known) + test]),
        question=question,
    )


def _ordered(
    pairs: Sequence[Pair], groups: Sequence[list[int]], seed: int
) -> tuple[list[list[int]], list[int]]:
    """Groups as the seed shuffles them, without the largest, which always trains: held out, it would be the whole test."""
    order = sorted(groups, key=lambda group: _shuffled(pairs[group[0]], seed))
    order.remove(largest := max(order, key=len))
    return order, largest


def _new_documents(
    pairs: Sequence[Pair],
    texts: Mapping[str, Texts],
    free: Sequence[bool],
    seed: int,
    most: int,
) -> set[int]:
    """Pairs that share no answer with any other: of fifty queries in thirty groups; none where `most` pairs have not so many."""
    taken: list[int] = []
    groups = 0
    for group in _ordered(pairs, _groups(pairs, texts, by_answer=True), seed)[0]:
        if len(taken) + len(group) > most or not all(free[position] for position in group):
            continue
        taken += group
        groups += 1
        if (
            groups >= ENOUGH_GROUPS
            and len({pairs[position].query for position in taken}) >= ENOUGH_QUERIES
        ):
            return set(taken)
    return set()


def _groups(pairs: Sequence[Pair], texts: Mapping[str, Texts], by_answer: bool) -> list[list[int]]:
    """Places of pairs that belong together, by equal or near-equal queries and, if so wanted, responses and documents."""
    groups = Groups(len(pairs))
    _join(groups, [(pair.query,) for pair in pairs], [() for _ in pairs])
    if by_answer:
        _join_answers(groups, pairs, texts)
    members: dict[int, list[int]] = {}
    for position in range(len(pairs)):
        members.setdefault(groups.find(position), []).append(position)
    return list(members.values())


def _join_answers(groups: Groups, pairs: Sequence[Pair], texts: Mapping[str, Texts]) -> None:
    documents = [texts.get(pair.document or "", Texts(())) for pair in pairs]
    first: dict[str | None, int] = {}
    for position, pair in enumerate(pairs):
        first.setdefault(pair.document, position)
    # Passages are compared with answers, not with each other: a disclaimer that all documents share binds
    # none of them.
    _join(
        groups,
        [(p.response, *known.whole) for p, known in zip(pairs, documents, strict=True)],
        [
            known.passages if at == first[p.document] else ()
            for at, (p, known) in enumerate(zip(pairs, documents, strict=True))
        ],
    )
    for position, pair in enumerate(pairs):
        if pair.document is not None:
            groups.join(first[pair.document], position)


def _join(groups: Groups, said: Sequence[Sequence[str]], parts: Sequence[Sequence[str]]) -> None:
    """Join the places that say the same or nearly, and those that say nearly what is a part of another."""
    first: dict[str, int] = {}
    for position, own in enumerate(said):
        for text in filter(None, own):
            groups.join(first.setdefault(text, position), position)
    known = list(first.items())
    known += dict.fromkeys((text, position) for position, own in enumerate(parts) for text in own)
    near = NearDuplicates([text for text, _ in known])
    for text, position in first.items():
        for other in near.of(text):
            groups.join(position, known[other][1])


def _take(
    free: Sequence[bool], order: list[list[int]], size: int
) -> tuple[list[int], list[list[int]]]:
    """Take whole groups, in order, until `size` pairs are taken; groups too large are passed over.

    Where every group is too large, the smallest is taken: better a small test than none.
    """
    taken: list[int] = []
    left: list[list[int]] = []
    for group in order:
        fits = len(taken) + len(group) <= max(size, 1)
        if size and fits and all(free[position] for position in group):
            taken.extend(group)
        else:
            left.append(group)
    usable = [group for group in order if all(free[position] for position in group)]
    if size and not taken and usable:
        smallest = min(usable, key=len)
        return smallest, [group for group in order if group is not smallest]
    return taken, left


def _shuffled(pair: Pair, seed: int) -> str:
    return hashlib.sha256(f"{seed} {pair.query} {pair.response}".encode()).hexdigest()
