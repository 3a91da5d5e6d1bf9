"""Files into query/response pairs, with hard negatives and ids of documents where there are any.

A row may hold one answer or a list of them (FlagEmbedding's "pos", DPR's "positive_ctxs", Tevatron's
"positive_passages"), and say by a label or score that its text is no answer: then it is a negative of its query.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path, PurePath
from typing import Any

from search.corpus.labels import Judgments, Pair
from search.corpus.readers.annotations import unfolded
from search.corpus.readers.cells import first_rows
from search.corpus.readers.compressed import inner_name
from search.corpus.readers.grade_columns import LOOKED_AT, grade_columns
from search.corpus.readers.grades import GradeRules, is_scale, require_clear_entailment
from search.corpus.readers.headers import folded_name, with_header
from search.corpus.readers.identities import clean_id
from search.corpus.readers.json_maps import list_rows
from search.corpus.readers.judged import JudgedRows
from search.corpus.readers.report import BadField, Report, Row, clean_text, guess_column
from search.corpus.readers.tables import open_report, read_rows
from search.projects.errors import Refused
from search.projects.settings import LIMITS
from search.text.words import folded_words

_QUERY = (
    "query", "question", "anchor", "search_query", "user_query", "search", "search_term", "query_text",
    "question_text", "sentence1", "sentence_1", "text1", "text_1", "question1", "premise",
)  # fmt: skip
_RESPONSE = (
    "positive_ctxs", "positive_passages", "pos", "positives",
    "response", "answer", "positive", "context", "passage", "document", "response_text", "answer_text",
    "positive_text", "positive_passage", "passage_text", "document_text", "reply", "sentence2", "sentence_2",
    "text2", "text_2", "question2", "hypothesis",
)  # fmt: skip
_DOCUMENT = (
    "document_id", "doc_id", "docid", "docno", "corpus_id", "passage_id", "positive_id", "response_id",
)  # fmt: skip
_NEGATIVE = re.compile(
    r"(hard_)?neg(s|atives?)?(_(texts?|passages?|documents?|responses?|ctxs))?(_?\d+)?"
)
_NAMES = frozenset(
    map(folded_name, (*_QUERY, *_RESPONSE, *_DOCUMENT, "label", "score", "negative"))
)
_NEGATIVES = 20
_TEXT_FIELDS = ("text", "contents", "content", "passage_text", "body")


@dataclass(frozen=True)
class PairColumns:
    """Which columns play which role; None leaves it to a guess by name, "" says that there is none.

    `negative` may be several columns, and so may `label`, of several raters. With `document`, a pair names the
    document of the corpus that answers it by id; it needs no response then. `grades` says what labels mean.
    """

    query: str | None = None
    response: str | None = None
    negative: str | tuple[str, ...] | None = None
    document: str | None = None
    label: str | tuple[str, ...] | None = None
    grades: GradeRules | None = None


PairRow = tuple[str, Pair | str, list[Any]]
"""Where a row stands, a pair of it or why it is none, and what its columns of labels say."""

Complete = Callable[[Pair], Pair]
"""Fills in what only the corpus knows of a pair, or raises BadField to refuse its row."""


def as_they_are(pair: Pair) -> Pair:
    """The `Complete` for reading without a corpus."""
    return pair


@dataclass(frozen=True)
class PairFile:
    """What a file of pairs holds.

    :ivar pairs: queries and what answers them, with the negatives of their query.
    :ivar rejected: rows whose label says no, as pairs: their responses answer nothing.
    :ivar grades: where rows have labels: query to answer (the document's id, else the response) to grade.
    """

    pairs: list[Pair]
    rejected: list[Pair] = field(default_factory=list)
    grades: Judgments = field(default_factory=dict)


def read_pair_file(
    path: Path,
    report: Report,
    columns: PairColumns = PairColumns(),
    complete: Complete = as_they_are,
    rows: int | None = None,
) -> PairFile:
    """The pairs of one file; empty, repeated and contradictory ones are refused in the report.

    :param path: a file that `read_rows` can read as a table.
    :param report: from `open_report`; filled as the file is read.
    :param columns: the columns to use.
    :param complete: has the last word on each pair; without it a pair that names its document by id may
        come with an empty response.
    :param rows: stop after this many rows, and say so in the report's notes.
    :raises UnclearGrades: when labels do not tell which mean "no".
    :raises Refused: when the file as a whole cannot be used.
    """
    labels, read = pair_rows(path, report, columns, rows)
    return assembled(labels, read, report, columns, complete)


def pair_rows(
    path: Path, report: Report, columns: PairColumns = PairColumns(), rows: int | None = None
) -> tuple[tuple[str, ...], Iterator[PairRow]]:
    """The columns of labels of a file, and its pairs with the values of these, as they stand in it.

    :param rows: stop after this many rows of it, and say so in the report's notes.
    :raises Refused: as `read_pair_file`.
    """
    is_json = PurePath(inner_name(path)).suffix.lower() in (".json", ".jsonl", ".ndjson")
    table = (list_rows(path, report) if is_json else None) or read_rows(path, report)
    table = unfolded(with_header(table, report, _NAMES), report)
    ahead = list(islice(table, LOOKED_AT))
    table = chain(ahead, table)
    columns = _by_position(report, ahead, columns)
    negatives = _negatives_and_roles(report, columns)
    labels = (
        grade_columns(report, ahead, columns.label, "--label-column", is_pairs=True)
        if report.columns
        else ()
    )
    if labels:
        report.roles["label"] = ", ".join(labels)
    read = (
        (row.where, made, [row.fields.get(name) for name in labels])
        for row in first_rows(table, rows, report)
        for made in _pairs(row, report, negatives)
    )
    return tuple(labels), read


def assembled(
    labels: Sequence[str],
    rows: Iterable[PairRow],
    report: Report,
    columns: PairColumns,
    complete: Complete = as_they_are,
) -> PairFile:
    """The pairs of a file out of what `pair_rows` read: completed, without those that are there twice, by their labels.

    :raises UnclearGrades: when labels do not tell which mean "no".
    """
    labelled = JudgedRows(report)
    pairs: list[Pair] = []
    seen: set[Pair] = set()
    for where, read, values in rows:
        try:
            if not isinstance(read, Pair):
                raise BadField(read)
            made = complete(read)
            if labels:
                labelled.add(where, made.query, _answer(made), values)
            else:
                _check(made, seen)
        except BadField as error:
            report.refuse(where, str(error))
            continue
        seen.add(made)
        pairs.append(made)
    if not labels:
        report.accepted += len(pairs)
        return PairFile(pairs)
    require_clear_entailment(labelled.values, report, columns.grades)
    grades = labelled.judgments(labels, columns.grades, is_qrels=False, option="--label-column")
    return _by_label(pairs, labelled, grades, report)


def read_pairs(
    path: Path,
    report: Report,
    columns: PairColumns = PairColumns(),
    complete: Complete = as_they_are,
) -> Iterator[Pair]:
    """The pairs of `read_pair_file` alone."""
    return iter(read_pair_file(path, report, columns, complete).pairs)


def preview_pairs(
    path: Path,
    columns: PairColumns = PairColumns(),
    rows: int = 5,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> tuple[list[Pair], Report]:
    """Read a file, or the beginning of a large one, without saving anything.

    :param rows: how many pairs to return.
    :param encoding: what the file was saved in; None finds out.
    :param delimiter: what parts the columns of a CSV file; None finds out.
    :returns: its first pairs, and the report of all rows that were looked at.
    :raises Refused: as `read_pairs`, and when no row is usable.
    """
    report = open_report(path, encoding=encoding, delimiter=delimiter)
    held = read_pair_file(path, report, columns, rows=LIMITS.preview_rows)
    report.require_some("pairs")
    return held.pairs[:rows], report


def load_pairs(path: Path) -> list[Pair]:
    """The pairs of a file that this program wrote: one pair a line, its fields as JSON."""
    with path.open(encoding="utf-8") as stream:
        rows = (json.loads(line) for line in stream)
        return [Pair(**{**row, "negatives": tuple(row.get("negatives", ()))}) for row in rows]


def _by_position(report: Report, ahead: Sequence[Row], columns: PairColumns) -> PairColumns:
    """The columns of a table without a header: query, answer, and a negative or a label (MS MARCO's triples).

    :raises Refused: when it holds ids of texts.
    """
    if report.columns[:1] != ("column 1",) or len(report.columns) > 3 or columns.query:
        return columns
    sample = [[str(row.fields.get(name, "")) for name in report.columns] for row in ahead[:100]]
    if all(value.isdecimal() for row in sample for value in row):
        raise Refused(
            f"{report.source} holds ids of queries and passages, not their texts. Give the texts; or a header that names "
            "a column query and a column document_id, with the text of each query."
        )
    if all(row[0].isdecimal() for row in sample):  # Numbers of rows before the texts.
        if len(report.columns) < 3:
            raise Refused(
                f"{report.source} has one column of texts beside numbers: a pair needs a query and what answers it."
            )
        return replace(columns, query="column 2", response="column 3", label=columns.label or "")
    if len(report.columns) < 3:
        return replace(columns, query="column 1", response="column 2")
    third = [row[2] for row in sample]
    if is_scale(third) or all(re.fullmatch(r"-?\d+(\.\d+)?", value.strip()) for value in third):
        return replace(columns, query="column 1", response="column 2", label="column 3")
    return replace(columns, query="column 1", response="column 2", negative="column 3")


def _negatives_and_roles(report: Report, columns: PairColumns) -> tuple[str, ...]:
    """Find out which column plays which role; returns those of negatives, which may be several."""
    report.assign("query", _QUERY, columns.query or None)
    report.assign("response", _RESPONSE, columns.response)
    report.assign("document", _DOCUMENT, columns.document)
    negatives = _negative_columns(report, columns.negative)
    pointing = {} if "document" in report.roles else {"response": "response"}
    report.require_roles(
        {"query": "query", **pointing},
        "Say which to use (--query-column, --response-column, or --document-column for ids of documents).",
    )
    if negatives:
        report.roles["negative"] = ", ".join(negatives)
    return negatives


def _pairs(row: Row, report: Report, negatives: Sequence[str]) -> Iterator[Pair | str]:
    """The pairs of a row: one for each of its answers; the reason in the stead of one that cannot be used."""
    try:
        query = report.text_of(row, "query", LIMITS.query_characters)
        column = report.roles.get("response")
        answers = [] if column is None else _listed(row.fields.get(column))
        texts = list(dict.fromkeys(clean_text(_text(a), str(column)) for a in answers)) or [""]
        named = report.roles.get("document")
        document = clean_id(row.fields.get(named), named) if named else ""
        wrong = [
            clean_text(_text(t), name) for name in negatives for t in _listed(row.fields.get(name))
        ]
        if not query:
            raise BadField("the query is empty")
        texts = list(filter(None, texts)) or [""]
        if not any(texts) and not document:
            roles = {"response": "the response", "document": "the document id"}
            empty = [name for role, name in roles.items() if role in report.roles]
            raise BadField(f"{' and '.join(empty)} {'are' if len(empty) > 1 else 'is'} empty")
    except BadField as error:
        yield str(error)
        return
    for text in texts:
        yield Pair(query, text, document or None, tuple(dict.fromkeys(filter(None, wrong))))


def _answer(pair: Pair) -> str:
    """By what the answer of a pair is known."""
    return pair.document or pair.response


def _by_label(
    pairs: Sequence[Pair], labelled: JudgedRows, grades: Judgments, report: Report
) -> PairFile:
    """Rows that say yes as pairs, with the texts of those that say no as negatives of their query."""
    wheres: dict[tuple[str, str], str] = {}
    for where, query, answer, _ in reversed(labelled.rows):
        wheres[query, answer] = where
    first: dict[tuple[str, str], Pair] = {}
    for pair in pairs:
        key = (pair.query, _answer(pair))
        if _answer(pair) in grades.get(pair.query, {}):
            known = first.setdefault(key, pair)
            first[key] = replace(
                known, negatives=tuple(dict.fromkeys(known.negatives + pair.negatives))
            )
    rejected = [p for (q, answer), p in first.items() if grades[q][answer] == 0]
    wrong: dict[str, list[str]] = {}
    for pair in rejected:
        wrong.setdefault(pair.query, []).append(pair.response)
    made = []
    for (query, answer), pair in first.items():
        if grades[query][answer] > 0:
            said = folded_words(pair.response)
            others = [
                t for t in (*pair.negatives, *wrong.get(query, ())) if t and folded_words(t) != said
            ]
            made.append(replace(pair, negatives=tuple(dict.fromkeys(others))[:_NEGATIVES]))
    answered = {pair.query for pair in made}
    for pair in rejected:
        if pair.query not in answered:
            where = wheres[pair.query, _answer(pair)]
            report.refuse(where, "it says no, and no other row answers this query")
    report.sort_refused()
    report.accepted = len(made)
    rejected = [pair for pair in rejected if pair.query in answered]
    if rejected:
        rows = "1 row says no" if len(rejected) == 1 else f"{len(rejected):,} rows say no"
        report.notes.append(
            f"{rows}: no pairs but negatives of their queries (at most {_NEGATIVES} each)"
        )
    return PairFile(made, rejected, {query: grades[query] for query in answered})


def _negative_columns(report: Report, chosen: str | tuple[str, ...] | None) -> tuple[str, ...]:
    taken = report.roles.values()
    if chosen is None:
        return tuple(
            name
            for name in report.columns
            if name not in taken
            and _NEGATIVE.fullmatch(re.sub(r"[\s-]", "_", name.strip().casefold()))
        )
    wanted = (chosen,) if isinstance(chosen, str) else chosen
    found = (guess_column(report.columns, (), n, report.source, taken) for n in wanted if n)
    return tuple(dict.fromkeys(name for name in found if name is not None))


def _listed(value: Any) -> list[Any]:
    """The texts of a field: one, or the items of a list, which in a CSV file is written as JSON."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            items = json.loads(value)
        except (ValueError, RecursionError):
            return [value]
        return (
            items if isinstance(items, list) and all(isinstance(i, str) for i in items) else [value]
        )
    return list(value) if isinstance(value, list | tuple) else [value]


def _text(item: Any) -> Any:
    """The text of an item of a list, which may be an object with a title and a text beside."""
    if isinstance(item, dict):
        return next((item[name] for name in _TEXT_FIELDS if isinstance(item.get(name), str)), item)
    return item


def _check(pair: Pair, seen: set[Pair]) -> None:
    said = folded_words(pair.response)
    if any(
        text == pair.response or (said and folded_words(text) == said) for text in pair.negatives
    ):
        raise BadField("a negative says the same as the response")
    if pair in seen:
        raise BadField("the same pair stands in an earlier row")
