"""The index of a new version of a corpus out of the last one's: what went is taken out, what came is put in.

An index is an artifact and never changes; so the changed one is a new artifact, made in a fraction of the time.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexes.opening import open_index
from indexes.vector_index import AUTO, FAISS, BrokenIndex, IndexFacts, IndexPlan, Positions, Vectors
from search.corpus.corpus import Corpus
from search.models.registry import ModelInfo
from search.projects.artifacts import Manifest
from search.projects.errors import Failed
from search.projects.progress import Progress
from search.projects.project import Project

_WORN = 0.2


def from_earlier(
    project: Project,
    info: ModelInfo,
    manifest: Manifest,
    corpus: Corpus,
    plan: IndexPlan,
    vectors: Vectors,
    folder: Path,
    progress: Progress,
) -> IndexFacts | None:
    """Write the index of a corpus into a folder, out of that of an earlier version as the same model sees it.

    :param vectors: of all passages, by position.
    :returns: None where nothing is written: there is no such index, it is of another type than the plan
        asks for, or it is better built anew.
    """
    if plan.engine != FAISS:
        return None  # A server's index is filled anew, so that one swap replaces the other.
    for index in project.all_where("indexes", {"fingerprint": info.fingerprint}, model=info.id):
        details, made = index.details, index.made_from
        if made["corpus"] == manifest.id or not _as_planned(details, plan):
            return None  # It was asked for anew, or otherwise.
        try:
            old = Corpus.of(project, project.artifact("corpora", made["corpus"]))
            opened = open_index(project.checked(index), details)
        except (Failed, BrokenIndex):
            continue  # A version that was deleted or damaged; it would only have saved time.
        origins = origins_of(list(old.embedded_keys()), list(corpus.embedded_keys()))
        return opened.write_changed(vectors, origins, folder, progress)
    return None


def origins_of(old: Sequence[bytes], new: Sequence[bytes]) -> Positions:
    """For each new key the position of the same old key, no position twice, or -1: shape (new,)."""
    places: dict[bytes, list[int]] = {}
    for position in range(len(old) - 1, -1, -1):
        places.setdefault(old[position], []).append(position)
    found = (places[key].pop() if places.get(key) else -1 for key in new)
    return np.fromiter(found, dtype=np.int64, count=len(new))


def worn(details: dict[str, Any]) -> bool:
    """Whether so much of what an index was built of has changed that it is worth building anew."""
    figures = details.get("figures", {})
    return bool(max(figures.get("removed", 0.0), figures.get("changed", 0.0)) > _WORN)


def _as_planned(details: dict[str, Any], plan: IndexPlan) -> bool:
    same = plan.type in (AUTO, details["type"]) and details["engine"] == plan.engine
    return bool(same and details["figures"].get("target") == plan.target_recall)
