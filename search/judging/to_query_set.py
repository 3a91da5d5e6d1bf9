"""Judgments become a query set, so that Evaluate measures on what people said; and what that leaves open."""

from collections.abc import Collection
from dataclasses import asdict

from search.corpus.corpus import current_corpus
from search.evaluation.query_sets.add_query_set import QueryIntake, publish_query_set
from search.evaluation.query_sets.query_set import Pool, QuerySet, newest_query_set
from search.judging.aggregation import Combine, Grades
from search.judging.store import JudgmentStore
from search.judging.votes import ColumnPair
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
) -> QueryIntake:
    """Publish the graded questions as the project's newest query set.

    :param how: how the grades of several judges become one.
    :param merge: also keep the queries of the query set that there is. Where a judge graded a document, the
        judge's grade counts.
    :param only: the ids of the questions to take. Default: all of them.
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
    if merge:
        # What is sealed stays in the set, and sealed.
        earlier = QuerySet.with_sealed(project, newest_query_set(project))
        usable = _merged(earlier, usable)
    made, told = publish_query_set(
        project,
        usable,
        manifest,
        corpus,
        source=SOURCE,
        combined=how.value,
        pooling=asdict(found),
    )
    return QueryIntake(made, len(usable.queries), notes + told)


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
