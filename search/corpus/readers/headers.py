"""Tables without a header: a first row that looks like the rest is a row."""

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import chain, islice

from search.corpus.readers.report import Report, Row

_LOOKED_AT = 50
_SENTENCE_WORDS = 4
_FORMATS = ("CSV", "TSV", "Excel")
_CODE = re.compile(r"[^\W\d_]{0,6}[-_:]?\d[\w.:-]*")
NAMED = "there is no header (the first row looks like the others): the columns are called {}"


def folded_name(name: str) -> str:
    """A column's name as names are compared.

    >>> folded_name(" Corpus-ID ")
    'corpus_id'
    """
    return re.sub(r"[\s-]+", "_", name.strip().casefold())


def with_header(rows: Iterator[Row], report: Report, names: Collection[str]) -> Iterator[Row]:
    """The rows of a table; where it has no header, its first row too, and columns called "column 1", "column 2" ...

    :param rows: from `read_rows`.
    :param report: its columns are changed, and it is noted.
    :param names: names that columns of such a table usually have, as `folded_name` makes them.
    """
    if not report.format.startswith(_FORMATS):
        return rows
    ahead = list(islice(rows, _LOOKED_AT))
    header = list(report.columns)
    body = [["" if v is None else str(v) for v in row.fields.values()] for row in ahead]
    if not is_row(header, body, names):
        return chain(ahead, rows)
    given = {name: f"column {n}" for n, name in enumerate(header, start=1)}
    report.columns = tuple(given.values())
    report.notes.append(NAMED.format(", ".join(report.columns)))
    first = Row("row 1", {given[name]: name for name in header})
    return chain([first], (_renamed(row, given) for row in chain(ahead, rows)))


def is_row(first: Sequence[str], rest: Sequence[Sequence[str]], names: Collection[str]) -> bool:
    """Whether the first row of a table is one like the rest.

    It is when nothing in it is a name that such columns have, and a field of it is a number or a code where all others
    are, or says what others say, or is a sentence.

    >>> is_row(["1", "a cane that folds"], [["2", "a box"]], {"id"})
    True
    >>> is_row(["frage", "antwort"], [["woran", "daran"]], {"query"})
    False
    """
    if any(folded_name(field) in names for field in first) or not rest:
        return False
    wide = [row for row in rest if len(row) == len(first)]
    for field, others in zip(first, zip(*wide, strict=True), strict=False):
        if _CODE.fullmatch(field.strip()) and all(_CODE.fullmatch(o.strip()) for o in others if o):
            return True
        if field.strip() and len(wide) > 1 and field.strip() in {other.strip() for other in others}:
            return True
    return any(len(field.split()) >= _SENTENCE_WORDS for field in first)


def _renamed(row: Row, given: dict[str, str]) -> Row:
    return Row(row.where, {given.get(name, name): value for name, value in row.fields.items()})
