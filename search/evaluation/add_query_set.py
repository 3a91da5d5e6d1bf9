"""Adding a query set to a project: read from files, or made of judgments, and held against the project's pairs."""

from dataclasses import dataclass
from pathlib import Path

from search.corpus.corpus import Corpus, current_corpus
from search.corpus.labels import Judgments
from search.corpus.readers.judgments import (
    JudgedColumns,
    read_judged_queries,
    read_judgments,
    read_queries,
)
from search.evaluation.leakage import check_leaks, training_side
from search.evaluation.query_set import QuerySet
from search.projects.artifacts import Manifest
from search.projects.errors import Refused
from search.projects.project import Project


@dataclass(frozen=True)
class QueryIntake:
    """What `add_query_set` brought, with what was left out, in words.

    >>> from search.projects.artifacts import Manifest
    >>> manifest = Manifest(id="q-1", kind="queries", created="2024-05-01", made_from={}, details={}, files={})
    >>> QueryIntake(manifest, 20, ["2 queries left out"]).queries
    20
    """

    manifest: Manifest
    queries: int
    notes: list[str]


def add_query_set(
    project: Project,
    queries: Path,
    qrels: Path | None = None,
    columns: JudgedColumns = JudgedColumns(),
) -> QueryIntake:
    """Make a query set of a file of queries and a file of judgments, or of one table that holds both.

    It is held against the project's pairs: what is on both sides is recorded in its manifest.

    :param qrels: judgments of BEIR or TREC shape; None where `queries` holds them too.
    :param columns: for a table that holds both.
    :raises Refused: when a file cannot be used, or too few queries have a relevant document.
    """
    manifest, corpus = current_corpus(project)
    if qrels is None:
        texts, judgments, report = read_judged_queries(queries, columns)
        reports = [report]
    else:
        texts, query_report = read_queries(queries)
        judgments, judgment_report = read_judgments(qrels)
        reports = [query_report, judgment_report]
    known = set(corpus.ids())
    whole = QuerySet(texts, {q: d for q, d in judgments.items() if q in texts})
    usable, unanswered = whole.restricted_to(known)
    notes = [f"{report.source}: {note}" for report in reports for note in report.notes]
    notes += [f"{report.source}: {report.left_out}" for report in reports if report.refused_count]
    if unanswered:
        notes.append(
            f"{unanswered:,} queries left out: no document of the corpus is judged relevant"
        )
    unknown = len(judgments.keys() - texts.keys())
    if unknown:
        notes.append(f"judgments of {unknown:,} unknown query ids left out")
    if missing := _missing(judgments, known):
        notes.append(missing)
    source = " and ".join(report.source for report in reports)
    if not usable.queries:
        raise Refused(
            f"No query of {reports[0].source} has a relevant document in this corpus. Do the document "
            f"ids in {reports[-1].source} match those of the corpus (for example {corpus.ids()[0]!r})?"
        )
    files = [report.summary() for report in reports]
    manifest, told = publish_query_set(
        project, usable, manifest, corpus, source=source, files=files
    )
    return QueryIntake(manifest, len(usable.queries), notes + told)


def publish_query_set(
    project: Project, query_set: QuerySet, over: Manifest, corpus: Corpus, **details: object
) -> tuple[Manifest, list[str]]:
    """Make a query set an artifact, held against the project's pairs: what is on both sides is recorded.

    :param over: the manifest of the corpus whose documents were judged.
    :returns: its manifest, and in words what is on both sides.
    """
    pairs = project.newest("pairs")
    notes = []
    with project.publish("queries", {"corpus": over.id}, **details) as draft:
        query_set.save(draft)
        if pairs is not None:
            check = check_leaks(training_side(project, pairs, corpus), query_set, corpus)
            draft.details["leaks"] = check.as_json(pairs.id)
            notes += [check.note] if check.note else []
    return project.artifact("queries", draft.id), notes


def _missing(judgments: Judgments, known: set[str]) -> str | None:
    """In words how many judgments point to documents that the corpus does not have."""
    pointing = [d for judged in judgments.values() for d in judged if d not in known]
    if not pointing:
        return None
    names = list(dict.fromkeys(pointing))
    shown = ", ".join(map(repr, names[:3]))
    more = f", and {len(names) - 3:,} more" if len(names) > 3 else ""
    return (
        f"{len(pointing):,} judgments point to documents that are not in the corpus ({shown}{more}): they "
        "stay, and where they are relevant they count as not found"
    )
