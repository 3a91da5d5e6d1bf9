"""Searches and reranking, by the core's own retrievers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from indexes.vector_index import normalised
from search.corpus.filters import Scope, parse_condition
from search.models.cross_encoders import find_reranker, load_reranker, rerankers
from search.projects.errors import BespokeError, Refused
from search.projects.project import Project
from search.retrieval.columns import SearchColumn, chosen_columns, models_in
from search.retrieval.relevance.judge import find_judges
from search.retrieval.search import assemble, check_k, check_query, search
from serving.current import Current, Snapshot
from serving.models import Models
from serving.refusals import UnknownModel
from serving.requests import RerankRequest, SearchRequest


def searched(current: Current, asked: SearchRequest) -> dict[str, Any]:
    """What some columns found, and which documents, models and verdicts answered.

    Where a newer version took over while this one was searched and could not be any more, the newer one answers.

    :raises Refused: for what cannot be searched for, or by.
    """
    snapshot = current.snapshot
    try:
        return _searched(current.project, snapshot, asked)
    except BespokeError:
        newer = current.snapshot
        if newer is snapshot:
            raise
        return _searched(current.project, newer, asked)


def _searched(project: Project, snapshot: Snapshot, asked: SearchRequest) -> dict[str, Any]:
    if snapshot.parts is None:
        raise Refused(
            f"The project {project.name!r} has no documents to search yet. Add some: python cli.py add {project.name} FILE."
        )
    query, k = check_query(asked.query), check_k(asked.k)
    scope = Scope(tuple(map(parse_condition, asked.filter)), tiers_first=asked.by_tier)
    columns = chosen_columns(project, _names(asked.model, snapshot.model.name, project.name))
    retrievers = assemble(project, columns, snapshot.parts)
    judges = (
        find_judges(project, columns, snapshot.parts.manifest, snapshot.parts.bm25)
        if asked.relevance
        else [None] * len(columns)
    )
    results = {
        column.name: search(retriever, snapshot.parts.corpus, query, k, scope, judge=judge)
        for column, retriever, judge in zip(columns, retrievers, judges, strict=True)
    }
    return {
        "object": "search",
        "query": query,
        "k": k,
        "project": project.name,
        "corpus": snapshot.corpus,
        "model": columns[0].name,
        "results": {
            name: {
                **result.as_json(),
                "note": result.note,
                "ms": result.ms,
                "models": _identities(project, columns, name),
                "verdict": snapshot.verdict_on(name),
            }
            for name, result in results.items()
        },
    }


def _names(model: str | Sequence[str], served: str, project: str) -> list[str]:
    """The columns that are asked for; no name and the project's own stand for what answers now."""
    names = [model] if isinstance(model, str) else list(model)
    return [served if name in ("", project) else name for name in names or [""]]


def _identities(
    project: Project, columns: Sequence[SearchColumn], name: str
) -> dict[str, dict[str, str]]:
    """Id and fingerprint of the model in a column, by its name."""
    column = next(column for column in columns if column.name == name)
    infos = models_in(project, [column])
    return {info.name: {"id": info.id, "fingerprint": info.fingerprint} for info in infos}


def reranked(project: Project, snapshot: Snapshot, loaded: Models, asked: RerankRequest) -> Any:
    """Documents in the order of their relevance to a question, in the shape that Cohere's and Jina's clients read.

    :raises UnknownModel: for a name that is neither a reranker nor a model.
    """
    known = rerankers(project)
    texts = asked.texts
    named = asked.model or (known[-1].name if known else snapshot.model.name)
    if any(one.name == named for one in known):
        raw = load_reranker(project, find_reranker(project, named)).scores(asked.query, texts)
        scores, tokens = 0.5 * (1 + np.tanh(raw / 2)), 0
    else:
        scores, tokens = _by_vectors(snapshot, loaded, named, asked.query, texts)
    order = np.argsort(-scores, kind="stable")[: asked.top_n]
    results = [
        {"index": int(i), "relevance_score": float(scores[i])}
        | ({"document": {"text": texts[i]}} if asked.return_documents else {})
        for i in order
    ]
    return {
        "object": "list",
        "model": named,
        "results": results,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        "meta": {"billed_units": {"search_units": 1}},
    }


def _by_vectors(
    snapshot: Snapshot, loaded: Models, name: str, query: str, texts: Sequence[str]
) -> tuple[Any, int]:
    """Cosines of a question and texts as a model sees them, and how many tokens it read."""
    info = snapshot.models.get(name)
    if info is None:
        names = ", ".join(snapshot.models)
        raise UnknownModel(
            f"There is no reranker and no model {name!r} here. The models are: {names}."
        )
    encoder = loaded.get(info).encoder
    asked = encoder.batcher.submit(encoder.query, [query])
    read = encoder.batcher.submit(encoder.document, texts).result()
    cosines = normalised(read.vectors) @ normalised(asked.result().vectors)[0]
    return cosines.astype(np.float64), read.tokens + asked.result().tokens
