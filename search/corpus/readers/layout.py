"""Lines on pages into headings and paragraphs: what the layout of a page says about its text."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from statistics import median

from search.corpus.readers.blocks import Block

HYPHEN = "\x02"
"""A hyphen at the end of a line that may only be there because the line ended."""

_EDGE_LINES = 2
_REPEATED = 3
_REPEATED_SHARE = 0.4
_NUMBERED_PAGES = 5
_NUMBER = re.compile(r"\d+")
_PAGE_WORDS = frozenset((
    "page", "pages", "seite", "von", "pagina", "página", "página", "p", "of", "de", "di", "sur", "side",
    "sida",
))  # fmt: skip
_PARAGRAPH_GAP = 1.4
_FAR_GAP = 2.5
_APART = 1.15
_OVERLAP = 0.5
_DOUBLE_SPACED = 2.0
_SHORT_LINE = 0.75
_ENDS = (".", "!", "?", ":", ";", ".”", '."', ".)")
_ITEM = re.compile(r"([•◦▪‣●*–-]\s|\(?[0-9]{1,3}[.)]\s|\(?[a-z][.)]\s)")
_HEADING_SIZE = 1.15
_HEADING_CHARACTERS = 150
_SPLIT_WORD = re.compile(f"(?<!\\w)(\\w++){HYPHEN}(\\w++)")
_SIGNED = re.compile(r"\w+(?:\+|-(?!\w))")
_SUSPENDED = re.compile(r"(and|or|to|und|oder|bzw\.|sowie|et|ou|y|o|e)\b")
_COMPOUND = re.compile(r"(?<!\w)\w++-\w++")
_COMPOUNDS = ((2.5, 1.0), (4.2, 2.0), (4.5, 3.0))
_FRENCH, _RARER = 3.8, 2.3
_OTHERS, _KNOWN = ("en", "de", "es"), 2.0


@dataclass(frozen=True)
class Line:
    """One line of a page: its text, the height of its base line in points, its font size (0: unknown).

    Also where it begins and ends, and whether it is a row of a table, which is a paragraph of its own.
    """

    text: str
    base: float | None = None
    size: float = 0.0
    left: float = 0.0
    right: float = 0.0
    is_row: bool = False


@dataclass(frozen=True)
class Page:
    """One page, counted from 1, and its lines from top to bottom."""

    number: int
    lines: tuple[Line, ...]


def without_repeated_lines(pages: list[Page]) -> tuple[list[Page], list[str]]:
    """Leave out running headers and footers, and page numbers.

    :returns: the pages, and one example of each line that was left out; nothing is left out where that
        would leave nothing.
    """
    counts: Counter[str] = Counter()
    for page in pages:
        edges = [*page.lines[:_EDGE_LINES], *page.lines[-_EDGE_LINES:]]
        counts.update({key for line in edges for key in _keys(line.text, page.number)})
    full = sum(bool(page.lines) for page in pages)
    needed = max(_REPEATED, full * _REPEATED_SHARE)
    repeated = {key for key, count in counts.items() if count >= _needed(key, needed)}
    dropped: dict[str, str] = {}
    kept: list[Page] = []
    for page in pages:
        lines = list(page.lines)
        pitch = _pitch(lines)
        for end in (0, -1):
            for line, key in _running(lines, page.number, end, repeated, pitch):
                dropped.setdefault(key, line.text.replace(HYPHEN, "-"))
                lines.remove(line)
        kept.append(replace(page, lines=tuple(lines)))
    if not any(page.lines for page in kept):
        return pages, []
    return kept, list(dropped.values())


def _running(
    lines: list[Line], number: int, end: int, repeated: set[str], pitch: float
) -> list[tuple[Line, str]]:
    """The repeated lines at the top (0) or bottom (-1) of a page, when they are set apart from its text."""
    order = lines if end == 0 else lines[::-1]
    matched: list[tuple[Line, str]] = []
    for line in order[:_EDGE_LINES]:
        key = next((key for key in _keys(line.text, number) if key in repeated), None)
        if key is None:
            break
        matched.append((line, key))
    for count in range(len(matched), 0, -1):
        apart = abs(_gap(order[count - 1], order[count])) if count < len(order) else 0.0
        if not pitch or not apart or apart >= _APART * pitch:
            return matched[:count]
    return []


def pages_to_blocks(
    pages: list[Page], outline: Mapping[int, list[tuple[int, str]]]
) -> Iterator[Block]:
    """Headings and paragraphs of all pages, in order.

    :param outline: for page numbers, the level and title of the bookmarks that lead there. Without any,
        lines in larger type than most of the text are headings.
    """
    compounds = {
        word.casefold() for page in pages for line in page.lines for word in _COMPOUND.findall(line.text)
    }  # fmt: skip
    sizes = {} if outline else _heading_sizes(pages)
    for page in pages:
        titles = {_plain(title): level for level, title in outline.get(page.number, ())}
        for level, lines in _groups(page.lines, titles, sizes):
            parts = [lines] if level else _paragraphs(lines)
            for part in parts:
                yield Block(_joined(part, compounds), level, page.number)


def _keys(text: str, number: int) -> list[str]:
    """What a line is counted as: itself, and for each number in it that may be the page's the rest."""
    plain = _plain(text)
    keys = [plain] if plain else []
    for matched in _NUMBER.finditer(plain[:200]):
        if len(matched[0]) < 7:
            rest = f"{plain[: matched.start()]}#{plain[matched.end() :]}"
            keys.append(f"{int(matched[0]) - number}\t{rest}")
    return keys


def _needed(key: str, most: float) -> float:
    """On how many pages a line must be; headings may count up with the pages, too, but not for long."""
    _, numbered, rest = key.partition("\t")
    if not numbered:
        return most
    words = re.findall(r"[^\W\d_]+", rest)
    return _REPEATED if _PAGE_WORDS.issuperset(words) else _NUMBERED_PAGES


def _heading_sizes(pages: list[Page]) -> dict[float, int]:
    """The font sizes of headings, and the level of each."""
    characters: Counter[float] = Counter()
    for page in pages:
        for line in page.lines:
            characters[_size(line)] += len(line.text)
    if not characters:
        return {}
    body = characters.most_common(1)[0][0]
    larger = sorted((size for size in characters if size > body * _HEADING_SIZE), reverse=True)
    return {size: min(level, 6) for level, size in enumerate(larger, start=1)} if body else {}


def _size(line: Line) -> float:
    return round(line.size * 2) / 2


def _groups(
    lines: Iterable[Line], titles: Mapping[str, int], sizes: Mapping[float, int]
) -> Iterator[tuple[int, list[Line]]]:
    """Lines that follow one another and are all of one heading (its level), or of none (0)."""
    group: list[Line] = []
    level = 0
    for line in lines:
        now = _level(line, titles, sizes)
        same = now == level and (not now or _size(line) == _size(group[-1])) if group else False
        if group and not same:
            yield level, group
            group = []
        group.append(line)
        level = now
    if group:
        yield level, group


def _level(line: Line, titles: Mapping[str, int], sizes: Mapping[float, int]) -> int:
    text = line.text.strip()
    if len(text) > _HEADING_CHARACTERS or not any(map(str.isalpha, text)):
        return 0
    return titles.get(_plain(text), 0) or sizes.get(_size(line), 0)


def _paragraphs(lines: list[Line]) -> Iterator[list[Line]]:
    pitch = _pitch(lines)
    long = sorted(len(line.text) for line in lines)[int(0.9 * (len(lines) - 1))]
    group: list[Line] = []
    for line in lines:
        if group and _parted(group[-1], line, pitch, long):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _pitch(lines: list[Line]) -> float:
    """The distance from one line to the next inside paragraphs; 0 where nothing says.

    On pages of few lines every gap may be one between paragraphs: double spacing is the most.
    """
    gaps = sorted(g for a, b in pairwise(lines) if (g := _gap(a, b)) > _OVERLAP * a.size)
    if not gaps:
        return 0.0
    usual, size = gaps[len(gaps) // 4], median(line.size for line in lines)
    return min(usual, _DOUBLE_SPACED * size) if size > 1 else usual


def _parted(above: Line, below: Line, pitch: float, long: int) -> bool:
    """Whether a paragraph ends between two lines."""
    text = above.text.rstrip()
    if above.is_row or below.is_row:
        return True
    if text.endswith(HYPHEN):
        return False
    ended = text.endswith(_ENDS)
    gap = _gap(above, below)
    running_on = not ended and below.text.lstrip()[:1].islower()
    if pitch and gap < -pitch:  # up again: the next column
        return not running_on
    if pitch and gap > (_FAR_GAP if running_on else _PARAGRAPH_GAP) * pitch:
        return True
    sizes = sorted((above.size, below.size))
    if sizes[0] and sizes[1] > _HEADING_SIZE * sizes[0]:
        return True
    return (ended and len(text) < _SHORT_LINE * long) or bool(_ITEM.match(below.text.lstrip()))


def _gap(above: Line, below: Line) -> float:
    if above.base is None or below.base is None:
        return 0.0
    return above.base - below.base


def _joined(lines: list[Line], compounds: set[str]) -> str:
    """Lines as one, without the hyphens that only the ends of lines brought."""
    text = ""
    for line in lines:
        part = line.text.strip()
        hyphen = text.endswith((HYPHEN, "-"))
        # "fever- cough+" (what is not there, and what is), "pre- and postoperative".
        stays = _SIGNED.match(part) or (text[-2:-1].isalpha() and _SUSPENDED.match(part))
        if hyphen and stays:
            text = f"{text[:-1]}- {part}"
        elif hyphen and text[-2:-1].isdigit() and part[:1].isdigit():  # 5-10 mg
            text = f"{text[:-1]}-{part}"
        elif text.endswith(HYPHEN):
            text += part
        elif text.endswith("-") and text[-2:-1].isalpha() and part[:1].islower():
            text = f"{text[:-1]}{HYPHEN}{part}"
        else:
            text = f"{text} {part}" if text else part

    def word(matched: re.Match[str]) -> str:
        compound = f"{matched[1]}-{matched[2]}"
        known = compound.casefold() in compounds or _is_compound(*matched.groups())
        return compound if known else matched[1] + matched[2]

    return _SPLIT_WORD.sub(word, text).replace(HYPHEN, "-")


@cache
def _is_compound(first: str, second: str) -> bool:
    """Whether a hyphen at the end of a line belongs to the word: two English or French words, not known as one.

    "non-" and "inferiority" are, "burden" is one word whatever its halves are. By how often words are
    used (Zipf scale of wordfreq, Speer 2022): the parts are words, and together they are none, or a rare one.
    """
    if not (first.isalpha() and second.isalpha()):
        return True
    from wordfreq import zipf_frequency

    french = min(zipf_frequency(first, "fr"), zipf_frequency(second, "fr"))
    if (
        french >= _FRENCH
        and zipf_frequency(first + second, "fr") < french - _RARER
        and all(zipf_frequency(first + second, other) < _KNOWN for other in _OTHERS)
    ):
        return True
    if not (first.isascii() and second.isascii()):
        return False
    parts = min(zipf_frequency(first, "en"), zipf_frequency(second, "en"))
    together = zipf_frequency(first + second, "en")
    return any(parts >= least and together < most for least, most in _COMPOUNDS)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
