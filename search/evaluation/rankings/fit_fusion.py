"""Weighing keyword search against a model on dev queries: what `hybrid:MODEL@auto` is.

By ranks or by scores, with what weight and how deep (see `search.retrieval.fusion`) is chosen where it serves the dev queries
best. With few of them noise would choose: then, of all that are within one standard error of the best, the one that is
nearest to even shares is taken (Breiman et al., "Classification and Regression Trees", 1984). What joining is worth is told
by cross-fitting: each query by what was chosen on the others. Where that is not above the better side alone, that side it is.
"""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from search.corpus.corpus import Corpus, current_corpus
from search.evaluation.query_sets.leakage import MINED, ORIGIN
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.query_sets.unlearned import unlearned_queries
from search.evaluation.rankings.parts import MeasuredParts, PartsOnce
from search.evaluation.rankings.self_matches import SelfMatches
from search.models.registry import ModelInfo
from search.projects.artifacts import Manifest
from search.projects.errors import Refused
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project
from search.retrieval.columns import SearchColumn, chosen_columns, models_in
from search.retrieval.fitted import FittedFusion, find_fusion, keep_fusion
from search.retrieval.fusion import DEPTH, Fusion
from search.retrieval.retriever import Ranking

LEAST = 10
_MOST = 300
_FEW = 60
_FOLDS = 5
_SEED = 7
_TOP = 10
_DISCOUNTS = 1 / np.log2(np.arange(2, _TOP + 2))
_WEIGHTS = (0.0, 0.05, *(n / 10 for n in range(1, 10)), 0.95, 1.0)
_DEFAULT = Fusion(0.5, "scores")
WORDS, MODEL = Fusion(1.0), Fusion(0.0)
CANDIDATES = tuple(
    Fusion(weight, "ranks" if depth is None else "scores", depth or DEPTH)
    for depth, weight in product((None, 50, DEPTH), _WEIGHTS)
)

Table = NDArray[np.float64]
"""nDCG@10 of each candidate for each query: shape (candidates, queries)."""


def fit_missing(
    project: Project,
    names: Sequence[str],
    progress: Progress = silent,
    parts: PartsOnce | None = None,
) -> dict[str, Manifest]:
    """Weigh what columns named `hybrid:MODEL@auto` join, where that was not done yet for what there is today.

    A missing index is built first.

    :param names: columns by name; others are left alone.
    :param parts: what searches the newest corpus, where somebody has it open.
    :returns: the report of what was fitted, by the name of such a column (without its reranker).
    :raises Refused: for an unknown model or column, and where there are fewer than ten dev queries.
    """
    columns = [column.base for column in chosen_columns(project, names) if column.fitted]
    if not columns:
        return {}
    manifest, corpus = current_corpus(project)
    infos = {info.name: info for info in models_in(project, columns)}
    found = {}
    for number, (name, info) in enumerate(infos.items()):
        report = find_fusion(project, info, manifest)
        if report is None:
            stage = Stage(progress, number / len(infos), (number + 1) / len(infos))
            parts = parts or PartsOnce(project, manifest, corpus)
            fitted = _fitted(project, info, parts, stage)
            report = keep_fusion(project, info, manifest, fitted)
        found[SearchColumn(name, fitted=True, weight=0.5).name] = report
    return found


def _fitted(
    project: Project, info: ModelInfo, opened: PartsOnce, progress: Progress
) -> FittedFusion:
    """Keyword search and a model weighed on what may be asked of it."""
    corpus = opened.corpus
    asked = _asked(project, info, corpus)
    own = SelfMatches.of(corpus, asked).left_out
    queries = sorted(asked.queries)
    texts = [asked.queries[query] for query in queries]
    parts = MeasuredParts(opened, texts)
    model = parts.dense(info, Stage(progress, 0.0, 0.8))
    words = parts.bm25(Stage(progress, 0.8, 0.9))
    progress(9, 10, f"weighing words and {info.name} on {len(queries):,} dev queries")
    most = DEPTH + max(map(len, own.values()), default=0)
    ids = corpus.ids()
    found = [
        [
            [hit for hit in ranking if ids[hit.document] not in own.get(query, ())]
            for query, ranking in zip(queries, side.rank(texts, most), strict=True)
        ]
        for side in (words, model)
    ]
    grades = [asked.relevant(query) for query in queries]
    made = chosen(table_of(list(zip(*found, strict=True)), ids, grades))
    progress(1, 1, made.sentence)
    return made


def _asked(project: Project, info: ModelInfo, corpus: Corpus) -> QuerySet:
    """What may be asked to weigh a model (`unlearned_queries`).

    :raises Refused: where there are too few.
    """
    name = f"hybrid:{info.name}@auto"
    more = (
        f"Add query/response pairs, of which a tenth is held out as dev: python cli.py pairs {project.name!r} FILE; or "
        f"take hybrid:{info.name}, where both weigh the same."
    )
    pairs = project.newest("pairs")
    if pairs is None:
        raise Refused(f"{name} is weighed on dev queries, and {project.name!r} has none. {more}")
    if pairs.details.get(ORIGIN) == MINED:
        raise Refused(
            f"{name} is weighed on dev queries, and those of {project.name!r} were mined from its documents: nobody asked "
            f"them, and they have its words, so they cannot say what words are worth. {more}"
        )
    asked = unlearned_queries(project, pairs, info, corpus, _MOST)
    if (count := len(asked.queries)) < LEAST:
        raise Refused(
            f"{name} is weighed on dev queries, of which at least {LEAST} are needed: {project.name!r} has {count} that "
            f"{info.name!r} did not learn from and that are in no query set. {more}"
        )
    return asked


def table_of(
    rankings: Sequence[Sequence[Ranking]],
    ids: Sequence[str],
    relevant: Sequence[Mapping[str, int]],
    candidates: Sequence[Fusion] = CANDIDATES,
) -> Table:
    """What each candidate makes of the rankings of each query.

    :param rankings: of each query, that of keyword search and that of the model.
    :param ids: of all documents, by position.
    :param relevant: the grades of the documents that answer each query, all above 0.
    """
    alike: dict[tuple[str, int], list[int]] = {}
    for row, one in enumerate(candidates):
        alike.setdefault((one.scale, one.depth), []).append(row)
    table = np.zeros((len(candidates), len(rankings)))
    for query, ((words, model), grades) in enumerate(zip(rankings, relevant, strict=True)):
        best = sorted(grades.values(), reverse=True)[:_TOP]
        ideal = float(np.asarray(best) @ _DISCOUNTS[: len(best)])
        for rows in alike.values():
            sides = candidates[rows[0]].sides(words, model)
            totals = sides.totals(np.array([candidates[row].weight for row in rows]))
            top = np.argsort(-totals, axis=1, kind="stable")[:, :_TOP]
            gains = np.array([grades.get(ids[document], 0) for document in sides.documents])
            counted = np.take_along_axis(totals, top, axis=1) > -np.inf
            table[rows, query] = (gains[top] * counted) @ _DISCOUNTS[: top.shape[1]] / ideal
    return table


def chosen(table: Table, candidates: Sequence[Fusion] = CANDIDATES) -> FittedFusion:
    """The fusion that serves the queries of a table best, or the better side alone where joining gains nothing."""
    order = np.random.default_rng(_SEED).permutation(table.shape[1])
    joined = np.zeros(table.shape[1])
    for fold in range(_FOLDS):
        held = order[fold::_FOLDS]
        rest = np.setdiff1d(order, held)
        joined[held] = table[_best(table[:, rest], candidates), held]
    sides = {side: float(table[candidates.index(side)].mean()) for side in (WORDS, MODEL)}
    better = WORDS if sides[WORDS] > sides[MODEL] else MODEL
    gains = float(joined.mean()) > sides[better]
    fusion = candidates[_best(table, candidates)] if gains else better
    return FittedFusion(fusion, table.shape[1], float(joined.mean()), sides[WORDS], sides[MODEL])


def _best(table: Table, candidates: Sequence[Fusion]) -> int:
    """The candidate with the highest mean; of few queries, the one nearest to the default that may be as good."""
    means = table.mean(axis=1)
    best = int(means.argmax())
    if table.shape[1] >= _FEW:
        return best
    lost = table[best] - table
    error = lost.std(axis=1, ddof=1) / np.sqrt(table.shape[1])
    able = np.flatnonzero(lost.mean(axis=1) <= error)
    return min(able.tolist(), key=lambda i: _distance(candidates[i]))


def _distance(fusion: Fusion) -> tuple[float, bool, bool]:
    """How far a fusion is from the default."""
    return (
        abs(fusion.weight - _DEFAULT.weight),
        fusion.scale != _DEFAULT.scale,
        fusion.depth != _DEFAULT.depth,
    )
