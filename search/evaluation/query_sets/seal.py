"""What of a project's query sets is sealed: no command and no page reads its judgments until it is opened, once.

A seal names queries by a hash of their text, so it holds for every query set that has them: one that is merged with
judgments, added again, or restored. It holds against mistakes, not against somebody who edits files.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from search.projects.ledger import note, noted
from search.projects.project import Project

_FILE = "seals"


class Opening(BaseModel):
    """For which two columns a seal was opened, by their fingerprints; `evaluation` is empty until that is published.

    >>> Opening(time="2024-05-01T10:00:00", baseline="aa", candidate="bb").done
    False
    """

    model_config = ConfigDict(frozen=True)
    time: str
    baseline: str
    candidate: str
    evaluation: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What it was opened for."""
        return self.baseline, self.candidate

    @property
    def done(self) -> bool:
        """Whether its figures are there for people to see."""
        return bool(self.evaluation)


class Seal(BaseModel):
    """A part of a query set that was sealed: when, the share that was asked for, and the hashes of its queries.

    >>> seal = Seal(time="2024-05-01T10:00:00", queries="q-1", share=0.3, seed=7, groups=1, hashes=(query_hash("Rent?"),))
    >>> seal.closed, query_hash(" rent? ") in seal.hashes
    (True, True)
    """

    model_config = ConfigDict(frozen=True)
    time: str
    queries: str
    share: float
    seed: int
    groups: int
    hashes: tuple[str, ...]
    opening: Opening | None = None

    @property
    def closed(self) -> bool:
        """Whether nobody has seen a figure of it."""
        return self.opening is None or not self.opening.done


def query_hash(text: str) -> str:
    """What names a query by its text, however it is spaced and capitalised."""
    return hashlib.sha256(" ".join(text.casefold().split()).encode()).hexdigest()[:20]


def seals(project: Project) -> list[Seal]:
    """Every seal of a project, the oldest first.

    :raises Failed: where they cannot be read: what is sealed must not pass for open.
    """
    content = noted(project, _FILE)
    return [Seal.model_validate(one) for one in content["seals"]] if content else []


def write_seals(project: Project, known: Sequence[Seal]) -> None:
    """Write the seals of a project anew. The project's lock is held."""
    note(project, _FILE, {"seals": [one.model_dump(mode="json") for one in known]})


def sealed_hashes(project: Project) -> frozenset[str]:
    """The hashes of all queries that nobody may look at yet."""
    return frozenset(name for one in seals(project) if one.closed for name in one.hashes)


def without(queries: Mapping[str, str], hashes: frozenset[str]) -> list[str]:
    """The ids of the queries that are not among `hashes`, in order."""
    return [q for q, text in queries.items() if not hashes or query_hash(text) not in hashes]


def seal_state(project: Project) -> str:
    """Names what is sealed now: what was read of a query set under another state is to be read again."""
    names: Any = sorted(sealed_hashes(project))
    return hashlib.sha256("".join(names).encode()).hexdigest()[:16] if names else ""
