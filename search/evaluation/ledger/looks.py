"""How often a query set was looked at: one line a candidate, with the p-value it got first.

Whoever measures one candidate after the other on the same queries finds one that wins by chance in the end. What was
measured before is counted with what is measured now (`search.evaluation.statistics.family`), so it is noted in a file
of the query set that outlives evaluations, models and the query set itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.query_sets.seal import query_hash
from search.projects.artifacts import Manifest
from search.projects.ledger import note, noted, notes
from search.projects.project import Project

_FILE = "looks-"
_SHARED = 0.5
"""A query set that shares this part of its queries with another was looked at when that was."""


class Look(BaseModel):
    """One candidate that was measured against a baseline for the first time.

    `baseline` and `candidate` are fingerprints, whatever the columns are called (`column_identity`); `names` are what
    both were called then, `p_value` is the unadjusted one on the main metric.

    >>> look = Look(time="2024-05-01T10:00:00", baseline="aa", candidate="bb", names=("generic", "mine"), p_value=0.03)
    >>> look.key
    ('aa', 'bb')
    """

    model_config = ConfigDict(frozen=True)
    time: str
    baseline: str
    candidate: str
    names: tuple[str, str]
    p_value: float
    evaluation: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What was measured against what."""
        return self.baseline, self.candidate


@dataclass(frozen=True)
class Looks:
    """What was measured on a query set, and on others that share half of its queries; the oldest first.

    >>> look = Look(time="2024-05-01T10:00:00", baseline="aa", candidate="bb", names=("generic", "mine"), p_value=0.03)
    >>> looks = Looks((look,), "q-1", ())
    >>> looks.earlier("aa"), looks.earlier("cc")
    ({'bb': 0.03}, {})
    """

    all: tuple[Look, ...]
    queries: str
    hashes: tuple[str, ...]

    @classmethod
    def open(cls, project: Project, manifest: Manifest) -> "Looks":
        """What was noted of a query set; of a new one, what was noted of those that it shares half of its queries with.

        :raises Failed: where it cannot be read.
        """
        own = noted(project, _FILE + manifest.id)
        # All of its queries, sealed or not: what names a query says nothing of its answers.
        whole = own["hashes"] if own else _hashes(QuerySet.with_sealed(project, manifest))
        hashes, found = set(whole), list(own["looks"] if own else ())
        for name in notes(project, _FILE):
            other = noted(project, name) if name != _FILE + manifest.id else None
            if other and len(hashes.intersection(other["hashes"])) >= _SHARED * len(hashes):
                found += other["looks"]
        looks = sorted((Look.model_validate(one) for one in found), key=lambda look: look.time)
        first: dict[tuple[str, str], Look] = {}
        for look in looks:
            first.setdefault(look.key, look)
        return cls(tuple(first.values()), manifest.id, tuple(whole))

    def earlier(self, baseline: str) -> dict[str, float]:
        """The candidates that were measured against a baseline, by fingerprint, with the p-value that each got first."""
        return {look.candidate: look.p_value for look in self.all if look.baseline == baseline}

    def since(self, time: str) -> list[Look]:
        """What was measured for the first time after a moment (as manifests write it)."""
        return [look for look in self.all if look.time > time]

    def record(self, project: Project, made: Iterable[Look]) -> None:
        """Note what was measured for the first time; what is known stays as it was first."""
        with project.locked():
            now = _merged(self, noted(project, _FILE + self.queries))
            known = {look.key for look in now}
            new = [look for look in made if look.key not in known]
            if new:
                lines = [look.model_dump(mode="json") for look in [*now, *new]]
                content = {"queries": self.queries, "hashes": list(self.hashes), "looks": lines}
                note(project, _FILE + self.queries, content)


def _merged(looks: Looks, content: dict[str, Any] | None) -> list[Look]:
    """What was read, with what somebody else noted meanwhile."""
    found = {look.key: look for look in looks.all}
    for one in content["looks"] if content else ():
        look = Look.model_validate(one)
        found.setdefault(look.key, look)
    return sorted(found.values(), key=lambda look: look.time)


def _hashes(query_set: QuerySet) -> list[str]:
    return sorted({query_hash(text) for text in query_set.queries.values()})
