"""Pools: what several columns show first for a project's own questions, to be graded blind by whoever comes.

Pooling as TREC does it (Spärck Jones and van Rijsbergen 1975; Voorhees and Harman, TREC, 2005): the union of the first
documents of all columns, in an order that tells nothing of who found them. It takes one key a document, and
yields grades on which any number of columns can be compared, where two lists side by side compare two.
"""

import hashlib
import hmac
from collections.abc import Sequence

from search.corpus.corpus import current_corpus
from search.judging.aggregation import Grades
from search.judging.prepare import rank_columns
from search.judging.sample import Sample, keep_sample
from search.judging.store import JudgmentStore, Question
from search.models.registry import KEYWORD, default_models
from search.projects.errors import Refused
from search.projects.progress import Progress, silent
from search.projects.project import Project
from search.retrieval.columns import chosen_columns, parse_column
from search.retrieval.fingerprint import column_fingerprint

DEPTH = 3
"""So many of the first documents of each column: where people look, and three columns make about five to grade."""


def pool_columns(project: Project) -> list[str]:
    """The columns that are judged where nobody names any: keyword search, generic, and the newest custom model."""
    return [KEYWORD, *(info.name for info in default_models(project))]


def own_questions(project: Project) -> list[Question]:
    """The questions that did not come with a query set: typed, proposed, or brought along."""
    return [one for one in JudgmentStore.of(project).questions() if one.origin != "query set"]


def line_up_pool(
    project: Project, columns: Sequence[str] = (), progress: Progress = silent
) -> Sample:
    """Search all own questions with all columns, and line up what nobody graded yet: first where no answer is known.

    :param columns: what to pool; none for keyword search, generic and the newest custom model.
    :raises Refused: without documents or questions, for an unknown column, and where everything is graded.
    """
    manifest, corpus = current_corpus(project)
    names = [one.name for one in chosen_columns(project, columns or pool_columns(project))]
    questions = own_questions(project)
    if not questions:
        raise Refused(
            f"There is nothing to judge yet: {project.name!r} has no questions of its own. Type some, or have some "
            f"proposed: python cli.py propose {project.name}."
        )
    rank_columns(project, names, questions, progress)
    store = JudgmentStore.of(project)
    found = [
        store.rankings(name, column_fingerprint(project, parse_column(name), manifest))
        for name in names
    ]
    graded = Grades.of(store.standing()).judgments()
    secret = store.secret()
    items = []
    for question in sorted(questions, key=lambda one: _is_answered(graded.get(one.id, {}))):
        pooled = {place.id for column in found for place in column[question.id][:DEPTH]}
        fresh = [
            document
            for document in pooled - graded.get(question.id, {}).keys()
            if corpus.position(document) is not None
        ]
        fresh.sort(key=lambda document: _coin(secret, question.id, document))
        items += [(question.id, question.text, document) for document in fresh]
    if not items:
        raise Refused(
            f"Everything that {len(names)} searches show first for these {len(questions):,} questions is graded."
        )
    sample = Sample(tuple(names), items, pooled=True)
    keep_sample(store, sample)
    progress(1, 1, f"{len(items):,} documents lined up")
    return sample


def _is_answered(graded: dict[str, int]) -> bool:
    return any(value > 0 for value in graded.values())


def _coin(secret: bytes, question: str, document: str) -> bytes:
    return hmac.new(secret, f"{question}\0{document}".encode(), hashlib.sha256).digest()
