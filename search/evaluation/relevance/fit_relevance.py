"""The probability that a hit answers, fitted for columns on what may be asked of them, where that was not done yet."""

from collections.abc import Mapping, Sequence, Set

import numpy as np

from search.corpus.corpus import Corpus, current_corpus
from search.evaluation.query_sets.general import general_questions
from search.evaluation.query_sets.leakage import MINED, ORIGIN
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.query_sets.unlearned import unlearned_queries
from search.evaluation.rankings.parts import MeasuredParts, PartsOnce
from search.evaluation.rankings.self_matches import SelfMatches
from search.evaluation.relevance.calibrate import AskedQuestion, calibrate
from search.evaluation.relevance.made_up import questions_of_documents
from search.models.registry import find_model
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project
from search.retrieval.columns import SearchColumn, chosen_columns
from search.retrieval.relevance.calibration import (
    Calibration,
    find_calibration,
    keep_calibration,
)
from search.retrieval.relevance.evidence import DEPTH, read_evidence
from search.retrieval.retriever import Retriever
from search.retrieval.search import assemble
from search.retrieval.sparse import BM25Retriever

LEAST = 10
_MOST = 300
_TOP = 10


def fit_missing_relevance(
    project: Project,
    names: Sequence[str] = (),
    progress: Progress = silent,
    parts: PartsOnce | None = None,
) -> dict[str, Calibration]:
    """Fit the probability of relevance of columns, where that was not done yet for what there is today.

    Left out are columns that a reranker reads again (minutes), those whose model a server runs (nobody asked it that), and
    those for which fewer than ten questions find anything. A missing index is built first.

    :param names: columns by name; those named `hybrid:MODEL@auto` are weighed already.
    :param parts: what searches the newest corpus, where somebody has it open.
    :returns: what was fitted, now or before, by the column's name.
    :raises Refused: for an unknown model or column, or a project without documents.
    """
    manifest, corpus = current_corpus(project)
    columns = [column for column in chosen_columns(project, names) if column.reranker is None]
    found = {}
    for number, column in enumerate(columns):
        made = find_calibration(project, column, manifest)
        if made is None:
            parts = parts or PartsOnce(project, manifest, corpus)
            stage = Stage(progress, number / len(columns), (number + 1) / len(columns))
            if _is_metered(project, column, parts, stage):
                continue
            made = fit(project, column, parts, stage)
            if made is None:
                continue
            model = None if column.model is None else find_model(project, column.model).id
            keep_calibration(project, column, model, manifest, made)
        found[column.name] = made
    return found


def fit(
    project: Project, column: SearchColumn, parts: PartsOnce, progress: Progress = silent
) -> Calibration | None:
    """What is fitted for one column: on dev queries, or roughly, on what the documents themselves ask.

    :returns: None where fewer than ten of them find anything: too few for any number.
    """
    corpus = parts.corpus
    asked = _asked(project, column, corpus)
    rough = len(asked.queries) < LEAST
    if rough:
        asked = questions_of_documents(corpus)
        if len(asked.queries) < LEAST:
            return None
    own = SelfMatches.of(corpus, asked).left_out
    general = QuerySet(
        {f"general {i}": text for i, (text, _) in enumerate(general_questions())}, {}
    )
    texts = [*asked.queries.values(), *general.queries.values()]
    measured = MeasuredParts(parts, texts)
    (retriever,) = assemble(project, [column], measured, Stage(progress, 0, 0.8))
    words = parts.bm25()
    progress(8, 10, f"what the scores of {column.title} mean, on {len(asked.queries):,} queries")
    found = evidence_of(retriever, words, corpus, asked, own)
    if len(found) < LEAST:
        return None
    other = evidence_of(retriever, words, corpus, general, {})
    return calibrate(found, other, rough)


def evidence_of(
    retriever: Retriever,
    words: BM25Retriever,
    corpus: Corpus,
    asked: QuerySet,
    own: Mapping[str, Set[str]],
) -> list[AskedQuestion]:
    """The evidence for each query that finds anything, as it is and without the documents that answer it.

    :param own: by query, the ids of documents that count as if they were not there.
    """
    position = {identity: i for i, identity in enumerate(corpus.ids())}
    names = sorted(asked.queries)
    answers = [{position[d] for d in asked.relevant(name) if d in position} for name in names]
    out = [{position[d] for d in own.get(name, ())} for name in names]
    most = max(len(a) + len(o) for a, o in zip(answers, out, strict=True))
    texts = [asked.queries[name] for name in names]
    made = []
    for text, ranking, right, gone in zip(
        texts, retriever.rank(texts, DEPTH + most), answers, out, strict=True
    ):
        evidence = read_evidence(words, text, ranking, gone)
        if evidence is None:
            continue
        first = [hit for hit in ranking if hit.document not in gone][:_TOP]
        coverage = words.coverage(words.weighed(text), [hit.passage for hit in first])
        hits = evidence.hits(first, coverage)
        relevant = np.array([hit.document in right for hit in first])
        without = read_evidence(words, text, ranking, gone | right) if right else None
        made.append(AskedQuestion(evidence, hits, relevant, without))
    return made


def _asked(project: Project, column: SearchColumn, corpus: Corpus) -> QuerySet:
    """The queries that people asked and that the column's model did not learn from; none where all are mined."""
    pairs = project.newest("pairs")
    if pairs is None or pairs.details.get(ORIGIN) == MINED:
        return QuerySet({}, {})
    info = None if column.model is None else find_model(project, column.model)
    return unlearned_queries(project, pairs, info, corpus, _MOST)


def _is_metered(
    project: Project, column: SearchColumn, parts: PartsOnce, progress: Progress
) -> bool:
    """Whether a column's model is paid for by what it reads."""
    if column.model is None:
        return False
    return parts.dense(find_model(project, column.model), progress).is_metered
