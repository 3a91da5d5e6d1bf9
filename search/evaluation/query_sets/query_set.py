"""Query sets: queries with judgments, never trained on, by which models are compared; and who could be judged."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from search.corpus.labels import Judgments
from search.corpus.readers.identities import ids_in_lines
from search.evaluation.query_sets.seal import sealed_hashes, without
from search.projects import audit
from search.projects.artifacts import Draft, Manifest
from search.projects.damage import notice
from search.projects.errors import Damaged, Refused
from search.projects.files import new_folder
from search.projects.project import Project
from search.retrieval.columns import column_title

PROPOSED = "proposed"
"""The key of a manifest: the ids of the queries that were proposed from the documents and accepted by a person."""
_QUERIES = "queries.jsonl"
_QRELS = "qrels.tsv"


@dataclass(frozen=True)
class QuerySet:
    """Queries (id to text), their judgments (query id to document id to grade) and tags that people gave them.

    >>> test = QuerySet({"q1": "rent", "q2": "frost"}, {"q1": {"a": 2, "b": 0}, "q2": {"c": 1}})
    >>> test.relevant("q1")
    {'a': 2}
    >>> usable, left_out = test.restricted_to({"a", "b"})
    >>> usable.queries, left_out
    ({'q1': 'rent'}, 1)
    """

    queries: Mapping[str, str]
    judgments: Judgments
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def relevant(self, query: str) -> dict[str, int]:
        """The documents judged relevant to a query (grade above 0)."""
        return {d: g for d, g in self.judgments.get(query, {}).items() if g > 0}

    def named(self, text: str) -> str | None:
        """The id of the query of this text, however it is spaced and capitalised; None for no query of the set."""
        wanted = " ".join(text.casefold().split())
        for identity, known in self.queries.items():
            if " ".join(known.casefold().split()) == wanted:
                return identity
        return None

    def __or__(self, other: "QuerySet") -> "QuerySet":
        """The queries of both; of one that both have, what `other` says."""
        return QuerySet(
            {**self.queries, **other.queries},
            {**self.judgments, **other.judgments},
            {**self.tags, **other.tags},
        )

    def only(self, names: Iterable[str]) -> "QuerySet":
        """Some of the queries, by their ids, in the order given."""
        chosen = list(names)
        return QuerySet(
            {name: self.queries[name] for name in chosen},
            {name: self.judgments[name] for name in chosen},
            {name: self.tags[name] for name in chosen if name in self.tags},
        )

    def restricted_to(self, documents: set[str]) -> tuple["QuerySet", int]:
        """The queries that have a relevant document among `documents`, and how many have none."""
        kept = [q for q in self.queries if not documents.isdisjoint(self.relevant(q))]
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
        return replace(self, judgments=judgments)

    def unsealed(self, project: Project) -> "QuerySet":
        """The queries that nothing in a project has sealed."""
        hashes = sealed_hashes(project)
        return self.only(without(self.queries, hashes)) if hashes else self

    def save(self, draft: Draft) -> None:
        """Write the query set into an artifact."""
        self.write(draft.folder / _QUERIES, draft.folder / _QRELS)
        draft.details.update(
            queries=len(self.queries), judgments=sum(len(j) for j in self.judgments.values())
        )

    def write(self, queries: Path, qrels: Path) -> None:
        """Write the queries as BEIR's JSON lines and the judgments as its table."""
        with queries.open("w", encoding="utf-8") as stream:
            for query, text in self.queries.items():
                row: dict[str, Any] = {"_id": query, "text": text}
                if query in self.tags:
                    row["tags"] = list(self.tags[query])
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")
        with qrels.open("w", encoding="utf-8") as stream:
            stream.write("query-id\tcorpus-id\tscore\n")
            for query in self.queries:
                for document, grade in self.judgments.get(query, {}).items():
                    stream.write(f"{query}\t{document}\t{grade}\n")

    def mended(self) -> tuple["QuerySet", int]:
        """The same with ids that a table can hold, and how many ids had a line break or a tab."""
        queries = ids_in_lines(self.queries)
        documents = ids_in_lines(d for judged in self.judgments.values() for d in judged)
        torn = sum(old != new for known in (queries, documents) for old, new in known.items())
        judgments = {
            queries[q]: {documents[d]: grade for d, grade in judged.items()}
            for q, judged in self.judgments.items()
        }
        texts = {queries[q]: text for q, text in self.queries.items()}
        tags = {queries[q]: own for q, own in self.tags.items() if q in queries}
        return QuerySet(texts, judgments, tags), torn

    @classmethod
    def load(cls, project: Project, manifest: Manifest) -> "QuerySet":
        """Read a query set artifact, checked to be whole: the one door to judgments, without those that are sealed.

        :raises Failed: where it cannot be read what is sealed.
        """
        return cls.with_sealed(project, manifest).unsealed(project)

    @classmethod
    def with_sealed(cls, project: Project, manifest: Manifest) -> "QuerySet":
        """The same with what is sealed: to keep training apart from it, and to hand it on; never to measure or show it."""
        folder = project.checked(manifest)
        with (folder / _QUERIES).open(encoding="utf-8") as stream:
            rows = [json.loads(line) for line in stream]
        queries = {row["_id"]: row["text"] for row in rows}
        tags = {row["_id"]: tuple(row["tags"]) for row in rows if "tags" in row}
        judgments: Judgments = {}
        with (folder / _QRELS).open(encoding="utf-8") as stream:
            next(stream)
            for query, document, grade in _judged_lines(stream, queries):
                judgments.setdefault(query, {})[document] = grade
        return cls(queries, judgments, tags)


def _judged_lines(
    lines: Iterable[str], queries: Mapping[str, str]
) -> Iterator[tuple[str, str, int]]:
    """The judgments in the lines of a query set's file: query id, document id, grade.

    Query sets of earlier versions may hold ids with a line break or a tab in them, which tore their lines.
    """
    held = ""
    for line in lines:
        held += line
        start, tab, grade = held.rstrip("\n").rpartition("\t")
        parts = start.split("\t")
        known = ("\t".join(parts[:n]) for n in range(1, len(parts)))
        query = next(filter(queries.__contains__, known), None)
        if tab and query is not None and grade.isdecimal():
            yield query, start[len(query) + 1 :], int(grade)
            held = ""


def export_query_sets(project: Project, folder: Path) -> tuple[int, int]:
    """Write a project's query sets as BEIR has them, whole or not at all.

    :param folder: must not exist, or be empty. The current query set is written as queries.jsonl and qrels/test.tsv,
        and each earlier one likewise in a folder of its own under earlier/, by its id.
    :returns: how many were written, and how many ids of them were mended: those that query sets of earlier versions hold
        with a line break or a tab in them, which no table can.
    :raises Refused: when there is none, or something is in the way.
    :raises Damaged: when a file of one is not as it was written.
    """
    newest, manifests = project.newest("queries"), project.manifests("queries")
    if newest is None:
        raise Refused(f"{project.name!r} has no query set yet.")
    mended = 0
    with new_folder(folder) as target:
        audit.note("exported", project.name, "query sets")
        for manifest in manifests:
            written, torn = QuerySet.load(project, manifest).mended()
            mended += torn
            place = target if manifest is manifests[-1] else target / "earlier" / manifest.id
            (place / "qrels").mkdir(parents=True)
            written.write(place / _QUERIES, place / "qrels" / "test.tsv")
    return len(manifests), mended


def current_query_set(project: Project) -> tuple[Manifest, QuerySet]:
    """The newest query set of a project, without what is sealed.

    :raises Refused: when there is none yet, saying how to get one.
    """
    manifest = newest_query_set(project)
    return manifest, QuerySet.load(project, manifest)


def newest_query_set(project: Project) -> Manifest:
    """The manifest of the newest query set of a project.

    :raises Refused: as `current_query_set`.
    """
    manifest = project.newest("queries")
    if manifest is None:
        raise Refused(
            f"The project {project.name!r} has no query set, so nothing can be proved yet. Add query/"
            f"response pairs (a fifth is held out): python cli.py pairs {project.name} FILE, or "
            f"judgments: python cli.py queries {project.name} QUERIES --qrels QRELS."
        )
    return manifest


def questions_of(project: Project) -> list[str]:
    """The texts of the newest query set of a project; none where there is no set, or it is damaged: they only tune."""
    try:
        manifest = project.newest("queries")
        return [] if manifest is None else list(QuerySet.load(project, manifest).queries.values())
    except Damaged as damaged:
        notice(damaged)
        return []


@dataclass(frozen=True)
class Pool:
    """What was put before judges, and how much of it they graded.

    Only what some column showed could be judged. A document that nobody judged counts as not relevant, so a
    column that was not in the pool is at a disadvantage, the more so the more it finds that others do not
    (Zobel 1998; Buckley and Voorhees 2004).

    >>> Pool(("generic", "bm25"), shown=10, graded=4).note[:68]
    'judged was what Generic and Keyword search showed (4 of the 10 docum'
    """

    columns: tuple[str, ...]
    shown: int
    graded: int

    @property
    def note(self) -> str:
        """In plain words what the figures of such a query set can and cannot tell."""
        if not self.columns:
            return "documents that nobody graded count as not relevant: another one may answer a question as well"
        share = f"{self.graded:,} of the {self.shown:,} documents shown were graded"
        return (
            f"judged was what {_listed(map(column_title, self.columns))} showed ({share}). Documents "
            "that nobody graded count as not relevant: fair between these columns, and too hard on others, "
            "which find documents that nobody has seen"
        )


def _listed(names: Iterable[str]) -> str:
    """Names as people list them: "a, b and c"."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def proposed_note(details: Mapping[str, Any], queries: Collection[str]) -> str | None:
    """What an evaluation should say of questions that nobody asked: those that were proposed from the documents.

    :param queries: the ids of those that are measured on.
    """
    count = len(set(details.get(PROPOSED, ())) & set(queries))
    if not count:
        return None
    part = "all of them" if count == len(queries) else f"{count:,} of the {len(queries):,}"
    return f"this is on questions proposed from the documents ({part}): a person accepted them, and nobody asked them"


def pooling_note(details: Mapping[str, Any]) -> str | None:
    """What an evaluation on a query set should say of its pool; None for one that was not judged here."""
    facts = details.get("pooling")
    return TypeAdapter(Pool).validate_python(facts).note if facts else None
