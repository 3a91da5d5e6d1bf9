"""Adding a query set to a project: read from files, or made of judgments, and held against the project's pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from search.corpus.corpus import Corpus, current_corpus
from search.corpus.isolated.door import (
    one_child,
    read_judged_queries,
    read_judgments,
    read_queries,
)
from search.corpus.labels import Judgments
from search.corpus.readers.identities import near_miss
from search.corpus.readers.judged import JudgedColumns
from search.corpus.readers.queries import QueryColumns, require_ids
from search.corpus.readers.report import Report
from search.evaluation.query_sets.leakage import check_leaks, training_side
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.query_sets.questions import NEW_QUESTIONS, QUESTION, Question, question_for
from search.projects.artifacts import Manifest
from search.projects.errors import Refused
from search.projects.project import Project, on_newest


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
    reports: Sequence[Report] = ()


@dataclass(frozen=True)
class JudgedFiles:
    """What files of queries and judgments hold: query id to text, the judgments, and how each file was understood.

    >>> JudgedFiles({"q1": "rent"}, {"q1": {"a": 2, "b": 0}}, []).judgments["q1"]["b"]
    0
    """

    queries: dict[str, str]
    judgments: Judgments
    reports: list[Report]

    @classmethod
    def read(
        cls,
        queries: Path,
        qrels: Path | None,
        columns: JudgedColumns = JudgedColumns(),
        encoding: str | None = None,
        delimiter: str | None = None,
        most: int | None = None,
        qrels_as: tuple[str | None, str | None] = (None, None),
    ) -> "JudgedFiles":
        """Read a file of queries and a file of judgments, or one table that holds both.

        :param columns: those of the table; of two files, the query column is that of the first, all others are those
            of the second, and the ids have one name in both or are guessed.
        :param encoding: of the first file, as `delimiter` is; None for what is found.
        :param most: look at this many rows of each file only.
        :param qrels_as: encoding and delimiter of the second file, which are its own.
        :raises Refused: when a file cannot be used.
        """
        if qrels is None:
            texts, judgments, report = read_judged_queries(
                queries, columns, encoding, delimiter, most
            )
            return cls(texts, judgments, [report])
        asked = QueryColumns(columns.id, columns.query)
        with one_child():
            texts, query_report = read_queries(queries, asked, encoding, delimiter, most)
            judgments, judgment_report = read_judgments(qrels, columns, *qrels_as, most)
        reports = [query_report, judgment_report]
        require_ids(reports, columns.id)
        return cls(texts, judgments, reports)


@on_newest
def add_query_set(
    project: Project,
    queries: Path,
    qrels: Path | None = None,
    columns: JudgedColumns = JudgedColumns(),
    encoding: str | None = None,
    delimiter: str | None = None,
    qrels_as: tuple[str | None, str | None] = (None, None),
    tags: Path | None = None,
    question: Question | None = None,
) -> QueryIntake:
    """Make a query set of a file of queries and a file of judgments, or of one table that holds both.

    It is held against the project's pairs: what is on both sides is recorded in its manifest.

    :param qrels: judgments of BEIR or TREC shape; None where `queries` holds them too.
    :param columns: as `JudgedFiles.read` takes them, and how the files are to be read, where the person chose it.
    :param tags: a table with a query id and a tag in each row: what people want to see apart (see `slices`).
    :param question: what it asks; None: new questions, where training knows none of its queries.
    :raises Refused: when a file cannot be used, or too few queries have a relevant document.
    """
    manifest, corpus = current_corpus(project)
    files = JudgedFiles.read(queries, qrels, columns, encoding, delimiter, qrels_as=qrels_as)
    texts, judgments, reports = files.queries, files.judgments, files.reports
    known = set(corpus.ids())
    notes: list[str] = []
    tagged = _read_tags(tags, texts, notes) if tags is not None else {}
    whole = QuerySet(texts, {q: d for q, d in judgments.items() if q in texts}, tagged)
    usable, unanswered = whole.restricted_to(known)
    if unanswered:
        notes.append(
            f"{unanswered:,} queries left out: no document of the corpus is judged relevant"
        )
    unknown = [query for query in judgments if query not in texts]
    if unknown:
        near = near_miss(unknown, texts)
        said = f"judgments of {len(unknown):,} unknown query ids left out"
        notes.append(f"{said}; {near}" if near else said)
    if missing := _missing(judgments, known):
        notes.append(missing)
    source = " and ".join(report.source for report in reports)
    if not usable.queries:
        raise _no_answer(reports, judgments, texts, corpus.ids())
    summaries = [report.summary() for report in reports]
    manifest, shared = publish_query_set(
        project, usable, manifest, corpus, question, source=source, files=summaries
    )
    return QueryIntake(manifest, len(usable.queries), notes + shared, reports)


def _read_tags(
    path: Path, texts: Mapping[str, str], notes: list[str]
) -> dict[str, tuple[str, ...]]:
    """The tags of queries, sorted: a file of ids and tags is read as one of ids and documents is.

    :raises Refused: when no row of it is of a query.
    """
    rows, report = read_judgments(path, JudgedColumns(document="tag", grade=""))
    tags = {query: tuple(sorted(own)) for query, own in rows.items() if query in texts}
    if not tags:
        near = near_miss(rows, texts)
        raise Refused(
            f"No query id in {report.source} is one of the queries' (for example {next(iter(rows))!r} and "
            f"{next(iter(texts), '')!r}){f': {near}' if near else ''}. Give both files the same ids."
        )
    if unknown := len(rows) - len(tags):
        notes.append(f"tags of {unknown:,} unknown query ids left out")
    return tags


def _no_answer(
    reports: Sequence[Report],
    judgments: Judgments,
    texts: Mapping[str, str],
    known: Sequence[str],
) -> Refused:
    """The refusal of a query set of which no query has a relevant document in the corpus, with what is near."""
    first, last = reports[0].source, reports[-1].source
    if not judgments.keys() & texts.keys():
        near = near_miss(judgments, texts)
        examples = f"{next(iter(judgments), '')!r} and {next(iter(texts), '')!r}"
        return Refused(
            f"No query id in {last} is one of {first} (for example {examples})"
            f"{f': {near}' if near else ''}. Give both files the same ids."
        )
    near = near_miss((d for judged in judgments.values() for d in judged), known)
    return Refused(
        f"No query of {first} has a relevant document in this corpus. Do the document ids in {last} match those of "
        f"the corpus (for example {known[0]!r})?{f' {near[0].upper()}{near[1:]}.' if near else ''}"
    )


@on_newest
def publish_query_set(
    project: Project,
    /,
    query_set: QuerySet,
    over: Manifest,
    corpus: Corpus,
    question: Question | None = None,
    **details: object,
) -> tuple[Manifest, list[str]]:
    """Make a query set an artifact, held against the project's pairs: what is on both sides is recorded.

    :param over: the manifest of the corpus whose documents were judged.
    :param question: what it asks; None: new questions, where training knows none of its queries.
    :returns: its manifest, and in words what is on both sides.
    """
    pairs = project.newest("pairs")
    notes = []
    with project.publish("queries", {"corpus": over.id}, **details) as draft:
        query_set.save(draft)
        asks = question or NEW_QUESTIONS
        if pairs is not None:
            shown = query_set.unsealed(project)  # What it finds is shown with examples.
            check = check_leaks(training_side(project, pairs, corpus), shown, corpus)
            draft.details["leaks"] = check.as_json(pairs.id)
            asks = question or question_for(len(shown.queries), check.queries)
            note = check.note(asks) or check.crossing(asks, len(shown.queries))
            notes += [note] if note else []
        draft.details[QUESTION] = asks
    return project.artifact("queries", draft.id), notes


def _missing(judgments: Judgments, known: set[str]) -> str | None:
    """In words how many judgments point to documents that the corpus does not have."""
    pointing = [d for judged in judgments.values() for d in judged if d not in known]
    if not pointing:
        return None
    names = list(dict.fromkeys(pointing))
    shown = ", ".join(map(repr, names[:3]))
    more = f", and {len(names) - 3:,} more" if len(names) > 3 else ""
    near = near_miss(names, known)
    return (
        f"{len(pointing):,} judgments point to documents that are not in the corpus ({shown}{more}): they "
        f"stay, and where they are relevant they count as not found{f'; {near}' if near else ''}"
    )
