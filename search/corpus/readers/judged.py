"""Judgments as they are read, put together at the end: grades by one scale, several of one document by their median."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from search.corpus.labels import Judgments
from search.corpus.readers.grade_columns import words_of
from search.corpus.readers.grades import GradeRules, Scale, UnclearGrades, scale_of
from search.corpus.readers.report import BadField, Report, clean_text

_RATERS = frozenset(
    {"rater", "judge", "annotator", "assessor", "reviewer", "grader", "coder", "evaluator", "worker", "labeler", "user"}
)  # fmt: skip
_LONGEST = 100
RELEVANT = "no column of grades: every row counts as relevant"


@dataclass(frozen=True)
class JudgedColumns:
    """Which columns of a table hold queries, their ids, ids of documents and grades, and what the grades mean.

    None leaves it to a guess by name; a grade of "" says that there is none, so that each row counts as relevant.
    Several columns of grades are those of several raters; of several of ids, the first counts that a file has.
    """

    query: str | None = None
    document: str | None = None
    grade: str | Sequence[str] | None = None
    id: str | Sequence[str] | None = None
    grades: GradeRules | None = None


@dataclass
class JudgedRows:
    """The rows of a file of judgments: where each stands, query, document, and what was said of them."""

    report: Report
    rows: list[tuple[str, str, str, tuple[str, ...]]] = field(default_factory=list)
    values: Counter[str] = field(default_factory=Counter)

    def add(self, where: str, query: str, document: str, said: Sequence[Any]) -> None:
        """Note one judgment, with what each rater said.

        :raises BadField: for what cannot be a grade (an object, a text as long as a page).
        """
        texts = tuple(text for value in said for text in _texts(value))
        self.rows.append((where, query, document, texts))
        self.values.update(texts)

    def judgments(
        self,
        columns: Sequence[str],
        rules: GradeRules | None,
        is_qrels: bool,
        option: str = "--grade-column",
    ) -> Judgments:
        """The grade of each document for each query; what has none is refused in the report.

        :param columns: those that hold grades; where there are none, each row counts as relevant.
        :param rules: what the person said that values mean.
        :param is_qrels: a file of ids and numbers alone.
        :param option: by which a person names the columns, for messages.
        :raises UnclearGrades: when it cannot be told which values mean "not relevant".
        """
        scale = None
        if columns:
            name = ", ".join(columns)
            try:
                scale = scale_of(self.values, name, rules, self.report.source, is_qrels, option)
            except UnclearGrades as error:
                error.roles = dict(self.report.roles)
                raise
            self.report.meanings = {v: g for v, g in scale.grades.items() if isinstance(g, int)}
            obvious = is_qrels and all(value.lstrip("-").isdecimal() for value in self.values)
            if scale.sentence and not obvious:
                self.report.notes.append(scale.sentence)
        else:
            self.report.notes.append(RELEVANT)
        graded: dict[tuple[str, str], list[tuple[str, int]]] = {}
        for where, query, document, texts in self.rows:
            try:
                grade = 1 if scale is None else _grade(scale, texts)
            except BadField as error:
                self.report.refuse(where, str(error))
                continue
            graded.setdefault((query, document), []).append((where, grade))
        judgments = self._combined(graded)
        self.report.sort_refused()
        return judgments

    def _combined(self, graded: Mapping[tuple[str, str], list[tuple[str, int]]]) -> Judgments:
        judgments: Judgments = {}
        raters = any(set(words_of(name)) & _RATERS for name in self.report.columns)
        differing = []
        for (query, document), rows in graded.items():
            grades = sorted(grade for _, grade in rows)
            judgments.setdefault(query, {})[document] = _median(grades)
            if grades[0] == grades[-1] and not raters:
                for where, _ in rows[1:]:
                    self.report.refuse(where, "the same judgment stands in an earlier row")
                rows = rows[:1]
            if grades[0] != grades[-1]:
                differing.append((query, document, [grade for _, grade in rows]))
            self.report.accepted += len(rows)
        if differing:
            query, document, grades = differing[0]
            count = (
                "1 document was" if len(differing) == 1 else f"{len(differing):,} documents were"
            )
            self.report.notes.append(
                f"{count} judged several times for a query, with different grades: the middle one counts, of two the lower "
                f"({document[:80]!r} for {query[:80]!r}: {', '.join(map(str, grades))})"
            )
        return judgments


def _texts(value: Any) -> list[str]:
    """What a cell of a grade says, as text; a list holds what several raters said."""
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [clean_text(value, "the grade", _LONGEST)]


def _grade(scale: Scale, texts: Sequence[str]) -> int:
    """What the raters of a row say together; those who said nothing are passed over."""
    grades, reasons = [], []
    for text in texts:
        try:
            grades.append(scale.grade(text))
        except BadField as error:
            reasons.append(str(error))
    if not grades:
        raise BadField(next(iter(reasons), "the grade is empty"))
    return _median(sorted(grades))


def _median(grades: Sequence[int]) -> int:
    """The middle one of grades in order; of an even number the lower of the two (when in doubt, less relevant)."""
    return grades[(len(grades) - 1) // 2]


def without(judgments: Judgments, queries: Iterable[str]) -> Judgments:
    """The judgments of all other queries."""
    gone = set(queries)
    return {query: judged for query, judged in judgments.items() if query not in gone}
