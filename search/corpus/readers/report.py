"""What was understood of a file: format, columns, rows accepted, rows refused and why."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from search.projects.errors import Refused
from search.projects.settings import LIMITS

# What is no white space to Python, and yet nobody sees: zero-width spaces and joiners, lost byte order marks.
_INVISIBLE = frozenset("\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f")
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", ":": "colon"}
"""What the usual signs between columns are called."""
_SHOWN = 60
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# Controls that part words (vertical tab, form feed, next line, a lone carriage return) become spaces.
_BREAKS = str.maketrans("\v\f\x85\r", "    ")
# Windows' quotation marks and dashes, saved as if they were Latin-1, arrive as controls 0x80 to 0x9f.
_WINDOWS = {
    code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0) if code != 0x85
}


@dataclass(frozen=True)
class Unusable:
    """The content of a field that cannot be read, and why: `clean_text` refuses it with this reason.

    A row that holds one is good as long as nobody asks for that field.
    """

    reason: str

    def __str__(self) -> str:
        return f"({self.reason})"


@dataclass(frozen=True)
class RefusedRow:
    """One row that was left out: where it is in the file, and why."""

    where: str
    reason: str


@dataclass
class Report:
    """What a reader understood of one file; filled while the file is read.

    An `encoding` or a `delimiter` that is set before reading was chosen by the person and is used as it is;
    else the reader finds one and says here which. `nested` are paths
    of values inside columns, which can be chosen like columns. `notes` are things worth knowing that refused no row. `share_read` tells how much of
    the file was read (0 to 1).
    """

    source: str
    format: str = ""
    encoding: str | None = None
    delimiter: str | None = None
    columns: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()
    roles: dict[str, str] = field(default_factory=dict)
    meanings: dict[str, int] = field(default_factory=dict)
    accepted: int = 0
    refused_count: int = 0
    refused: list[RefusedRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    share_read: Callable[[], float] = field(default=lambda: 0.0, repr=False, compare=False)

    def refuse(self, where: str, reason: str) -> None:
        """Leave a row out; the first thousand are listed, all are counted."""
        self.refused_count += 1
        if len(self.refused) < LIMITS.listed_refusals:
            self.refused.append(RefusedRow(where, reason))

    def sort_refused(self) -> None:
        """Put refused rows into the order in which they stand in the file, where they were refused out of it."""
        self.refused.sort(key=lambda row: [int(n) for n in re.findall(r"\d+", row.where)])

    def require_some(self, what: str) -> None:
        """Refuse the whole file when not one row was accepted.

        :raises Refused: with the first reasons.
        """
        if self.accepted:
            return
        if not self.refused_count:
            raise Refused(f"{self.source} holds no {what}: it is empty.")
        reasons = "; ".join(f"{row.where}: {row.reason}" for row in self.refused[:3])
        raise Refused(
            f"{self.source} holds no usable {what}: all {self.refused_count:,} rows were refused "
            f"({reasons})."
        )

    @property
    def left_out(self) -> str:
        """In words how many rows were refused, with the first reason; there must be one."""
        first = self.refused[0]
        return f"{self.refused_count:,} rows left out ({first.where}: {first.reason})"

    def assign(self, role: str, names: Sequence[str], chosen: str | None = None) -> None:
        """Note in `roles` the column that plays one: the chosen one ("": none), else the first named like it.

        :raises Refused: when the chosen column is not in the file, or plays another role.
        """
        if chosen != "":
            taken = self.roles.values()
            choices = self.columns if chosen is None else (*self.columns, *self.nested)
            column = guess_column(choices, names, chosen, self.source, taken)
            if column is not None:
                self.roles[role] = column

    def column(self, name: str) -> str:
        """The column, or the path of a nested value, that a person means by a name.

        :raises Refused: when there is none.
        """
        column = guess_column((*self.columns, *self.nested), (), name, self.source)
        return name if column is None else column

    def require_roles(self, needed: Mapping[str, str], way_out: str) -> None:
        """Refuse a table with columns of which none plays a role that is needed.

        :param needed: what people call each of these roles.
        :param way_out: what to do about it, for the message.
        :raises Refused: naming the roles and the columns.
        """
        missing = " and no ".join(name for role, name in needed.items() if role not in self.roles)
        if self.columns and missing:
            raise Refused(
                f"{self.source} has no {missing} column: its columns are {', '.join(self.columns)}. {way_out}"
            )

    def text_of(self, row: "Row", role: str, limit: int = LIMITS.text_characters) -> str:
        """The clean text of the field of a row that plays a role; none where no column does.

        :raises BadField: as `clean_text`.
        """
        column = self.roles.get(role)
        return "" if column is None else clean_text(row.fields.get(column), column, limit)

    def summary(self) -> dict[str, Any]:
        """The report as JSON for a manifest."""
        names = ("source", "format", "encoding", "notes", "delimiter", "roles", "accepted")
        refusals = [[row.where, row.reason] for row in self.refused]
        facts = {name: getattr(self, name) for name in names}
        return {**facts, "refused": self.refused_count, "refusals": refusals}


@dataclass(frozen=True)
class Row:
    """One record of a table: where it stands in the file, and its fields; `raw` is what they were made of, if anything."""

    where: str
    fields: Mapping[str, Any]
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def values(self) -> Mapping[str, Any]:
        """The fields, and under other names those that they were made of."""
        return {**self.raw, **self.fields} if self.raw else self.fields


class BadField(ValueError):
    """A field of a row cannot be used; the row is refused with this reason."""


def source_of(path: Path) -> str:
    """How messages name a file: its name, printable, without the folders of this machine."""
    return printable(path.name)


def printable(name: str) -> str:
    """A name as it can be shown."""
    return "".join(c if c.isprintable() else "_" for c in name)


def stem_of(source: str) -> str:
    """The name of a file without its ending, for the ids of its rows: "2021/a" of 2021/a.csv.gz."""
    name = source[: -len(".gz")] if source.lower().endswith(".gz") else source
    return name.removesuffix(PurePath(name).suffix)


def clean_text(value: Any, column: str, limit: int = LIMITS.text_characters) -> str:
    """A field as clean text: NFC, no control characters but newline and tab, no outer white space.

    :param value: what the file holds: text, a number, or nothing.
    :param column: the name of the field, for the message.
    :param limit: the most characters that are accepted.
    :raises BadField: for lists and objects, bytes that are not of the file's encoding, unpaired surrogates,
        and texts over the limit.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        text = value
    elif isinstance(value, bool | list | dict):
        raise BadField(f"{column} is not text but a {type(value).__name__}")
    elif isinstance(value, Unusable):
        raise BadField(f"{column} {value.reason}")
    else:
        text = str(value)
    if len(text) > limit:
        raise BadField(f"{column} has {len(text):,} characters; the limit is {limit:,}")
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise BadField(f"{column} holds {_broken(ord(text[error.start]))}") from None
        text = unicodedata.normalize("NFC", text)
    if not text.isprintable() and _CONTROLS.search(text):
        text = text.replace("\r\n", "\n")
        if _CONTROLS.search(text):
            text = _CONTROLS.sub("", text.translate(_BREAKS).translate(_WINDOWS))
    text = text.strip()
    return "" if text[:1] in _INVISIBLE and not text.strip("".join(_INVISIBLE)) else text


def _broken(code: int) -> str:
    """What a lone surrogate stands for: a byte that could not be decoded, or half a character."""
    if 0xDC80 <= code <= 0xDCFF:
        return f"the byte 0x{code - 0xDC00:02x}, which is not UTF-8 (or not of the encoding chosen)"
    return "a broken character (an unpaired surrogate)"


def guess_column(
    columns: Sequence[str],
    names: Sequence[str],
    chosen: str | None,
    source: str,
    taken: Collection[str | None] = (),
) -> str | None:
    """The column that plays a role: the chosen one, or the first whose name is among `names`.

    :param columns: all columns of the file.
    :param taken: those that play another role already.
    :raises Refused: when the chosen column is not in the file, or taken.
    """
    if chosen is not None:
        same = [column for column in columns if column == chosen]
        alike = [column for column in columns if _folded(column) == _folded(chosen)]
        found = next(iter([*same, *alike]), None)
        if found is None:
            raise Refused(
                f"{source} has no column {chosen!r}. Its columns are: {', '.join(columns[:_SHOWN]) or 'none'}"
                f"{', …' if len(columns) > _SHOWN else '.'}"
            )
        if found in taken:
            raise Refused(f"{source}: the column {found!r} was given, or guessed, for two things.")
        return found
    folded = {_folded(column): column for column in reversed(columns) if column not in taken}
    for name in names:
        if name in folded:
            return folded[name]
    return None


def _folded(name: str) -> str:
    return name.strip().casefold().replace(" ", "_").replace("-", "_").replace("[]", "")


def is_folder(path: Path) -> bool:
    """Whether a path that a person gave is a folder; if not, it is a file that can be opened.

    :raises Refused: when there is nothing, or something else (a pipe, a device, a file of somebody else).
    """
    with refused_if_unreadable(path):  # a name that is too long, a folder that may not be entered
        if not path.exists():
            raise Refused(f"There is no file or folder {path}.")
        if path.is_dir():
            return True
    require_file(path)
    return False


def require_file(path: Path) -> None:
    """Refuse what is not a file that can be opened.

    :raises Refused: when it is missing, a folder, a pipe or a device, or may not be read.
    """
    with refused_if_unreadable(path):
        if not path.exists():
            raise Refused(f"There is no file {path}.")
        if not path.is_file():
            raise Refused(f"{path} is not a file.")
        path.open("rb").close()


@contextmanager
def refused_if_unreadable(path: Path) -> Iterator[None]:
    """Say in words why a file cannot be opened in the block.

    :raises Refused: naming the file, without the folders of this machine.
    """
    try:
        yield
    except OSError as error:
        raise Refused(f"{source_of(path)} cannot be opened: {error.strerror}.") from None
