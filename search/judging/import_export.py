"""Judgments out and in again: a CSV of everything that stands, and TREC qrels of what the judges say together."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from search.corpus.isolated.door import (
    one_child,
    read_judged_queries,
    read_judgments,
    read_queries,
    read_rows,
)
from search.corpus.isolated.limits import OverLimit
from search.corpus.labels import query_id
from search.corpus.readers.grades import UnclearGrades
from search.corpus.readers.identities import ids_in_lines
from search.corpus.readers.judged import JudgedColumns
from search.corpus.readers.report import BadField, Report, Row, clean_text
from search.corpus.readers.tables import open_report
from search.evaluation.query_sets.query_set import QuerySet
from search.judging.aggregation import Combine, Grades
from search.judging.store import KNOWN, JudgmentStore, Question
from search.judging.votes import ColumnPair, Judgment, choice_of, grade, judge_name, vote
from search.projects import audit
from search.projects.errors import Refused
from search.projects.files import write_atomically
from search.projects.project import Project
from search.projects.settings import LIMITS
from search.text.spreadsheet_cells import csv_text, unguarded

COLUMNS = (
    "kind", "judge", "known_by", "question_id", "question", "document_id", "grade", "first", "second", "vote", "final",
    "time",
)  # fmt: skip


_KNOWN_BY = {"signed in": "signed in", "not signed in": "typed"}
"""How it is known who judged, as the export says it; what a file brought is "imported", whatever that file says."""


def as_csv(project: Project) -> str:
    """Every vote and grade that stands, a row each; the votes name the two columns as first and second."""
    store = JudgmentStore.of(project)
    texts = {question.id: question.text for question in store.questions()}
    rows = []
    for judgment in store.standing():
        row = {
            "kind": judgment.kind, "judge": judgment.judge, "question_id": judgment.question,
            "known_by": _KNOWN_BY.get(str(judgment.details.get(KNOWN)), "imported"),
            "question": texts.get(judgment.question, ""), "final": "yes" if judgment.final else "",
            "time": judgment.time,
        }  # fmt: skip
        if judgment.kind == "grade":
            row |= {"document_id": judgment.target, "grade": judgment.value or ""}
        else:
            pair = ColumnPair.from_key(judgment.target)
            row |= {"first": pair.first, "second": pair.second, "vote": judgment.value or ""}
        rows.append([row.get(column, "") for column in COLUMNS])
    return csv_text(COLUMNS, rows)


def as_qrels(project: Project, how: Combine = Combine.MEDIAN) -> str:
    """The grades that judges gave together, as TREC qrels: question, 0, document, grade, with tabs between."""
    store = JudgmentStore.of(project)
    judgments = Grades.of(store.standing()).judgments(how)
    asked = ids_in_lines([*(question.id for question in store.questions()), *judgments])
    found = ids_in_lines(document for judged in judgments.values() for document in judged)
    return "".join(
        f"{asked[question]}\t0\t{found[document]}\t{value}\n"
        for question, judged in judgments.items()
        for document, value in judged.items()
    )


def as_queries(project: Project) -> str:
    """The questions with a grade, as BEIR's queries.jsonl: what the ids in the qrels stand for."""
    store = JudgmentStore.of(project)
    judged = Grades.of(store.standing()).judgments()
    asked = ids_in_lines(question.id for question in store.questions())
    return "".join(
        json.dumps({"_id": asked[question.id], "text": question.text}, ensure_ascii=False) + "\n"
        for question in store.questions()
        if question.id in judged
    )


def export(project: Project, path: Path, how: Combine = Combine.MEDIAN) -> None:
    """Write judgments to a file: all of them for .csv, the questions for .jsonl, TREC qrels for anything else.

    :raises Refused: when there is nothing to write.
    """
    made = {".csv": as_csv, ".jsonl": as_queries}.get(path.suffix.lower())
    content = made(project) if made else as_qrels(project, how)
    if len(content.splitlines()) < (2 if made is as_csv else 1):
        raise Refused(f"{project.name!r} has no {'judgments' if made is as_csv else 'grades'} yet.")
    audit.note("exported", project.name, "judgments")
    write_atomically(path, content)


@dataclass(frozen=True)
class ImportedJudgments:
    """What an import brought: judgments that were new, and in words what was left out."""

    judgments: int
    notes: list[str]


def import_judgments(
    project: Project,
    path: Path,
    judge: str = "",
    queries: Path | None = None,
    columns: JudgedColumns = JudgedColumns(),
) -> ImportedJudgments:
    """Read judgments from a file: a CSV as `as_csv` writes it, a table of query, document and grade, or qrels.

    What stands here and is as new is kept; so importing twice changes nothing.

    :param judge: who gave the grades of a table or a qrels file, which does not say so. Default: the file's name.
    :param queries: what the ids in a qrels file stand for; those of known questions need none.
    :param columns: those of a table or a qrels file, and what its grades mean.
    :raises Refused: when the file, or every row of it, cannot be used.
    """
    store = JudgmentStore.of(project)
    with one_child():
        if path.suffix.lower() == ".csv" and _is_export(path):
            report, found = _from_csv(path)
        else:
            report, found = _from_grades(project, store, path, judge, queries, columns)
    report.require_some("judgments")
    names = {
        name: store.join(name) for name in dict.fromkeys(judgment.judge for judgment, _ in found)
    }
    known = {q.id: q.text for q in store.questions()}
    by_text = {text: identity for identity, text in known.items()}
    standing = {judgment.key: judgment.time for judgment in store.standing()}
    new, older = [], 0
    asked: dict[str, Question] = {}
    for judgment, text in found:
        identity = judgment.question
        if text and known.get(identity, text) != text:
            # The id stands for another question here.
            identity = by_text.get(text) or query_id(text)
        if identity not in known and not text:
            report.refuse(judgment.question, "nobody knows what this question is")
            continue
        if identity not in known:
            asked[identity] = Question(identity, text, "imported")
        moved = replace(judgment, judge=names[judgment.judge], question=identity)
        if moved.key in standing and standing[moved.key] >= (moved.time or "9"):
            older += 1
        else:
            new.append(replace(moved, token=_token(moved)))
    store.ask(asked.values())
    kept = store.add(new)
    notes = list(report.notes)
    if report.refused_count:
        notes.append(report.left_out)
    if same := older + len(new) - len(kept):
        notes.append(f"{same:,} were here already, as new or newer")
    return ImportedJudgments(len(kept), notes)


def _from_csv(path: Path) -> tuple[Report, list[tuple[Judgment, str]]]:
    report = open_report(path)
    rows = read_rows(path, report)
    found = []
    for row in rows:
        try:
            found.append(_row(row))
        except (BadField, Refused) as error:
            report.refuse(row.where, str(error))
            continue
        report.accepted += 1
    missing = [name for name in ("kind", "judge", "question") if name not in report.columns]
    if missing:
        raise Refused(
            f"{report.source} is no export of judgments: it has no column {', '.join(missing)}. For a table of "
            "query, document and grade: python cli.py queries PROJECT FILE."
        )
    return report, found


def _row(row: Row) -> tuple[Judgment, str]:
    """One row of a CSV as a judgment, with the text of its question."""

    def said(name: str, limit: int = LIMITS.id_characters) -> str:
        value = row.fields.get(name)
        value = unguarded(value) if isinstance(value, str) else value
        return clean_text(value, name, limit)

    text = said("question", LIMITS.query_characters)
    question = said("question_id") or (query_id(text) if text else "")
    if not question:
        raise BadField("the question is empty")
    more = {"final": said("final") == "yes", "time": said("time", 40)}
    judge = judge_name(said("judge"))
    if said("kind") == "grade":
        value, document = said("grade"), said("document_id")
        if value not in ("0", "1", "2", "3") or not document:
            raise BadField("a grade needs a document and a number from 0 to 3")
        return grade(judge, question, document, int(value), **more), text
    choice = choice_of(said("vote"))
    if said("kind") != "vote" or choice is None or not said("first") or not said("second"):
        raise BadField("is neither a grade nor a vote for first, second, both or neither")
    pair = ColumnPair.of(said("first"), said("second"))
    if pair.first != said("first") and choice in ("first", "second"):
        choice = "second" if choice == "first" else "first"
    return vote(judge, question, pair, choice, **more), text


def _is_export(path: Path) -> bool:
    """Whether a CSV has columns that only an export of judgments has."""
    report = open_report(path)
    read_rows(path, report)
    return bool({"kind", "judge"} & set(report.columns))


def _from_grades(
    project: Project,
    store: JudgmentStore,
    path: Path,
    judge: str,
    queries: Path | None,
    columns: JudgedColumns,
) -> tuple[Report, list[tuple[Judgment, str]]]:
    """The grades of a table that holds the questions too, or of qrels, whose ids must be known or given."""
    texts = {question.id: question.text for question in store.questions()}
    manifest = project.newest("queries")
    if manifest is not None:
        texts = {**QuerySet.load(project, manifest).queries, **texts}
    name = judge_name(judge or path.stem)
    if queries is not None:
        texts = {**texts, **read_queries(queries)[0]}
    else:
        try:
            asked, judgments, report = read_judged_queries(path, columns)
        except (UnclearGrades, OverLimit):
            raise
        except Refused:  # No table with the questions: ids, then.
            asked = {}
        if not set(asked.values()) <= texts.keys():
            return report, list(_graded(judgments, asked, name, report))
    judgments, report = read_judgments(path, columns)
    return report, list(_graded(judgments, texts, name, report))


def _graded(
    judgments: dict[str, dict[str, int]], texts: dict[str, str], judge: str, report: Report
) -> Iterator[tuple[Judgment, str]]:
    for question, judged in judgments.items():
        if question not in texts:
            report.refuse(repr(question), "no question has this id: give --queries")
            report.accepted -= len(judged)
            continue
        for document, value in judged.items():
            # Grades beyond ours (some sets go to 4) are the best that there is.
            yield grade(judge, question, document, min(value, 3)), texts[question]


def _token(judgment: Judgment) -> str:
    said = [*judgment.key, judgment.value, judgment.time]
    return "import-" + hashlib.sha256(json.dumps(said).encode()).hexdigest()
