"""Which columns of a table hold grades: by their names, and where no name says so, by what they hold."""

import re
from collections.abc import Sequence
from itertools import groupby

from search.corpus.readers.grades import UnclearGrades, is_scale
from search.corpus.readers.report import Report, Row, guess_column

LOOKED_AT = 5_000
_SURE = (
    "grade", "relevance", "relevancy", "rel", "gold_label", "gold", "final_grade", "final_label", "judgment",
    "judgement", "relevance_grade", "relevance_label", "relevance_score", "relevance_judgment", "esci_label",
)  # fmt: skip
_WORDS = frozenset(
    {"grade", "grades", "graded", "relevance", "relevancy", "relevant", "relevanz", "pertinence", "rel", "score", "scores",
     "judgment", "judgement", "judgments", "judgements", "judged", "rating", "ratings", "rated", "bewertung", "label",
     "labels", "gold", "qrel", "qrels", "annotation", "verdict", "stars", "gain", "correct", "match", "matches", "useful",
     "usefulness", "helpful", "similarity", "sim", "duplicate", "similar", "esci", "feedback", "vote", "thumbs", "selected", "relevantie"}
)  # fmt: skip
_RATERS = frozenset(
    {"rater", "judge", "annotator", "assessor", "expert", "reviewer", "grader", "coder", "evaluator", "user"}
)  # fmt: skip
# Words in the name of a column that speaks about a judgment, or about something else.
_NOT = frozenset(
    {"id", "ids", "time", "timestamp", "date", "count", "version", "comment", "comments", "reason", "explanation",
     "confidence", "bm25", "rank", "position", "retrieval", "name", "email", "url", "source", "split", "locale", "language",
     "lang", "iteration", "teacher", "iter", "page", "section", "title", "number", "year", "suggestion", "users", "status"}
)  # fmt: skip
# In a table of pairs, scores of answers and of negatives by a teacher (FlagEmbedding's pos_scores).
_NOT_OF_PAIRS = frozenset({"pos", "neg", "positive", "negative"})
_LONGEST_VALUE = 30
_MOST_VALUES = 10


def words_of(name: str) -> list[str]:
    """The words of a column's name, in small letters.

    >>> words_of("esci_label"), words_of("relevanceGrade 2")
    (['esci', 'label'], ['relevance', 'grade', '2'])
    """
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return re.findall(r"[^\W\d_]+|\d+", parted.casefold())


def grade_columns(
    report: Report,
    ahead: Sequence[Row],
    chosen: str | Sequence[str] | None,
    option: str,
    is_pairs: bool = False,
) -> tuple[str, ...]:
    """The columns of a table that hold grades; several are those of several raters.

    :param report: its roles say which columns hold the query and the document (or the response).
    :param ahead: the first rows of the table, which are looked at where no name says enough.
    :param chosen: what the person said; "" for none.
    :param option: the option by which a person says it, for messages.
    :param is_pairs: a table of pairs, of which most have no labels: only what holds yes and no is asked for.
    :returns: none where no column can be one; that is noted in the report.
    :raises UnclearGrades: when several columns may be meant, or one that is not named like it holds what looks like grades.
    """
    if chosen is not None:
        wanted = [chosen] if isinstance(chosen, str) else list(chosen)
        return _chosen(report, [name for name in wanted if name])
    free = [c for c in report.columns if c and c not in _taken(report)]
    if is_pairs:
        free = [column for column in free if not set(words_of(column)) & _NOT_OF_PAIRS]
    named = [column for column in free if _is_named(column)]
    if len(named) > 1 and not _are_raters(named):
        certain = [c for name in _SURE for c in named if _folded(c) == name]
        if not certain:
            raise _unclear(
                report,
                f"the columns {_listed(named)} may hold grades. Say which does: {option} {named[0]!r} (repeat it for "
                f'several raters), or {option} "" for none.',
            )
        others = [column for column in named if column != certain[0]]
        report.notes.append(f"not read as grades: {_listed(others)}")
        named = certain[:1]
    if named:
        return tuple(named)
    if raters := _raters(free, ahead):
        return raters
    looks = [column for column in free if _may_judge(report, ahead, column)]
    if is_pairs:
        looks = [column for column in looks if is_scale(_values(ahead, column))]
    if looks:
        values = ", ".join(map(repr, _values(ahead, looks[0])[:5]))
        raise _unclear(
            report,
            f"the column {looks[0]!r} ({values}) may hold grades, and nothing says so. Say it: {option} {looks[0]!r}, or "
            f'{option} "" where every row counts as relevant.',
        )
    return ()


def _unclear(report: Report, why: str) -> UnclearGrades:
    error = UnclearGrades(f"{report.source}: {why}")
    error.roles = dict(report.roles)
    return error


def _chosen(report: Report, wanted: Sequence[str]) -> tuple[str, ...]:
    taken = _taken(report)
    return tuple(
        dict.fromkeys(
            column
            for name in wanted
            if (column := guess_column(report.columns, (), name, report.source, taken)) is not None
        )
    )


def _taken(report: Report) -> set[str]:
    """The columns that play a role already; negatives are noted in one string."""
    return {
        c
        for c in report.columns
        for said in report.roles.values()
        if c in (said, *said.split(", "))
    }


def _is_named(column: str) -> bool:
    words = set(words_of(column))
    return bool(words & _WORDS) and not words & _NOT


def _are_raters(columns: Sequence[str]) -> bool:
    """Whether names are one name with numbers or letters of several people.

    >>> _are_raters(["label_1", "label_2"]), _are_raters(["Grade A", "Grade B"]), _are_raters(["score", "label"])
    (True, True, False)
    """
    stems = [tuple(w for w in words_of(c) if len(w) > 1 and not w.isdecimal()) for c in columns]
    return len(columns) > 1 and len(list(groupby(stems))) == 1 and bool(stems[0])


def _raters(free: Sequence[str], ahead: Sequence[Row]) -> tuple[str, ...]:
    """Several columns called after raters (rater_1, rater_2 ...) that say no more than a few things."""
    named = [column for column in free if set(words_of(column)) & _RATERS]
    said = [_values(ahead, column) for column in named]
    few = all(len(v) <= _MOST_VALUES and all(len(s) <= _LONGEST_VALUE for s in v) for v in said)
    return tuple(named) if few and any(said) and _are_raters(named) else ()


def _may_judge(report: Report, ahead: Sequence[Row], column: str) -> bool:
    """Whether a column that is not named like it may hold judgments of a document for a query.

    A judgment says no more than a few things, among them "no", or differs between the documents of a query and, for
    one document, between queries; what only describes the query, or the document, is no judgment.
    """
    if set(words_of(column)) & _NOT:
        return False
    values = _values(ahead, column)
    if not 1 < len(values) <= _MOST_VALUES or any(len(v) > _LONGEST_VALUE for v in values):
        return False
    query, answer = (
        report.roles.get("query"),
        report.roles.get("document") or report.roles.get("response"),
    )
    by_query, by_document = (_said_by(ahead, role, column) for role in (query, answer))
    if all(len(said) == 1 for said, _ in by_query) and any(rows > 1 for _, rows in by_query):
        return False
    if is_scale(values):
        return True
    return any(len(said) > 1 for said, _ in by_document) and any(len(s) > 1 for s, _ in by_query)


def _said_by(ahead: Sequence[Row], role: str | None, column: str) -> list[tuple[set[str], int]]:
    """What a column says for each value of another one, and in how many rows."""
    groups: dict[str, tuple[set[str], int]] = {}
    for row in ahead:
        said, rows = groups.get(key := str(row.fields.get(role or "")), (set(), 0))
        groups[key] = (said | {str(row.fields.get(column))}, rows + 1)
    return list(groups.values())


def _values(ahead: Sequence[Row], column: str) -> list[str]:
    """What a column says, each once; no more than are looked at."""
    seen: dict[str, None] = {}
    for row in ahead:
        value = row.fields.get(column)
        if value is not None and str(value).strip():
            seen.setdefault(str(value).strip())
        if len(seen) > _MOST_VALUES:
            break
    return list(seen)


def _folded(name: str) -> str:
    return "_".join(words_of(name))


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(map(repr, columns))
