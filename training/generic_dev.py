"""The generic model on the dev queries: what a model that did not start from it is held against."""

from search.models.encoding.texts import encode_texts
from search.models.load import load_encoder
from search.models.registry import generic_info
from search.projects.progress import Progress, Stage
from search.projects.project import Project
from training.dev_set import DevSet


def generic_dev(project: Project, dev: DevSet, progress: Progress) -> float | None:
    """nDCG@10 of the project's generic model on the dev queries; None where a server would be paid for it."""
    info = generic_info(project)
    if info.format == "endpoint":
        return None
    generic = load_encoder(project, info)
    documents = encode_texts(
        generic, info, dev.texts, "document", Stage(progress, 0.0, 0.9), "documents with generic"
    )
    queries = encode_texts(
        generic, info, dev.queries, "query", Stage(progress, 0.9, 1.0), "queries with generic"
    )
    return dev.ndcg_of_vectors(queries, documents)
