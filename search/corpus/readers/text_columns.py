"""Which column holds the text: prose, never addresses, ids, hashes or names of files; and whether it is HTML."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from search.corpus.readers.blocks import BlockText
from search.corpus.readers.paths import joined, value_at
from search.corpus.readers.report import Row

_CHARACTERS = 20
_TOKENS = 50
_ENDINGS = "pdf docx? rtf odt txt csv tsv xlsx? jsonl? xml html? zip gz png jpe?g tiff? gif dcm mp[34] pptx? md eml py"
_FILE = re.compile(rf"[^\n]{{1,200}}\.({'|'.join(_ENDINGS.split())})", re.I)
# One run of characters that is for machines: an address, a UUID, a hash, a date, a number, a path, an id.
_MACHINE = re.compile(
    r"""\w++://\S*|www\.\S+|urn:\S+|mailto:\S+|\S[^\s@]*+@\S+\.\w++
    |[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{12,}|[\d\W_]+
    |(?:\.{0,2}/)?(?:[\w.@:+-]+/)+[\w.@:?=&+-]*|[A-Za-z0-9+/_=-]{32,}
    |(?=[\x21-\x7e]*\d)(?=[\x21-\x7e]*[A-Za-z])[\w.:/#-]+""",
    re.I | re.X,
)
_TAGS = "p|div|span|a|b|i|u|em|strong|ul|ol|li|table|tr|td|th|h[1-6]|pre|section|article|blockquote|font|html|body|sup|sub"
_HTML = re.compile(
    rf"<((?:jats:)?(?:{_TAGS}))\b[^<>]*>.*?</\1\s*>|<(?:br|p|hr)\b[^<>]*/?>", re.I | re.S
)
_LOOKED_AT = 4_000


def is_prose(text: str) -> bool:
    """Whether a text is words for people, not an address, an id, a hash, a date or the name of a file."""
    if _FILE.fullmatch(text.strip()):
        return False
    tokens = text.split()[:_TOKENS]
    machine = sum(_MACHINE.fullmatch(token.strip("()[]{},;\"'")) is not None for token in tokens)
    return bool(tokens) and machine * 2 < len(tokens)


def texts_of(rows: Sequence[Row], column: str) -> list[str]:
    """The texts that some rows have in a column, or at a path; lists of texts joined."""
    values = (joined(value_at(row.values, column), "\n\n") for row in rows)
    return [
        text
        for value in values
        if isinstance(value, str | BlockText) and (text := str(value)).strip()
    ]


def prose_lengths(rows: Sequence[Row], columns: Sequence[str]) -> Mapping[str, float]:
    """How many characters of prose a row has in each column, on average; 0 where most of it is no prose."""
    lengths: dict[str, float] = {}
    for column in columns:
        texts = texts_of(rows, column)
        prose = [len(text) for text in texts if is_prose(text[:_LOOKED_AT])]
        lengths[column] = sum(prose) / len(rows) if rows and len(prose) * 2 > len(texts) else 0.0
    return lengths


def is_usable(rows: Sequence[Row], column: str) -> bool:
    """Whether a column that is named like a text may be one: some row has a text or a number there, and most
    of what is there is not for machines.
    """
    values = [joined(value_at(row.values, column), "\n\n") for row in rows]
    filled = [value for value in values if value not in (None, "", [], {})]
    good = [
        value
        for value in filled
        if not isinstance(value, list | Mapping)
        and (not isinstance(value, str) or is_prose(value[:_LOOKED_AT]))
    ]
    return len(good) * 2 > len(filled)


def is_title(path: str, name: str) -> bool:
    """Whether a path ends in a name and leads to one value, not to one of each item of a list."""
    return last_name(path) == name and "[" not in path


def by_name(
    lengths: Mapping[str, float], names: Sequence[str], within: Sequence[str]
) -> str | None:
    """The first of the paths, of those that end in one of some names, that has the longest prose; None without one.

    :param within: the paths to choose from.
    """
    for name in names:
        same = [path for path in within if last_name(path) == name and lengths[path]]
        if same:
            return max(same, key=lambda path: lengths[path])
    return None


def last_name(path: str) -> str:
    """The name that a path ends in, in small letters: "text" of opinions[].text."""
    return (
        path.replace("[]", "")
        .rpartition(".")[2]
        .strip()
        .casefold()
        .replace(" ", "_")
        .replace("-", "_")
    )


def longest(lengths: Mapping[str, float]) -> str | None:
    """The column with most prose, where it has more than a few words; else None."""
    best = max(lengths, key=lambda column: lengths[column], default=None)
    return best if best is not None and lengths[best] > _CHARACTERS else None


def holds_html(rows: Sequence[Row], column: str) -> bool:
    """Whether half of the texts in a column have tags of HTML."""
    values = [joined(value_at(row.values, column), "\n\n") for row in rows]
    texts = [value for value in values if isinstance(value, str) and value.strip()]
    return bool(texts) and sum(map(is_markup, texts)) * 2 >= len(texts)


def is_markup(text: Any) -> bool:
    """Whether a text has tags of HTML."""
    return isinstance(text, str) and _HTML.search(text[:_LOOKED_AT]) is not None
