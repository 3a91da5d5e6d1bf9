"""How many steps a backtracking search takes, counted, so that no clock is needed to see that a pattern is not linear.

A small matcher walks the tree that `re` parses a pattern into, and tries what `re` tries, in the same order. The texts to
try it on are made of the pattern itself: what leads to a repeat, many times what the repeat takes, and then
something that fails.
"""

import re
from collections.abc import Iterator
from re import _constants as codes
from re import _parser as parser

MOST = 1_000  # steps for each character
_LINEAR = 1.3  # times more steps than a text that is twice as long should take
_SPECIMENS = "a1 \n\t_-.,;:|<>=/\\\"'()[]{}é中\x00Z9*#$%&@!?+^~`§•"


class TooMany(Exception):
    """A search took more steps than anybody counts."""


class Counted:
    """A pattern of which each step is counted."""

    def __init__(self, pattern: str, flags: int = 0) -> None:
        self.tree = parser.parse(pattern, flags)
        self.flags = self.tree.state.flags
        self.steps = self.most = 0

    def search(self, text: str, anchored: bool = False, whole: bool = False) -> int:
        """The steps of looking for every match in a text, as `finditer` does; only at its start where it is anchored."""
        self.steps, start = 0, 0
        self.text = text
        self.most = MOST * (len(text) + 10)
        while start <= len(text):
            ends = (
                end
                for end in self._items(list(self.tree), 0, start, {})
                if not whole or end == len(text)
            )
            end = next(ends, None)
            if anchored:
                break
            start = start + 1 if end is None or end == start else end
        return self.steps

    def _items(self, items: list, at: int, here: int, groups: dict) -> Iterator[int]:
        if at == len(items):
            yield here
            return
        for end in self._one(items[at], here, groups):
            yield from self._items(items, at + 1, end, groups)

    def _one(self, item: tuple, here: int, groups: dict) -> Iterator[int]:
        self.steps += 1
        if self.steps > self.most:
            raise TooMany
        op, value = item
        text = self.text
        if op in (codes.LITERAL, codes.NOT_LITERAL, codes.IN, codes.ANY):
            if here < len(text) and self._takes(op, value, text[here]):
                yield here + 1
        elif op is codes.BRANCH:
            for branch in value[1]:
                yield from self._items(list(branch), 0, here, groups)
        elif op is codes.SUBPATTERN:
            group, _, _, inner = value
            for end in self._items(list(inner), 0, here, groups):
                before = groups.get(group)
                groups[group] = (here, end)
                yield end
                groups[group] = before
        elif op in (codes.MAX_REPEAT, codes.POSSESSIVE_REPEAT):
            found = self._repeat(value, here, groups, 0, lazy=False)
            yield from (
                found
                if op is codes.MAX_REPEAT
                else [e for e in [next(found, None)] if e is not None]
            )
        elif op is codes.MIN_REPEAT:
            yield from self._repeat(value, here, groups, 0, lazy=True)
        elif op is codes.ATOMIC_GROUP:
            end = next(self._items(list(value), 0, here, groups), None)
            if end is not None:
                yield end
        elif op in (codes.ASSERT, codes.ASSERT_NOT):
            direction, inner = value
            start = here if direction > 0 else here - inner.getwidth()[0]
            holds = start >= 0 and any(
                direction > 0 or end == here for end in self._items(list(inner), 0, start, groups)
            )
            if holds == (op is codes.ASSERT):
                yield here
        elif op is codes.GROUPREF:
            span = groups.get(value)
            if span and text.startswith(text[span[0] : span[1]], here):
                yield here + span[1] - span[0]
        elif op is codes.AT:
            if self._stands(value, here):
                yield here
        else:
            raise NotImplementedError(op)

    def _repeat(
        self, value: tuple, here: int, groups: dict, done: int, lazy: bool
    ) -> Iterator[int]:
        least, most, inner = value
        if len(inner) == 1 and inner[0][0] in (
            codes.LITERAL,
            codes.NOT_LITERAL,
            codes.IN,
            codes.ANY,
        ):
            yield from self._run(inner[0], here, least, most, lazy)
            return
        if lazy and done >= least:
            yield here
        if done < most:
            for end in self._items(list(inner), 0, here, groups):
                if end > here or done < least:
                    yield from self._repeat(value, end, groups, done + 1, lazy)
        if not lazy and done >= least:
            yield here

    def _run(self, item: tuple, here: int, least: int, most: int, lazy: bool) -> Iterator[int]:
        """A repeat of one character, without recursion."""
        end = here
        while end < len(self.text) and end - here < most and self._takes(*item, self.text[end]):
            self.steps += 1
            end += 1
        ends = range(here + least, end + 1)
        for one in ends if lazy else reversed(ends):
            self.steps += 1
            if self.steps > self.most:
                raise TooMany
            yield one

    def _takes(self, op: object, value: object, sign: str) -> bool:
        if op is codes.ANY:
            return sign != "\n" or bool(self.flags & re.DOTALL)
        alike = {sign, sign.lower(), sign.upper()} if self.flags & re.IGNORECASE else {sign}
        if op is codes.LITERAL:
            return chr(value) in alike
        if op is codes.NOT_LITERAL:
            return chr(value) not in alike
        negated = value[0][0] is codes.NEGATE
        return any(_in(part, one) for part in value for one in alike) != negated

    def _stands(self, where: object, here: int) -> bool:
        text = self.text
        if where in (codes.AT_BEGINNING, codes.AT_BEGINNING_STRING):
            lines = where is codes.AT_BEGINNING and self.flags & re.MULTILINE
            return here == 0 or bool(lines and text[here - 1] == "\n")
        if where is codes.AT_END_STRING:
            return here == len(text)
        if where is codes.AT_END:
            ends = here == len(text) or text[here:] == "\n"
            return ends or bool(self.flags & re.MULTILINE and text[here] == "\n")
        sides = [0 <= i < len(text) and bool(re.match(r"\w", text[i])) for i in (here - 1, here)]
        return (sides[0] != sides[1]) == (where is codes.AT_BOUNDARY)


_CATEGORIES = {
    codes.CATEGORY_DIGIT: r"\d", codes.CATEGORY_NOT_DIGIT: r"\D", codes.CATEGORY_SPACE: r"\s",
    codes.CATEGORY_NOT_SPACE: r"\S", codes.CATEGORY_WORD: r"\w", codes.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip


def _in(part: tuple, sign: str) -> bool:
    op, value = part
    if op is codes.LITERAL:
        return chr(value) == sign
    if op is codes.RANGE:
        return value[0] <= ord(sign) <= value[1]
    return op is codes.CATEGORY and bool(re.match(_CATEGORIES[value], sign))


def texts(pattern: str, flags: int = 0, pumps: int = 20) -> Iterator[str]:
    """Texts that a backtracking search may take long for: each repeat's own words, often, and what it does not end with."""
    counted = Counted(pattern, flags)
    tree = list(counted.tree)
    for before, inner in _repeats(counted, tree, ""):
        for word in dict.fromkeys(_words(counted, inner)):
            if word:
                for after in ("", "\x01", "a!", "\n\n\x01"):
                    yield before + word * pumps + after
                    yield word * pumps + after
                if before:
                    yield before * pumps
                    yield (before + word) * pumps


def _repeats(counted: Counted, items: list, before: str) -> Iterator[tuple[str, list]]:
    for i, item in enumerate(items):
        lead = before + "".join(next(iter(_words(counted, [one])), "") for one in items[:i])
        op, value = item
        if op in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            if value[1] > 20:
                yield lead, list(value[2])
                # Two repeats side by side share what both take.
                for other in items[i + 1 :]:
                    if other[0] in (codes.MAX_REPEAT, codes.MIN_REPEAT):
                        yield lead, [*value[2], *items[i + 1 : items.index(other)], *other[1][2]]
                        yield lead, list(other[1][2])
            yield from _repeats(counted, list(value[2]), lead)
        elif op is codes.SUBPATTERN:
            yield from _repeats(counted, list(value[3]), lead)
        elif op is codes.BRANCH:
            for branch in value[1]:
                yield from _repeats(counted, list(branch), lead)
        elif op in (codes.ASSERT, codes.ASSERT_NOT):
            yield from _repeats(counted, list(value[1]), lead)


def _words(counted: Counted, items: list) -> list[str]:
    """A few words that items take, the shortest first."""
    made = [""]
    for op, value in items:
        if op in (codes.LITERAL, codes.NOT_LITERAL, codes.IN, codes.ANY):
            signs = [
                s
                for s in (chr(value) if op is codes.LITERAL else "", *_SPECIMENS)
                if s and counted._takes(op, value, s)
            ]
            parts = signs[:6] or [_of(value)]
        elif op is codes.BRANCH:
            parts = [word for branch in value[1] for word in _words(counted, list(branch))[:2]]
        elif op is codes.SUBPATTERN:
            parts = _words(counted, list(value[3]))
        elif op in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            parts = [word * max(1, value[0]) for word in _words(counted, list(value[2]))]
        else:
            parts = [""]
        made = [one + part for one in made[:3] for part in parts[:6]]
    return made


def _of(value: object) -> str:
    op, held = value[-1] if isinstance(value, list) else (None, 97)
    return chr(held[0] if op is codes.RANGE else held) if isinstance(held, int | tuple) else "a"


def growth(pattern: str, flags: int, anchored: bool, whole: bool) -> tuple[float, str]:
    """By how much more than linear the steps grow where one of these texts is twice as long, and that text; 1 for none."""
    counted = Counted(pattern, flags)
    made = [texts(pattern, flags, pumps) for pumps in (16, 32, 128, 256)]
    for short, long, longer, longest in dict.fromkeys(zip(*made, strict=True)):
        if _ratio(counted, short, long, anchored, whole) > _LINEAR:
            # Where a repeat is bounded, it grows up to that bound only.
            ratio = _ratio(counted, longer, longest, anchored, whole)
            if ratio > _LINEAR:
                return ratio, long
    return 1.0, ""


def _ratio(counted: Counted, short: str, long: str, anchored: bool, whole: bool) -> float:
    try:
        one = counted.search(short, anchored, whole)
        two = counted.search(long, anchored, whole)
    except TooMany:
        return float("inf")
    return (two / one) / (len(long) / len(short))
