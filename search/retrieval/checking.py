"""Looking over what all projects share: the embedding store, and what is on servers."""

from collections.abc import Iterator, Sequence
from functools import partial

from search.models.encoding.cache_removal import damaged_segments, sweep_store
from search.models.encoding.cache_segments import set_aside
from search.projects.check import Finding
from search.projects.errors import BespokeError
from search.projects.graves import SERVERS_LEFT
from search.projects.project import Project, all_projects
from search.projects.settings import settings
from search.retrieval import history
from search.retrieval.indexing.servers import (
    left_on_servers,
    sweep_left,
    sweep_servers,
)


def check_history(project: Project) -> Iterator[Finding]:
    """Damaged lines of what was asked in a project."""
    if problem := history.problem_with(project):
        yield Finding(project.folder / history.FILE, problem, left_over=True)


def check_store() -> Iterator[Finding]:
    """Damaged parts of the embedding store."""
    for path, problem in damaged_segments():
        yield Finding(
            path,
            f"Vectors of the embedding store are damaged: {problem}.",
            "they are removed, and computed again when they are needed.",
            partial(set_aside, path),
        )


def check_left_on_servers() -> Iterator[Finding]:
    """Servers that did not answer when an index on them was deleted."""
    for uri in left_on_servers():
        yield Finding(
            settings().home / SERVERS_LEFT,
            f"{uri} did not answer when an index on it was deleted: its vectors may be there still.",
            "they are removed, where it answers now.",
            partial(sweep_left, uri),
            left_over=True,
        )


def check_servers(owners: Sequence[Project]) -> list[str]:
    """Remove what belongs to no index any more from the servers of projects; says which did not answer."""
    said = []
    for project in owners:
        try:
            sweep_servers(project)
        except BespokeError as error:
            said.append(f"{project.name}: {error}")
    return said


def remove_unneeded() -> str:
    """Remove the vectors that no text of any project needs; says how many."""
    gone, busy = sweep_store(all_projects())
    later = f" {busy} files are being written: run it again later." if busy else ""
    return f"{gone:,} vectors that no project needs are gone from the embedding store.{later}"
