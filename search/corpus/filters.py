"""Conditions on metadata, applied inside a search: `type=case,statute`, `year>=2015`."""

import csv
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from search.projects.errors import Refused
from search.projects.settings import LIMITS

_SIGN = re.compile(r">=|<=|!=|[=<>]")
_SHOWN = 200
_ORDERED = (">=", "<=", ">", "<")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class Condition:
    """A column of metadata, a sign, and what it is compared with.

    `=` and `!=` take several values (any of them; none of them), capitals or not; `>=`, `<=`, `>` and `<` take
    one: numbers are compared as numbers, anything else (such as 2024-03-01) letter by letter.
    """

    column: str
    sign: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        """The condition as it is typed."""
        return f"{self.column}{self.sign}{_typed(self.values)}"

    def sql(self) -> tuple[str, list[str | float]]:
        """An SQL condition on `document` (the position of a document), and its parameters."""
        chosen = "document IN (SELECT document FROM facts WHERE name = ? AND "
        if self.sign in _ORDERED:
            value = self.values[0]
            number = as_number(value)
            if number is None:
                return f"{chosen}folded {self.sign} ?)", [self.column, value.casefold()]
            either = f"(number {self.sign} ? OR (number IS NULL AND folded {self.sign} ?))"
            return f"{chosen}{either})", [self.column, number, value.casefold()]
        marks = ",".join("?" * len(self.values))
        verb = "" if self.sign == "=" else "NOT "
        folded = [value.casefold() for value in self.values]
        return f"{verb}{chosen}folded IN ({marks}))", [self.column, *folded]


@dataclass(frozen=True)
class Scope:
    """What part of a corpus a search may find: documents that meet every condition, of one source tier.

    `tiers_first` says how to rank them: the better source tier before the others.
    """

    conditions: tuple[Condition, ...] = ()
    tier: int | None = None
    tiers_first: bool = False

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return not self.conditions and self.tier is None

    def sql(self) -> tuple[str, list[str | float]]:
        """An SQL condition on `document`, and its parameters."""
        parts, values = ["1"], list[str | float]()
        for condition in self.conditions:
            part, more = condition.sql()
            parts.append(part)
            values += more
        if self.tier is not None:
            parts.append("document IN (SELECT position FROM documents WHERE tier = ?)")
            values.append(self.tier)
        return " AND ".join(parts), values


@dataclass(frozen=True)
class Tiers:
    """Which sources come first: a column of metadata, and its values from the most to the least binding.

    A legal search ranks case law before statutes before blogs: `type=case,statute,blog`. Values that are not
    named come after all others.
    """

    column: str
    order: tuple[str, ...] = field(default_factory=tuple)

    def __str__(self) -> str:
        """The rule as it is typed."""
        return f"{self.column}={_typed(self.order)}"

    def of(self, value: str | None) -> int:
        """The tier of a document by its value in the column; 0 is the best."""
        folded = (value or "").strip().casefold()
        names = [name.casefold() for name in self.order]
        return names.index(folded) if folded in names else len(names)

    def name(self, tier: int) -> str:
        """What a tier is called."""
        return self.order[tier] if tier < len(self.order) else "other"


EVERYTHING = Scope()


def parse_condition(text: str) -> Condition:
    """A condition as it is typed: column, sign, value (several after = or !=, with commas between).

    :raises Refused: when it has no sign or no value.
    """
    if len(text) > LIMITS.filter_characters:
        raise Refused(
            f"The filter {text[:_SHOWN]!r}… has {len(text):,} characters; the limit is {LIMITS.filter_characters:,}."
        )
    found = _SIGN.search(text)
    column, rest = (text[: found.start()], text[found.end() :]) if found else ("", "")
    column, rest = column.strip(), rest.strip()
    if found is None or not column or not rest:
        raise Refused(
            f"The filter {text!r} is not of the form column=value (several with commas), column!=value, "
            "column>=value or column<=value."
        )
    sign = found.group()
    values = (rest,) if sign in _ORDERED else _values(rest)
    if not values:
        raise Refused(f"The filter {text!r} names no value.")
    return Condition(column, sign, values)


def parse_tiers(text: str) -> Tiers:
    """Source tiers as they are typed: `type=case,statute,blog`, the most binding first.

    :raises Refused: when there is no column or fewer than two values, or one is named twice.
    """
    column, sign, rest = text.partition("=")
    order = _values(rest)
    if not sign or not column.strip() or not order:
        raise Refused(
            f"The source tiers {text!r} are not of the form column=best,next,last, "
            "for example type=case,statute,blog."
        )
    folded = [value.casefold() for value in order]
    if len(set(folded)) < len(folded):
        raise Refused(f"The source tiers {text!r} name a value twice.")
    return Tiers(column.strip(), order)


def check_columns(conditions: Sequence[Condition], known: Sequence[str]) -> None:
    """Refuse a condition on a column that the corpus cannot filter by.

    :raises Refused: naming the columns that there are.
    """
    for condition in conditions:
        if condition.column not in known:
            names = ", ".join(known) or "none"
            raise Refused(
                f"The corpus has no metadata {condition.column!r} to filter by. It has: {names}."
            )


def as_number(text: str) -> float | None:
    """The number that a text is, or None: dates, versions and docket numbers are none."""
    if not _NUMBER.fullmatch(text.strip()):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def _values(text: str) -> tuple[str, ...]:
    """Values with commas between them; one that holds a comma stands in quotation marks."""
    try:
        row = next(csv.reader([text], skipinitialspace=True, strict=True), [])
    except csv.Error:
        raise Refused(f"A quotation mark is missing in {text!r}.") from None
    return tuple(value.strip() for value in row if value.strip())


def _typed(values: Sequence[str]) -> str:
    quoted = ('"' + v.replace('"', '""') + '"' if set(v) & set(',"') else v for v in values)
    return ",".join(quoted)
