"""Sealing a part of a query set, and opening it once: what is measured there, nobody could have chosen by."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from search.evaluation.ledger.looks import Looks
from search.evaluation.query_sets.leakage import DEV_FILE
from search.evaluation.query_sets.query_set import QuerySet, newest_query_set
from search.evaluation.query_sets.seal import (
    Opening,
    Seal,
    query_hash,
    sealed_hashes,
    seals,
    write_seals,
)
from search.evaluation.rankings.rank_similarity import asked_of_columns
from search.evaluation.statistics.flips import SEED
from search.evaluation.statistics.groups import FEWEST, group_queries
from search.projects.artifacts import Manifest, now
from search.projects.errors import Refused
from search.projects.project import Project
from search.retrieval.history import recent


@dataclass(frozen=True)
class Sealed:
    """What was sealed of a query set: queries, groups, and how many of all queries nothing had used before.

    >>> Sealed(30, 25, unused=80, queries=100).sentence[:47]
    '30 of 100 test queries, in 25 groups, are seale'
    """

    sealed: int
    groups: int
    unused: int
    queries: int

    @property
    def sentence(self) -> str:
        """In plain words what holds from now on."""
        used = self.queries - self.unused
        before = (
            f" {used:,} were used by an evaluation, a dev set, a board or a page before, and stay open."
            if used
            else ""
        )
        return (
            f"{self.sealed:,} of {self.queries:,} test queries, in {self.groups:,} groups, are sealed: no command and no "
            f"page reads their judgments until you open them, once, for one model.{before} This holds against mistakes, "
            "not against somebody who edits files."
        )


def seal_queries(
    project: Project, share: float, asked_before: Collection[str], seed: int = SEED
) -> Sealed:
    """Seal whole groups of the newest query set, drawn among those that nothing has used yet.

    :param share: the part of all its queries to seal, above 0 and below 1.
    :param asked_before: texts of questions that people judged, which this package knows nothing of.
    :param seed: of the draw.
    :raises Refused: for a share that is none, where a part is sealed already, and where too few groups are unused.
    """
    if not 0 < share < 1:
        raise Refused(f"The share to seal is {share:g}; it must lie between 0 and 1, such as 0.3.")
    with project.locked():
        manifest = newest_query_set(project)
        whole = QuerySet.with_sealed(project, manifest)
        known = seals(project)
        closed = sealed_hashes(project)
        if already := sum(query_hash(text) in closed for text in whole.queries.values()):
            raise Refused(
                f"{already:,} of the {len(whole.queries):,} test queries are sealed already. Open them first: "
                f"python cli.py evaluate {project.name} --open-seal --model MODEL."
            )
        used = set(map(query_hash, _used(project, manifest, asked_before)))
        unused = {q for q, text in whole.queries.items() if query_hash(text) not in used}
        chosen, groups = _drawn(whole, unused, round(share * len(whole.queries)), seed)
        if groups < FEWEST:
            raise Refused(
                f"Only {len(unused):,} of the {len(whole.queries):,} test queries were never used by an evaluation, a dev "
                f"set, a board or a page, and {groups:,} groups of them could be sealed: a verdict needs "
                f"{FEWEST}. Seal before measuring, or add queries."
            )
        hashes = tuple(sorted({query_hash(whole.queries[q]) for q in chosen}))
        made = Seal(
            time=now(), queries=manifest.id, share=share, seed=seed, groups=groups, hashes=hashes
        )
        write_seals(project, [*known, made])
    return Sealed(len(chosen), groups, len(unused), len(whole.queries))


@dataclass(frozen=True)
class Manner:
    """How an evaluation is made: against how many baselines, on which part of the query set, and whether it decides.

    `open_seal` measures on the sealed part, and opens it. `watching` is for a nightly job that only watches what was
    decided before: it is no look.

    >>> Manner().open_seal
    False
    """

    baselines: int = 1
    open_seal: bool = False
    watching: bool = False


def asked_queries(
    project: Project, how: Manner, columns: int
) -> tuple[Manifest, QuerySet, Seal | None]:
    """The queries that an evaluation asks: all that is not sealed, or what is.

    :param columns: how many there are.
    :returns: the manifest of the query set, the queries, and the seal that is to be opened.
    :raises Refused: where there is no query set; and to open a seal, unless there is one, and two columns.
    """
    manifest = newest_query_set(project)
    if not how.open_seal:
        return manifest, QuerySet.load(project, manifest), None
    if columns != 2:
        raise Refused(
            "A seal is opened for one candidate and one baseline: name one model, or the baseline and the model."
        )
    seal, part = closed_seal(project, QuerySet.with_sealed(project, manifest))
    return manifest, part, seal


def looks_before(project: Project, manifest: Manifest, seal: Seal | None) -> Looks:
    """What counts beside an evaluation's own candidates: nothing was ever looked at on a sealed part."""
    looks = Looks.open(project, manifest)
    return looks if seal is None else replace(looks, all=())


def seal_notes(project: Project, manifest: Manifest, asked: QuerySet) -> list[str]:
    """What an evaluation says of seals: how many queries are sealed, and since when others are not.

    :param asked: what it asks.
    """
    notes = []
    names = {query_hash(text) for text in asked.queries.values()}
    for seal in seals(project):
        if seal.closed and (there := sealed_in(project, manifest, seal)):
            if names.isdisjoint(seal.hashes):
                notes.append(
                    f"{there:,} test queries are sealed since {seal.time[:10]}, and were not asked"
                )
            else:
                notes.append(
                    f"these {len(names):,} queries were sealed on {seal.time[:10]} and are asked for the first time: one "
                    "candidate against one baseline. It holds against mistakes, not against somebody who edits files"
                )
        elif not seal.closed and seal.opening and (there := len(names.intersection(seal.hashes))):
            notes.append(
                f"{there:,} of the queries were sealed until {seal.opening.time[:10]}, and are ordinary ones since"
            )
    return notes


def sealed_in(project: Project, manifest: Manifest, seal: Seal) -> int:
    """How many queries of a query set a seal holds."""
    whole = QuerySet.with_sealed(project, manifest)
    return sum(query_hash(text) in seal.hashes for text in whole.queries.values())


def closed_seal(project: Project, query_set: QuerySet) -> tuple[Seal, QuerySet]:
    """The seal of a query set that was not opened yet, and its queries.

    :param query_set: with what is sealed.
    :raises Refused: where nothing is sealed, saying since when that is so.
    """
    for seal in seals(project):
        part = [q for q, text in query_set.queries.items() if query_hash(text) in seal.hashes]
        if seal.closed and part:
            return seal, query_set.only(part)
    opened = [seal.opening.time for seal in seals(project) if seal.opening]
    since = f" It was opened on {opened[-1][:10]}, and a seal is opened once." if opened else ""
    raise Refused(
        f"No part of the query set of {project.name!r} is sealed.{since} Seal one before anything is measured: "
        f"python cli.py queries {project.name} --seal 0.3."
    )


def begin_opening(project: Project, seal: Seal, identities: Sequence[str]) -> str:
    """Note for which two columns a seal is opened, before anybody sees a figure.

    Whoever was interrupted may do the same again: what is measured then is the same.

    :param identities: the fingerprints of the baseline and of the candidate (`column_identity`).
    :returns: when it was opened.
    :raises Refused: where it was begun for others.
    """
    baseline, candidate = identities
    opening = Opening(time=now(), baseline=baseline, candidate=candidate)
    with project.locked():
        begun = _now(project, seal).opening
        if begun is not None and (begun.done or begun.key != (baseline, candidate)):
            raise Refused(
                "This seal was opened for another model or baseline. It is opened once, for one candidate and one baseline."
            )
        _replace(project, seal, opening)
    return opening.time


def end_opening(project: Project, seal: Seal, evaluation: str) -> None:
    """Note that a seal's figures are there for people to see: from now on it is an ordinary part of the set."""
    with project.locked():
        begun = _now(project, seal).opening
        assert begun is not None
        _replace(project, seal, begun.model_copy(update={"evaluation": evaluation}))


def _now(project: Project, seal: Seal) -> Seal:
    return next(one for one in seals(project) if one.hashes == seal.hashes)


def _replace(project: Project, seal: Seal, opening: Opening) -> None:
    known = seals(project)
    write_seals(
        project,
        [
            one.model_copy(update={"opening": opening}) if one.hashes == seal.hashes else one
            for one in known
        ],
    )


def _drawn(whole: QuerySet, unused: set[str], wanted: int, seed: int) -> tuple[list[str], int]:
    """Queries of whole groups that are unused throughout, and how many groups that is; one that is too large is passed over."""
    labels = group_queries(whole).labels
    members: dict[int, list[str]] = {}
    for label, query in zip(labels.tolist(), sorted(whole.queries), strict=True):
        members.setdefault(label, []).append(query)
    free = [group for group in members.values() if unused.issuperset(group)]
    chosen: list[str] = []
    groups = 0
    for place in np.random.default_rng(seed).permutation(len(free)):
        if len(chosen) + len(free[place]) <= wanted:
            chosen += free[place]
            groups += 1
    return chosen, groups


def _used(project: Project, manifest: Manifest, asked_before: Collection[str]) -> Iterator[str]:
    """The texts of all questions that something was measured, steered, judged or shown by."""
    yield from asked_before
    yield from recent(project, 10**6)
    yield from asked_of_columns(project)
    for made in project.manifests("evaluations"):
        yield from json.loads((project.folder_of(made) / "per_query.json").read_text())["texts"]
    for pairs in project.manifests("pairs"):
        dev = json.loads((project.folder_of(pairs) / DEV_FILE).read_text(encoding="utf-8"))
        yield from dev["queries"].values()
    whole = QuerySet.with_sealed(project, manifest)
    for drawn in project.all_where("maps", queries=manifest.id):
        shown = json.loads((project.folder_of(drawn) / "queries.json").read_text(encoding="utf-8"))
        yield from (whole.queries[q] for q in shown if q in whole.queries)
    leaks = manifest.details.get("leaks", {})
    for identity, *_ in leaks.get("query_examples", ()):
        yield whole.queries.get(identity, "")
