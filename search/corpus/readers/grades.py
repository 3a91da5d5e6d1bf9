"""What people write for a judgment: numbers, yes and no, Exact and Irrelevant, into grades of which 0 is "not relevant".

A scale is decided over all values of a column. What is not understood is asked for, never guessed: a column that says
"not relevant" and is read as "relevant" turns a proof round.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from search.corpus.readers.grade_words import MISSING, by_words, folded
from search.corpus.readers.report import BadField, Report
from search.projects.errors import Refused

HIGHEST_GRADE = 1_000_000
_SHOWN = 8
_FEW = 11
_LIKERT = 4
_NEGATED = re.compile(
    r"(?<![a-z])(?:not|non|irrelevan[a-z]*|nonrelevant|unrelated|incorrect|wrong|bad)(?![a-z])",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"([+-]?\d+(?:[.,]\d+)?(?:e[+-]?\d+)?|[+-]?inf|nan)", re.IGNORECASE)
_NUMBERED = re.compile(r"([+-]?\d+)\s*(?:[-–—:=.)]|\()\s*\D.*")
_RULE = re.compile(r"(?:>=|≥)\s*(-?\d+(?:\.\d+)?)\s*=\s*(\d+)")


class UnclearGrades(Refused):
    """Columns or values that nobody can read as grades without a word from the person.

    :ivar column: the column, where it is known.
    :ivar values: what it says, the most frequent first.
    :ivar roles: what was understood of the other columns.
    """

    def __init__(self, message: str, column: str = "", values: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.column = column
        self.values = tuple(values)
        self.roles: dict[str, str] = {}


@dataclass(frozen=True)
class GradeRules:
    """What the person said that values mean, as `--grades` has it.

    >>> GradeRules.parse("E=3,I=0").exact
    {'e': 3, 'i': 0}
    >>> GradeRules.parse(">=0.5=1").least
    ((0.5, 1),)
    >>> GradeRules.parse("numbers").numbers
    True
    """

    exact: Mapping[str, int] = field(default_factory=dict)
    least: tuple[tuple[float, int], ...] = ()
    numbers: bool = False

    @classmethod
    def parse(cls, text: str) -> "GradeRules":
        """The rules of an option: VALUE=GRADE,... , >=NUMBER=GRADE for all numbers from one on, or "numbers".

        Values that hold a comma are given as JSON: {"value": grade}.

        :raises Refused: for anything else.
        """
        if text.strip().casefold() == "numbers":
            return cls(numbers=True)
        exact: dict[str, int] = {}
        least: list[tuple[float, int]] = []
        for name, said in _assignments(text):
            rule = _RULE.fullmatch(f"{name}={said}")
            if rule is not None:
                least.append((float(rule[1]), int(rule[2])))
            elif said.isdecimal() and int(said) <= HIGHEST_GRADE:
                exact[folded(name)] = int(said)
            else:
                raise Refused(
                    f"--grades: {name}={said} gives no whole number. Write a grade for each value: "
                    '--grades "yes=1,no=0", or from a number on: --grades ">=0.5=1".'
                )
        return cls(exact, tuple(sorted(least, reverse=True)))

    def grade(self, value: str) -> int:
        """The grade of a value.

        :raises BadField: for one that no rule names.
        """
        said = folded(value)
        if said in self.exact:
            return self.exact[said]
        number = _as_number(value)
        if number is not None and not math.isnan(number):
            same = [g for name, g in self.exact.items() if _as_number(name) == number]
            if same:
                return same[0]
            if self.least:
                return next((grade for least, grade in self.least if number >= least), 0)
        if said in MISSING:
            raise BadField("the grade is empty" if not said else f"no grade: {value!r}")
        raise BadField(f"the grade {value!r} is none of those that --grades names")


@dataclass(frozen=True)
class Scale:
    """What the values of a column mean: value to grade, or why it has none; and in words what was understood."""

    grades: Mapping[str, int | str]
    sentence: str = ""

    def grade(self, value: str) -> int:
        """The grade of a value.

        :raises BadField: for one that has none.
        """
        said = self.grades[value]
        if isinstance(said, str):
            raise BadField(said)
        return said


def scale_of(
    values: Mapping[str, int],
    column: str,
    rules: GradeRules | None = None,
    source: str = "",
    is_qrels: bool = False,
    option: str = "--grade-column",
) -> Scale:
    """The scale of a column.

    :param values: what it says, and in how many rows.
    :param column: its name, for messages.
    :param rules: what the person said of it.
    :param option: by which a person names the column, for messages.
    :param is_qrels: a file of ids and numbers alone, in which by TREC's convention all above 0 is relevant; in a table
        nothing says whether the 1 of "1 to 5" is.
    :raises UnclearGrades: when it cannot be told which values mean "not relevant".
    """
    if rules is not None and not rules.numbers:
        return _by_rules(values, column, rules)
    if rules is None and _NEGATED.search(column):
        why = 'and its name says "not": is it relevant what it says yes or 1 of, or is it not'
        shown = ",".join(f"{value}=?" for value in list(values)[:_SHOWN])
        raise _unclear(values, column, source, why, f'--grades "{shown}"', option)
    known = [value for value in values if folded(value) not in MISSING]
    numbers = {v: n for v in known if (n := _as_number(v)) is not None}
    if not numbers and known and all(_NUMBERED.fullmatch(v.strip()) for v in known):
        numbers = {v: float(m[1]) for v in known if (m := _NUMBERED.fullmatch(v.strip()))}
    words = by_words(known, column)
    read: Mapping[str, object] = words if len(words) > len(numbers) else numbers
    unread = [value for value in known if value not in read and folded(value) != "nan"]
    odd = sum(values[v] for v in unread)
    if odd > sum(values[v] for v in read) or (odd and read is words):
        raise _unclear(
            values, column, source, "and that is not a scale that is known here", "", option
        )
    if read is words:
        made: dict[str, int | str] = dict(words)
        sentence = _sentence(column, words)
    else:
        made, sentence = _by_numbers(numbers, values, column, rules, source, is_qrels, option)
    for value in values:
        if folded(value) in MISSING and value not in read:
            made[value] = "the grade is empty" if not folded(value) else f"no grade: {value!r}"
        elif value not in made:
            kind = "a number" if read is numbers else "of the scale"
            made[value] = f"the grade {value!r} is not {kind}"
    return Scale(made, sentence)


def require_clear_entailment(
    values: Mapping[str, int], report: Report, rules: GradeRules | None
) -> None:
    """Refuse numbers for entailment, of which SNLI, MNLI, QNLI and RTE write 0 for "follows".

    :param values: what the labels of pairs say.
    :raises UnclearGrades: when they are numbers, and columns or numbers say that it may be entailment.
    """
    numbers = {number for value in values if (number := _as_number(value)) is not None}
    asked, answered = (report.roles.get(role, "").casefold() for role in ("query", "response"))
    entailment = answered in ("hypothesis", "premise") or (asked, answered) == (
        "question",
        "sentence",
    )
    three = {0.0, 1.0, 2.0} <= numbers <= {-1.0, 0.0, 1.0, 2.0} and asked.startswith(
        ("sentence", "premise")
    )
    if rules is None and numbers and (entailment or three):
        usual = ",".join(f"{n:.0f}={int(n == 0)}" for n in sorted(numbers) if n >= 0)
        error = _unclear(
            values,
            report.roles["label"],
            report.source,
            'and many sets of entailment write 0 for "follows"',
            f'--grades "{usual}" where 0 is entailment; --grades numbers where 0 is "no"',
            "--label-column",
        )
        error.roles = dict(report.roles)
        raise error


def is_scale(values: Sequence[str]) -> bool:
    """Whether values look like judgments by themselves: words of a known scale, or small whole numbers with a "no".

    >>> is_scale(["yes", "no"]), is_scale(["0", "1", "2"]), is_scale(["cardiology", "oncology"]), is_scale(["3", "7"])
    (True, True, False, False)
    """
    known = [value for value in values if folded(value) not in MISSING]
    numbers = [_as_number(value) for value in known]
    if known and all(n is not None and n.is_integer() and -1 <= n < _FEW for n in numbers):
        return 0.0 in numbers or -1.0 in numbers
    words = by_words(known, "")
    return len(words) == len(known) and 0 in words.values()


def _assignments(text: str) -> list[tuple[str, str]]:
    if text.lstrip().startswith("{"):
        try:
            given = json.loads(text)
        except ValueError:
            raise Refused("--grades is not JSON, though it begins with a brace.") from None
        return [(str(name), str(said)) for name, said in given.items()]
    made = []
    for part in filter(str.strip, re.split(r"[,;]", text)):
        name, sign, said = part.strip().rpartition("=")
        if not sign or not name.strip():
            raise Refused(
                f"--grades: {part.strip()} is not of the form VALUE=GRADE. Write a grade for each value, 0 for "
                '"not relevant": --grades "yes=1,no=0".'
            )
        made.append((name.strip(), said.strip()))
    return made


def _as_number(value: str) -> float | None:
    said = value.strip()
    if not _NUMBER.fullmatch(said):
        return None
    return float(said.replace(",", "."))


def _by_rules(values: Mapping[str, int], column: str, rules: GradeRules) -> Scale:
    made: dict[str, int | str] = {}
    for value in values:
        try:
            made[value] = rules.grade(value)
        except BadField as error:
            made[value] = str(error)
    return Scale(made, _sentence(column, {v: g for v, g in made.items() if isinstance(g, int)}))


def _by_numbers(
    numbers: Mapping[str, float],
    values: Mapping[str, int],
    column: str,
    rules: GradeRules | None,
    source: str,
    is_qrels: bool,
    option: str,
) -> tuple[dict[str, int | str], str]:
    """Numbers as grades; what is below 0 is 0."""
    made: dict[str, int | str] = {}
    usable: dict[str, float] = {}
    for value, number in numbers.items():
        if math.isnan(number) or math.isinf(number):
            made[value] = f"the grade {value!r} is not a number"
        elif number > HIGHEST_GRADE:
            made[value] = f"the grade {value!r} is over the limit of {HIGHEST_GRADE:,}"
        else:
            usable[value] = number
    fractions = any(number != round(number) for number in usable.values())
    lowest, highest = min(usable.values(), default=0.0), max(usable.values(), default=0.0)
    if rules is None and fractions:
        raise _unclear(
            values,
            column,
            source,
            "and nothing tells from which number on a document is relevant",
            f'--grades ">={0.5 if highest <= 1 else (lowest + highest) / 2:g}=1"; or all above 0 are grades as they are: --grades numbers',
            option,
        )
    if rules is None and not is_qrels:
        if lowest >= 1 and highest >= _LIKERT:
            usual = ",".join(
                f"{n}={n - 1}" for n in range(round(lowest), min(round(highest), 9) + 1)
            )
            raise _unclear(
                values,
                column,
                source,
                f"and nothing tells whether {lowest:.0f} means relevant",
                f'--grades "{usual}" where it does not; --grades numbers where all of them do',
                option,
            )
        if len(set(usable.values())) > _FEW:
            raise _unclear(
                values,
                column,
                source,
                "which are many for grades",
                f'--grades ">={highest / 2:.0f}=1"; or all above 0 are grades as they are: --grades numbers',
                option,
            )
    factor = 10 ** max(map(_decimals, usable.values()), default=0) if fractions else 1
    made |= {value: max(round(number * factor), 0) for value, number in usable.items()}
    return made, _numbers_in_words(column, usable, lowest, highest, factor)


def _numbers_in_words(
    column: str, usable: Mapping[str, float], lowest: float, highest: float, factor: int
) -> str:
    if not usable:
        return ""
    span = f"{lowest:g} to {highest:g}" if lowest < highest else f"{lowest:g}"
    said = f"grades from {column!r}: {span}"
    if factor > 1:
        said += f", times {factor:,} to be whole numbers (nDCG stays the same)"
    if lowest > 0:
        return f"{said}; none is 0, so every row counts as relevant"
    below = ", and so is what is below" if lowest < 0 else ""
    return f"{said}; 0 is not relevant{below}"


def _decimals(number: float) -> int:
    text = f"{number:.4f}".rstrip("0")
    return len(text.partition(".")[2])


def _sentence(column: str, grades: Mapping[str, int]) -> str:
    ordered = sorted(grades.items(), key=lambda item: (-item[1], item[0]))
    said = ", ".join(f"{value} = {grade}" for value, grade in ordered[:_SHOWN])
    more = f" and {len(ordered) - _SHOWN:,} more" if len(ordered) > _SHOWN else ""
    return f"grades from {column!r}: {said}{more}; 0 is not relevant"


def _unclear(
    values: Mapping[str, int], column: str, source: str, why: str, way: str, option: str
) -> UnclearGrades:
    """The refusal of a column, with its values and what to type."""
    frequent = sorted(values, key=lambda value: (-values[value], value))
    shown = ", ".join(f"{value!r}" for value in frequent[:_SHOWN])
    more = f" and {len(frequent) - _SHOWN:,} more" if len(frequent) > _SHOWN else ""
    given = ",".join(f"{value}=?" for value in frequent[:_SHOWN])
    way = way or f'--grades "{given}"'
    return UnclearGrades(
        f"{source}: the grades in {column!r} are {shown}{more}, {why}. Say what each means, 0 for not relevant: "
        f'{way}; or that it holds none: {option} "".',
        column,
        frequent,
    )
