"""What a model wrote, out of whatever it answered: JSON, in fences or in the middle of talk, cut off, or lists in words."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from training.synthetic.chat.prompt import QUESTION_KINDS
from training.synthetic.source import says_something

UNNAMED = "question"
"""The kind of a question of which the model did not say it."""
MOST_LETTERS = 400
_MOST = 12  # Questions of one answer.
_READ = 50_000  # Letters of an answer, the last: thoughts come first.
_THOUGHT = re.compile(r"<(think|thinking|thought|reasoning)>.*?(</\1>|\Z)", re.DOTALL | re.I)
_THOUGHT_ENDS = re.compile(r"\A.*</(?:think|thinking|thought|reasoning)>", re.DOTALL | re.I)
_PART = re.compile(r'"(\w{1,40})"\s*:\s*("(?:[^"\\]|\\.){1,2000}")')
_BULLET = re.compile(r"\s{0,20}(?:[-*•–]|\(?\d{1,2}[.):])\s+")
_LABEL = re.compile(
    r"[\s*_`#\"']{0,9}([A-Za-z][A-Za-z _-]{0,30})[*_`\"']{0,4}\s{0,4}:[*_`]{0,4}\s+"
)
_REFUSAL = re.compile(
    r"\s*(i['’]?m sorry|i am sorry|sorry[,.!]|i can(?:['’]t|not)\b|i (?:am|['’]m) (?:un|not )able|as an ai\b|i won['’]t)",
    re.I,
)
_EMPTY = frozenset(("", "...", "…", "string", "n/a", "none", "null", *QUESTION_KINDS))
_FIELDS = ("query", "question", "text", "value", "content")


class ParsedQuestion(NamedTuple):
    """A question and which kind it is to be.

    >>> ParsedQuestion("lay", "why is my heart racing").kind
    'lay'
    """

    kind: str
    text: str


def questions_of(answer: str) -> list[ParsedQuestion]:
    r"""The questions in an answer, each once; none where there are none.

    >>> questions_of('<think>Hmm</think>```json\n{"lay": "why is my heart racing?"}\n```')
    [ParsedQuestion(kind='lay', text='why is my heart racing?')]
    >>> questions_of("Sure! Here you go:\n1. **Keyword:** fast heart rate")
    [ParsedQuestion(kind='keyword', text='fast heart rate')]
    """
    said = _said(answer)
    found = _json(said)
    made = _walked(found) if found is not None else [*_parts(said)] or _lines(said)
    clean = [ParsedQuestion(kind, _cleaned(text)) for kind, text in made]
    usable = [q for q in clean if _is_usable(q.text)]
    return list({q.text.casefold(): q for q in usable}.values())[:_MOST]


def is_refusal(answer: str) -> bool:
    """Whether a model says that it will not answer."""
    return _REFUSAL.match(_said(answer)) is not None


def _said(answer: str) -> str:
    """An answer without what the model thought before."""
    return _THOUGHT_ENDS.sub("", _THOUGHT.sub("", answer[-_READ:]))


def _json(said: str) -> Any:
    """The first object or list of JSON in a text that holds anything; None where there is none."""
    decoder = json.JSONDecoder(strict=False)
    at = 0
    # A text of nothing but brackets is given up after a few.
    for _ in range(20):
        starts = [place for place in (said.find("{", at), said.find("[", at)) if place >= 0]
        if not starts:
            return None
        at = min(starts)
        try:
            found, _end = decoder.raw_decode(said, at)
        except (ValueError, RecursionError):
            found = None
        if found:
            return found
        at += 1
    return None


def _walked(content: Any, kind: str = UNNAMED, depth: int = 0) -> list[tuple[str, str]]:
    """The texts in what was read from JSON, whatever it is called and how deep it lies."""
    if isinstance(content, str):
        return [(kind, content)]
    if depth > 4:
        return []
    if isinstance(content, list):
        return [made for part in content for made in _walked(part, kind, depth + 1)]
    if not isinstance(content, Mapping):
        return []
    named = _kind(str(content.get("kind") or content.get("type") or ""), kind)
    fields = [field for field in _FIELDS if isinstance(content.get(field), str)]
    if fields and len(content.keys() & QUESTION_KINDS.keys()) < 2:
        return [(_kind(fields[0], named) if len(content) == 1 else named, content[fields[0]])]
    return [
        made
        for key, part in content.items()
        if key not in ("kind", "type")
        for made in _walked(part, _kind(str(key), named), depth + 1)
    ]


def _parts(said: str) -> Iterator[tuple[str, str]]:
    """The whole fields of an object that was cut off."""
    for match in _PART.finditer(said):
        yield _kind(match[1], UNNAMED), str(json.loads(match[2], strict=False))


def _lines(said: str) -> list[tuple[str, str]]:
    """The lines of a list in words: with a bullet, a number, the name of a kind, or a question mark."""
    made: list[tuple[str, str]] = []
    for line in said.splitlines()[:200]:
        bullet = _BULLET.match(line)
        rest = line[bullet.end() :] if bullet else line
        label = _LABEL.match(rest)
        kind = _kind(label[1], "") if label else ""
        text = rest[label.end() :] if label and kind else rest
        if bullet or kind or rest.rstrip(" *\"'`").endswith(("?", "？", "؟")):
            made.append((kind or UNNAMED, text))
    return made


def _kind(name: str, otherwise: str) -> str:
    """The kind that a name begins with or holds, such as "Lay query"."""
    words = re.split(r"[\W_]+", name.casefold())
    return next(
        (kind for kind in QUESTION_KINDS if kind in words or f"{kind}s" in words), otherwise
    )


def _cleaned(text: str) -> str:
    """A question on one line, without quotes and signs of emphasis around it."""
    line = " ".join(text[: 2 * MOST_LETTERS].split())
    bullet = _BULLET.match(line)
    return (line[bullet.end() :] if bullet else line).strip(" \t*_`\"“”„«»'")


def _is_usable(text: str) -> bool:
    return (
        text.casefold() not in _EMPTY
        and len(text) <= MOST_LETTERS
        and says_something(text, 1)
        and not _REFUSAL.match(text)
        and not any(sign in text for sign in "{}<>")
    )
