"""Query sets: queries with judgments, never trained on, by which models are compared."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from search.corpus.corpus import Corpus, current_corpus
from search.corpus.readers.judgments import (
    JudgedColumns,
    Judgments,
    read_judged_queries,
    read_judgments,
    read_queries,
)
from search.corpus.readers.report import Report
from search.evaluation.leakage import check_leaks, training_side
from search.projects.artifacts import Draft, Manifest
from search.projects.errors import Refused
from search.projects.project import Project

_QUERIES = "queries.jsonl"
_QRELS = "qrels.tsv"


@dataclass(frozen=True)
class QuerySet:
    """Queries (id to text) and their judgments (query id to document id to grade)."""

    queries: Mapping[str, str]
    judgments: Judgments

    def relevant(self, query: str) -> dict[str, int]:
        """The documents judged relevant to a query (grade above 0)."""
        return {d: g for d, g in self.judgments.get(query, {}).items() if g > 0}

    def __or__(self, other: "QuerySet") -> "QuerySet":
        """The queries of both; of one that both have, what `other` says."""
        return QuerySet({**self.queries, **other.queries}, {**self.judgments, **other.judgments})

    def only(self, names: Iterable[str]) -> "QuerySet":
        """Some of the queries, by their ids, in the order given."""
        chosen = list(names)
        return QuerySet(
            {name: self.queries[name] for name in chosen},
            {name: self.judgments[name] for name in chosen},
        )

    def restricted_to(self, documents: set[str]) -> tuple["QuerySet", int]:
        """The queries that have a relevant document among `documents`, and how many have none."""
        kept = [
            query
            for query in self.queries
            if any(document in documents for document in self.relevant(query))
        ]
        return self.only(kept), len(self.queries) - len(kept)

    def graded(self, known: Mapping[str, Mapping[str, int]]) -> "QuerySet":
        """The same queries with all that is known of them.

        :param known: the grades of documents by the text of a query. What is not among them is a best answer.
        """
        judgments = {}
        for query, text in self.queries.items():
            own, grades = self.judgments.get(query, {}), known.get(text, {})
            best = max(grades.values(), default=0)
            judgments[query] = {d: max(best, grade) for d, grade in own.items()} | dict(grades)
        return QuerySet(self.queries, judgments)

    def save(self, draft: Draft) -> None:
        """Write the query set into an artifact."""
        with (draft.folder / _QUERIES).open("w", encoding="utf-8") as stream:
            for query, text in self.queries.items():
                stream.write(json.dumps({"_id": query, "text": text}, ensure_ascii=False) + "\n")
        with (draft.folder / _QRELS).open("w", encoding="utf-8") as stream:
            stream.write("query-id\tcorpus-id\tscore\n")
            for query in self.queries:
                for document, grade in self.judgments.get(query, {}).items():
                    stream.write(f"{query}\t{document}\t{grade}\n")
        draft.details.update(
            queries=len(self.queries), judgments=sum(len(j) for j in self.judgments.values())
        )

    @classmethod
    def load(cls, project: Project, manifest: Manifest) -> "QuerySet":
        """Read a query set artifact, checked to be whole."""
        folder = project.checked(manifest)
        with (folder / _QUERIES).open(encoding="utf-8") as stream:
            rows = [json.loads(line) for line in stream]
        judgments: Judgments = {}
        with (folder / _QRELS).open(encoding="utf-8") as stream:
            next(stream)
            for line in stream:
                query, document, grade = line.rstrip("\n").split("\t")
                judgments.setdefault(query, {})[document] = int(grade)
        return cls({row["_id"]: row["text"] for row in rows}, judgments)


@dataclass(frozen=True)
class QueryIntake:
    """What `add_query_set` brought, with what was left out, in words."""

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
    notes += [_refusals(report) for report in reports if report.refused_count]
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


def _refusals(report: Report) -> str:
    first = report.refused[0]
    return (
        f"{report.source}: {report.refused_count:,} rows left out ({first.where}: {first.reason})"
    )


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


def current_query_set(project: Project) -> tuple[Manifest, QuerySet]:
    """The newest query set of a project.

    :raises Refused: when there is none yet, saying how to get one.
    """
    manifest = project.newest("queries")
    if manifest is None:
        raise Refused(
            f"The project {project.name!r} has no query set, so nothing can be proved yet. Add query/"
            f"response pairs (a fifth is held out): python cli.py pairs {project.name} FILE, or "
            f"judgments: python cli.py queries {project.name} QUERIES --qrels QRELS."
        )
    return manifest, QuerySet.load(project, manifest)
