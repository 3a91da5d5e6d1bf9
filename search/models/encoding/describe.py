"""What is told of how a model's vectors came about, from its newest index that had something to encode."""

from search.models.registry import ModelInfo
from search.projects.project import Project


def how_encoded(project: Project, info: ModelInfo) -> str | None:
    """In a sentence: what computed the vectors, how fast, and why it was chosen; None before the first index."""
    identity, fingerprint = info.indexed_as
    for index in project.all_where("indexes", {"fingerprint": fingerprint}, model=identity):
        facts = index.details.get("encoding", {})
        if info.documents_as is not None:
            return f"It turns queries only: the index of {index.details['model']} serves as it is."
        if facts.get("backend") == "matrix":
            return f"Indexed by one matrix product over its base's vectors, in {facts['seconds']:.1f} s."
        if "backend" in facts:
            why = f": {facts['why']}" if "why" in facts else ""
            return (
                f"Encoded with {facts['backend']}, {facts['passages_a_second']:,.0f} passages a second"
                f"{why}."
            )
    return None
