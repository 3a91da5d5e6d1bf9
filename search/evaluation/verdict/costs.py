"""What a column costs beside what it finds: time a question, room on the disk, time to train. A verdict weighs both."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from pydantic import TypeAdapter

from search.corpus.tokenizer import generic_folder
from search.models.cross_encoders import find_reranker
from search.models.registry import BUILT_IN, ModelInfo, base_of, find_model
from search.projects.artifacts import Manifest
from search.projects.project import Project
from search.retrieval.bm25.store import find_keyword_index
from search.retrieval.columns import SearchColumn
from search.retrieval.indexing.build import find_index
from search.retrieval.retriever import EncodingTime, Retriever

_ASKED = 8
_SECONDS = 2.0  # After so many seconds of asking, no further question is timed.
_HITS = 10


@dataclass(frozen=True)
class Cost:
    """What one column costs on the machine that measured it.

    `milliseconds` is what a question takes that is asked by itself: the median over up to eight, encoding and search.
    `model_bytes` are the files of its model (with the one beneath an adapter) and reranker, `index_bytes` those of its indexes, `training_seconds` what
    training took; None for what it has not. `recipe` is how its model was trained.

    >>> Cost(12.5, model_bytes=None, index_bytes=4_000, training_seconds=None, recipe=None).milliseconds
    12.5
    """

    milliseconds: float
    model_bytes: int | None
    index_bytes: int | None
    training_seconds: float | None
    recipe: str | None

    def as_json(self) -> dict[str, Any]:
        """The shape that `evaluate --json` prints."""
        shape: dict[str, Any] = TypeAdapter(Cost).dump_python(self, mode="json")
        return shape


def cost_of(
    project: Project,
    column: SearchColumn,
    corpus: Manifest,
    retriever: Retriever,
    texts: Sequence[str],
) -> Cost:
    """What a column costs; asked are questions that no column before was asked, where that is possible.

    :param texts: questions, of which a few are asked one by one.
    """
    indexes = [find_keyword_index(project, corpus) if column.uses_words else None]
    sizes, training, recipe = [], None, None
    if column.model is not None:
        info = find_model(project, column.model)
        indexes.append(find_index(project, info, corpus))
        sizes.append(_model_bytes(project, info))
        recipe = info.recipe
        if info.kind == "custom":
            training = project.artifact("models", info.id).details.get("seconds")
    if column.reranker is not None:
        reranker = project.artifact("rerankers", find_reranker(project, column.reranker).id)
        sizes.append(_bytes(reranker))
    return Cost(
        milliseconds_a_query(retriever, texts),
        sum(sizes) if sizes else None,
        sum(_bytes(index) for index in indexes if index is not None),
        training,
        recipe,
    )


def milliseconds_a_query(retriever: Retriever, texts: Sequence[str]) -> float:
    """The median over up to eight queries: encoding and search, ten hits.

    A vector that was made before counts with the time that it took then.
    """
    spent: list[float] = []
    for text in texts[:_ASKED]:
        timing = EncodingTime()
        started = time.perf_counter()
        retriever.rank([text], _HITS, timing=timing)
        spent.append(time.perf_counter() - started - timing.encode_here + timing.encode)
        if sum(spent) > _SECONDS:
            break
    return round(1000 * median(spent), 2)


def spread(texts: Sequence[str], column: int) -> list[str]:
    """Some questions from all over a list, other ones for each column: what a reranker read it remembers.

    >>> spread([str(n) for n in range(24)], 1)
    ['1', '4', '7', '10', '13', '16', '19', '22']
    """
    step = max(len(texts) // _ASKED, 1)
    return list(texts[column % step :: step])[:_ASKED]


def _model_bytes(project: Project, info: ModelInfo) -> int:
    if info.id == BUILT_IN:
        return sum(path.stat().st_size for path in generic_folder().rglob("*") if path.is_file())
    manifest = project.artifact("models", info.id)
    # An adapter is a matrix over another model, which it needs as much.
    base = base_of(project, manifest)
    return _bytes(manifest) + (0 if base is None else _model_bytes(project, base))


def _bytes(manifest: Manifest) -> int:
    return sum(record.size for record in manifest.files.values())
