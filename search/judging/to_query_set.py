"""Judgments become a query set, so that Evaluate measures on what people said; and what that leaves open."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict
from typing import TypeGuard

from search.corpus.corpus import current_corpus
from search.evaluation.query_sets.add_query_set import QueryIntake, publish_query_set
from search.evaluation.query_sets.query_set import PROPOSED, Pool, QuerySet, newest_query_set
from search.judging.aggregation import Combine, Grades
from search.judging.proposals import proposed_questions
from search.judging.store import JudgmentStore
from search.judging.votes import ColumnPair
from search.projects.artifacts import Manifest
from search.projects.errors import Refused
from search.projects.project import Project, on_newest

SOURCE = "blind judgments"


def judged_queries(project: Project, how: Combine = Combine.MEDIAN) -> QuerySet:
    """The questions with their grades, those without a relevant document too."""
    store = JudgmentStore.of(project)
    judgments = Grades.of(store.standing()).judgments(how)
    texts = {q.id: q.text for q in store.questions() if q.id in judgments}
    return QuerySet(texts, judgments)


def pool(project: Project, questions: Collection[str]) -> Pool:
    """What was shown for questions that were voted on or graded."""
    judgments = JudgmentStore.of(project).standing()
    columns: dict[str, None] = {}
    shown: set[tuple[str, str]] = set()
    graded = {
        (m.question, m.target) for m in judgments if m.kind == "grade" and m.question in questions
    }
    for judgment in judgments:
        if judgment.question not in questions:
            continue
        if judgment.kind == "vote":
            pair = ColumnPair.from_key(judgment.target)
            columns |= dict.fromkeys((pair.first, pair.second))
        columns |= dict.fromkeys(judgment.details.get("columns", ()))
        for part in ("left", "right", "documents"):
            shown |= {(judgment.question, document) for document in judgment.details.get(part, ())}
    return Pool(tuple(columns), len(shown | graded), len(graded))


@on_newest
def publish_judged_queries(
    project: Project,
    how: Combine = Combine.MEDIAN,
    merge: bool = False,
    only: Collection[str] | None = None,
    grows: bool = False,
) -> QueryIntake:
    """Publish the graded questions as the project's newest query set.

    :param how: how the grades of several judges become one.
    :param merge: also keep the queries of the query set that there is. Where a judge graded a document, the
        judge's grade counts.
    :param only: the ids of the questions to take. Default: all of them.
    :param grows: whether later judgments join it by themselves (see `grow_query_set`).
    :raises Refused: when no question has a document that was graded relevant.
    """
    manifest, corpus = current_corpus(project)
    judged = judged_queries(project, how)
    whole = judged.only(q for q in judged.queries if only is None or q in only)
    usable, unanswered = whole.restricted_to(set(corpus.ids()))
    if not usable.queries:
        raise Refused(
            "No question has a document graded 1 to 3 yet, so there is nothing to measure with. Votes alone say "
            "which side is better, not which documents answer: grade some with the keys 0 to 3."
        )
    notes = []
    if unanswered:
        notes.append(f"{unanswered:,} judged questions left out: no document was graded relevant")
    found = pool(project, usable.queries)
    notes.append(found.note)
    proposed = proposed_questions(JudgmentStore.of(project).questions()) & usable.queries.keys()
    if merge:
        # What is sealed stays in the set, and sealed.
        before = newest_query_set(project)
        earlier = QuerySet.with_sealed(project, before)
        usable = _merged(earlier, usable)
        proposed |= set(before.details.get(PROPOSED, ()))  # Of before any were, it has no word.
    made, told = publish_query_set(
        project,
        usable,
        manifest,
        corpus,
        source=SOURCE,
        combined=how.value,
        pooling=asdict(found),
        proposed=sorted(proposed & usable.queries.keys()),
        grown=_digest(whole) if grows else None,
    )
    return QueryIntake(made, len(usable.queries), notes + told)


def grow_query_set(project: Project) -> QueryIntake | None:
    """Let the query set hold all questions that have a right answer by now, in a project without a query set of another kind.

    What measures and what trains begins with it, so that judging yields a query set as it goes.

    :returns: what was published; None where nothing is new, or a query set came from elsewhere.
    """
    corpus = project.newest("corpora")
    if corpus is None or not is_behind(project):
        return None
    judged = judged_queries(project)
    if not judged.restricted_to(set(current_corpus(project)[1].ids()))[0].queries:
        return None
    return publish_judged_queries(project, grows=True)


def is_behind(project: Project) -> bool:
    """Whether a query set that grows lacks what was judged since it was made, or is not there yet."""
    newest = project.newest("queries")
    judged = judged_queries(project)
    if grown_elsewhere(newest) or not any(map(judged.relevant, judged.queries)):
        return False
    return newest is None or newest.details["grown"] != _digest(judged)


def grown_elsewhere(queries: Manifest | None) -> TypeGuard[Manifest]:
    """Whether there is a query set that does not grow with what is judged here: uploaded, split from pairs, or made on demand."""
    # Of before query sets grew, none says that it does.
    return queries is not None and queries.details.get("grown") is None


def _digest(judged: QuerySet) -> str:
    """A hash of questions and grades."""
    said = [judged.queries, {q: dict(sorted(d.items())) for q, d in judged.judgments.items()}]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def _merged(earlier: QuerySet, judged: QuerySet) -> QuerySet:
    """Both query sets as one; the same text is the same query, and what was judged here counts."""
    ids = {text: identity for identity, text in earlier.queries.items()}
    queries = dict(earlier.queries)
    judgments = {q: dict(d) for q, d in earlier.judgments.items()}
    for identity, text in judged.queries.items():
        own = ids.get(text, identity)
        if queries.get(own, text) != text:
            own = f"{identity}-judged"
        queries[own] = text
        judgments[own] = {**judgments.get(own, {}), **judged.judgments[identity]}
    return QuerySet(queries, judgments)
