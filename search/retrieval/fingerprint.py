"""What a column's rankings depend on, as one short hash: equal hashes, equal rankings."""

import hashlib
import json

from search.models.cross_encoders import find_reranker
from search.models.registry import find_model
from search.projects.artifacts import Manifest
from search.projects.project import Project
from search.retrieval import fusion, sparse
from search.retrieval.columns import SearchColumn
from search.retrieval.fitted import fusion_depends_on


def column_fingerprint(project: Project, column: SearchColumn, corpus: Manifest) -> str:
    """Names the corpus and every part of a column as it is now: model, keyword search, fusion, reranker.

    Two models (or rerankers) that bore one name after each other have different fingerprints.

    :raises Refused: when its model or reranker is gone.
    """
    return _hash([corpus.id, column.name, *_parts(project, column)])


def column_identity(project: Project, column: SearchColumn) -> str:
    """Names what a column consists of, whatever it is called and whichever version of the corpus it searches.

    It tells whether something was measured before; whether rankings are the same, `column_fingerprint` tells.

    :raises Refused: when its model or reranker is gone.
    """
    return _hash([column.kind, column.weight, *_parts(project, column)])


def _parts(project: Project, column: SearchColumn) -> list[object]:
    parts: list[object] = []
    if column.model is not None:
        info = find_model(project, column.model)
        parts += [info.fingerprint, info.indexed_as]
    if column.uses_words:
        parts.append(sparse.SETTINGS)
    if column.weight is not None:
        parts += [fusion.CONSTANT, fusion.DEPTH]
    if column.fitted:
        parts += fusion_depends_on(project)
    if column.reranker is not None:
        reranker = find_reranker(project, column.reranker)
        parts += [reranker.fingerprint, reranker.depth]
    return parts


def _hash(parts: list[object]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
