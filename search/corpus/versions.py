"""Versions of a corpus: what changed from one to the next, and getting rid of one."""

import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from search.corpus.corpus import Corpus
from search.projects.artifacts import Manifest, read_manifest
from search.projects.damage import notice
from search.projects.errors import Damaged, Refused
from search.projects.project import Project

_LISTED = 1_000


@dataclass(frozen=True)
class Difference:
    """What a version of a corpus has that an earlier one had not: counts, and the first thousand ids of each.

    `unchanged_passages` of the newer version's `passages` stood in the earlier one word for word, so they need no
    new encoding.
    """

    added: int
    changed: int
    removed: int
    added_ids: list[str]
    changed_ids: list[str]
    removed_ids: list[str]
    passages: int
    unchanged_passages: int

    @property
    def any(self) -> bool:
        """Whether any document is different."""
        return bool(self.added or self.changed or self.removed)


def versions(project: Project) -> list[Manifest]:
    """The versions of a project's corpus that can be read, the oldest first; the last is the current one."""
    return project.manifests("corpora")


def _numbered(project: Project) -> list[Path]:
    """The folders of all versions, the oldest first: a damaged one keeps its number."""
    return project.folders("corpora")[::-1]


@dataclass(frozen=True)
class DescribedVersion:
    """A version in words: its number, what it holds, and what it changed from the one before."""

    number: int
    manifest: Manifest
    changes: Difference | None

    @property
    def sentence(self) -> str:
        """One line for a terminal or a caption."""
        details = self.manifest.details
        start = f"{self.number}. {self.manifest.created[:16].replace('T', ' ')}: "
        held = f"{details['documents']:,} documents in {details['passages']:,} passages"
        if self.changes is None:
            return start + held
        made = self.changes
        return (
            f"{start}{held}; {made.added:,} added, {made.changed:,} changed, {made.removed:,} removed; "
            f"{made.unchanged_passages:,} passages unchanged"
        )

    def as_json(self) -> dict[str, Any]:
        """The version as `versions --json` prints it."""
        changes = asdict(self.changes) if self.changes else None
        if changes is not None:
            changes["kept_passages"] = changes.pop("unchanged_passages")
        return {
            "number": self.number,
            "id": self.manifest.id,
            "created": self.manifest.created,
            "documents": self.manifest.details["documents"],
            "passages": self.manifest.details["passages"],
            "changes": changes,
        }


def describe_versions(project: Project, number: int | None = None) -> list[DescribedVersion]:
    """The versions of a corpus in words, the oldest first; only one where a number (from 1) is given.

    :raises Refused: when there is no such version.
    """
    if number is not None:
        return [_described(project, number)]
    told = []
    for at in range(1, len(_numbered(project)) + 1):
        try:
            told.append(_described(project, at))
        except Damaged as damaged:
            notice(damaged)
    return told


def _described(project: Project, number: int) -> DescribedVersion:
    manifest = version(project, number)
    corpus = Corpus.of(project, manifest)
    changes = None
    if number > 1:
        try:
            changes = difference(Corpus.of(project, version(project, number - 1)), corpus)
        except Damaged as damaged:
            notice(damaged)
    return DescribedVersion(number, manifest, changes)


def version(project: Project, number: int) -> Manifest:
    """A version by its number, from 1.

    :raises Refused: when there is no such version.
    :raises Damaged: when it cannot be read.
    """
    known = _numbered(project)
    if not 1 <= number <= len(known):
        raise Refused(
            f"The corpus of {project.name!r} has {len(known)} versions; there is no number {number}."
        )
    return read_manifest(known[number - 1])


def difference(older: Corpus, newer: Corpus) -> Difference:
    """What changed from one version of a corpus to another."""
    try:
        return _difference(older, newer)
    except (
        sqlite3.DatabaseError
    ) as error:  # Both were checked when they were opened, and one changed since.
        raise Damaged(f"{newer.path} cannot be read: {error}.", newer.path.parent) from None


def _difference(older: Corpus, newer: Corpus) -> Difference:
    with closing(sqlite3.connect(f"{newer.path.as_uri()}?mode=ro&immutable=1", uri=True)) as made:
        made.execute("ATTACH ? AS old", (f"{older.path.as_uri()}?mode=ro&immutable=1",))

        def rows(question: str) -> tuple[int, list[str]]:
            count = int(made.execute(f"SELECT count(*) {question}").fetchone()[0])
            found = made.execute(f"SELECT n.id {question} ORDER BY n.position LIMIT {_LISTED}")
            return count, [row[0] for row in found]

        added, added_ids = rows(
            "FROM main.documents n WHERE n.id NOT IN (SELECT id FROM old.documents)"
        )
        removed, removed_ids = rows(
            "FROM old.documents n WHERE n.id NOT IN (SELECT id FROM main.documents)"
        )
        changed, changed_ids = rows(
            "FROM main.documents n JOIN old.documents o ON o.id = n.id WHERE n.title != o.title "
            "OR n.text != o.text OR n.metadata != o.metadata"
        )
        kept = made.execute(
            "SELECT count(*) FROM main.passages WHERE embedded_key IN "
            "(SELECT embedded_key FROM old.passages)"
        ).fetchone()[0]
    return Difference(
        added, changed, removed, added_ids, changed_ids, removed_ids, newer.passages, int(kept)
    )
