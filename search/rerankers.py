"""The rerankers of a project: cross-encoders that read a question and a passage together."""

from dataclasses import dataclass

from search.errors import Refused
from search.workspace import Manifest, Project


@dataclass(frozen=True)
class RerankerInfo:
    """What is known of a reranker without loading it.

    `reference` is a folder or hub id; `depth` is how many documents of a column it reads again.
    """

    name: str
    id: str
    reference: str
    depth: int
    fingerprint: str
    created: str


def rerankers(project: Project) -> list[RerankerInfo]:
    """The rerankers of a project, oldest first."""
    return [_info(manifest) for manifest in project.manifests("rerankers")]


def find_reranker(project: Project, name: str) -> RerankerInfo:
    """The reranker of that name.

    :raises Refused: when there is none, naming those that there are.
    """
    known = rerankers(project)
    for info in reversed(known):
        if info.name == name:
            return info
    names = ", ".join(info.name for info in known) or "none"
    raise Refused(
        f"There is no reranker {name!r} in {project.name!r}. Its rerankers are: {names}. Add one: "
        f"python cli.py add-reranker {project.name} REFERENCE --name {name}."
    )


def _info(manifest: Manifest) -> RerankerInfo:
    details = manifest.details
    return RerankerInfo(
        name=details["name"],
        id=manifest.id,
        reference=details["reference"],
        depth=details["depth"],
        fingerprint=details["fingerprint"],
        created=manifest.created,
    )
