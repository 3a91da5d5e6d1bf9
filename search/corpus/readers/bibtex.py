"""BibTeX: entries with their fields as plain text; accents, macros and braces of LaTeX taken apart."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import suppress

from search.corpus.readers.report import Report
from search.corpus.readers.typography import lowered, raised

_ENTRY = re.compile(r"@\s*([A-Za-z]+)\s*([{(])")
_NAME = re.compile(r"[\s,]*([A-Za-z][\w:.+/-]*)\s*=\s*")
_KEY = re.compile(r"\s*+([^\s,={}\"]*+)\s*+(,|(?=[})]))")
_BARE = re.compile(r"[^\s,#{}()\"]+")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_ACCENTS = dict(zip("`'^\"~=.uvHckrdb", "\u0300\u0301\u0302\u0308\u0303\u0304\u0307\u0306\u030c\u030b\u0327\u0328\u030a\u0323\u0331", strict=True))  # fmt: skip
_ACCENT = re.compile(
    r"\\([`'^\"~=.]|[uvHckrdb](?![A-Za-z]))\s*(?:\{\s*(\\?[A-Za-z])\s*\}|(\\?[A-Za-z]))"
)
_SIGNS = {
    "ss": "ß", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "aa": "å", "AA": "Å",
    "i": "i", "j": "j", "textendash": "–", "textemdash": "—", "textquoteright": "’", "textquoteleft": "‘", "S": "§",
    "times": "×", "pm": "±", "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥", "textdegree": "°", "degree": "°", "mu": "µ",
    "textmu": "µ", "infty": "∞", "cdot": "·", "approx": "≈", "sim": "~", "ldots": "…", "dots": "…", "beta": "β",
}  # fmt: skip
_COMMAND = re.compile(r"\\([A-Za-z]+)\s*|\\([^A-Za-z])")
_SCRIPT = re.compile(r"([\^_])(?:\{([^{}]*)\}|(\w))")
_MARKS = re.compile(r"\\.|[{}\"]|\n@\s*[A-Za-z]+\s*[{(]", re.S)
_JOINT = re.compile(r"\s*#\s*")
_END = re.compile(r"[\s,]*[})]")
_DEPTH = 60


def bibtex_entries(text: str, report: Report) -> Iterator[tuple[int, str, str, Mapping[str, str]]]:
    """The line, the kind, the key and the fields of each entry; names of fields in small letters.

    Comments and preambles are left out; macros (@string) stand for what they say. An entry that is broken is
    refused in the report, and reading goes on at the next.
    """
    macros = {month: month.capitalize() for month in _MONTHS}
    position, line, counted = 0, 1, 0
    while found := _ENTRY.search(text, position):
        kind, position = found[1].lower(), found.end()
        if kind in ("comment", "preamble"):
            continue
        line, counted = line + text.count("\n", counted, found.start()), found.start()
        key = ""
        if kind != "string" and (named := _KEY.match(text, position)):
            key, position = named[1], named.end()
        try:
            fields, position = _fields(text, position, macros)
        except ValueError as error:
            report.refuse(f"line {line}", f"the entry {key or kind!r} is broken: {error}")
            continue
        if kind == "string":
            macros |= fields
        else:
            yield line, kind, key, {name: plain_latex(value) for name, value in fields.items()}


def _fields(text: str, position: int, macros: Mapping[str, str]) -> tuple[dict[str, str], int]:
    fields: dict[str, str] = {}
    while named := _NAME.match(text, position):
        value, position = _value(text, named.end(), macros)
        fields.setdefault(named[1].lower(), value)
    rest = _END.match(text, position)
    if rest is None:
        raise ValueError("a brace, a quotation mark or a comma is missing")
    return fields, rest.end()


def _value(text: str, position: int, macros: Mapping[str, str]) -> tuple[str, int]:
    """A value, whose parts may be joined by "#", and where it ends."""
    parts: list[str] = []
    while position < len(text):
        if text[position] in '{"':
            end = _closing(text, position)
            parts.append(text[position + 1 : end])
            position = end + 1
        elif bare := _BARE.match(text, position):
            parts.append(macros.get(bare[0].lower(), bare[0]))
            position = bare.end()
        joint = _JOINT.match(text, position)
        if joint is None:
            break
        position = joint.end()
    return "".join(parts), position


def _closing(text: str, start: int) -> int:
    """Where a value in braces or quotation marks ends; braces inside are counted.

    :raises ValueError: when it does not end before the next entry.
    """
    quoted, depth = text[start] == '"', 0
    for found in _MARKS.finditer(text, start + 1):
        sign = found[0]
        if sign == "{":
            depth += 1
        elif sign == "}" and (depth or quoted):
            depth -= 1
        elif (sign == "}" and not quoted) or (sign == '"' and quoted and not depth):
            return found.start()
        if abs(depth) > _DEPTH or sign[0] == "\n":
            break
    raise ValueError("it does not end")


def plain_latex(text: str) -> str:
    """A text of LaTeX without its commands: accents and signs as letters, powers raised, braces gone."""
    text = _ACCENT.sub(_accented, text)
    text = _COMMAND.sub(_sign, text)
    pieces: list[str] = []
    last = 0
    for script in _SCRIPT.finditer(text):
        pieces.append(text[last : script.start()])
        inner = script[2] if script[2] is not None else script[3]
        before = "".join(pieces[-1:]).rstrip("$")
        pieces[-1] = before
        pieces.append(raised(inner, before[-9:]) if script[1] == "^" else lowered(inner))
        last = script.end()
    pieces.append(text[last:])
    joined = "".join(pieces)
    joined = (
        re.sub(r"(?<!\\)[{}$]", "", joined).replace("~", " ").replace("---", "—").replace("--", "–")
    )
    return " ".join(joined.translate(_BACK).split())


# What a backslash kept from being read as a brace, a dollar or a tie.
_ESCAPED = {
    "{": "\ue000",
    "}": "\ue001",
    "$": "\ue002",
    "_": "\ue003",
    "^": "\ue004",
    "~": "\ue005",
}
_BACK = {ord(mark): sign for sign, mark in _ESCAPED.items()}


def _accented(command: re.Match[str]) -> str:
    letter = (command[2] or command[3]).lstrip("\\")
    return unicodedata.normalize("NFC", letter + _ACCENTS[command[1]])


def _sign(command: re.Match[str]) -> str:
    name = command[1]
    if name is None:
        return _ESCAPED.get(command[2], " " if command[2] in "\\,; " else command[2])
    if name in _SIGNS:
        return _SIGNS[name]
    with suppress(KeyError):
        size = "SMALL" if name.islower() else "CAPITAL"
        return unicodedata.lookup(f"GREEK {size} LETTER {name.upper()}")
    return ""
