"""TREC topics into queries: the classic <top> with <num> and <title>, and XML with <topic number="1">.

Classic topics are not XML (nothing is closed, "&" stands for itself), so both are read by one tolerant scan.
"""

import html
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from search.corpus.readers.report import Report
from search.corpus.readers.tables import text_lines
from search.projects.errors import Refused
from search.projects.settings import LIMITS

_TOPIC = re.compile(
    r"<(top|topic)\b([^<>]*)>(.*?)(?=</(?:top|topic)\s*>|<(?:top|topic)\b|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_FIELD = re.compile(r"<([a-z][\w:.-]*+)[^<>]*+>((?:[^<]|<(?![a-z/!?]))*)", re.IGNORECASE)
_NUMBER = re.compile(r"""\b(?:number|num|qid|id)\s*=\s*["']([^"']*)["']""", re.IGNORECASE)
_LABEL = re.compile(r"\A(number|topic|title|query|description)\s*:\s*", re.IGNORECASE)
_IDS = ("num", "number", "identifier", "qid", "id")
_TEXTS = ("query", "title", "question", "desc", "description", "summary", "note")


def looks_like_topics(path: Path, report: Report) -> bool:
    """Whether the first line of a file that says anything begins with a tag."""
    look = Report(report.source, encoding=report.encoding)
    try:
        first = next((line for line in text_lines(path, look) if line.strip()), "")
    except Refused:
        return False
    return first.lstrip("\ufeff \t").startswith("<")


def read_topics(
    path: Path, report: Report, chosen: str | None = None
) -> Iterator[tuple[str, str, str]]:
    """The topics of a file: where each stands, its number and its text, as they are written.

    :param chosen: the element that holds the text ("desc", "narr"); by default the query or the title.
    :raises Refused: when the file is not text, too long, or holds no topic.
    """
    report.format = "TREC topics"
    text, size = [], 0
    for line in text_lines(path, report):
        text.append(line)
        size += len(line)
        if size > LIMITS.line_bytes:
            raise Refused(
                f"{report.source} has more than {LIMITS.line_bytes:,} characters. Is this a file of topics?"
            )
    content = _between("".join(text), "<!--", "-->", lambda comment: "")
    content = _between(content, "<![CDATA[", "]]>", html.escape)
    number = 0
    for number, topic in enumerate(_TOPIC.finditer(content), start=1):
        fields: dict[str, str] = {}
        for field in _FIELD.finditer(topic[3]):
            name = field[1].lower().rsplit("-", 1)[-1]  # CLEF writes <EN-title>.
            fields.setdefault(name, _plain(field[2]))
        attribute = _NUMBER.search(topic[2])
        identity = html.unescape(attribute[1]).strip() if attribute else _one_of(fields, _IDS)
        if chosen is not None:
            said = _one_of(fields, (chosen.strip("<>").lower(),))
        else:
            said = _one_of(fields, _TEXTS) or _plain(topic[3].split("<", 1)[0])
        yield f"topic {number}", identity, said
    if not number:
        raise Refused(f"{report.source} holds no topics: <top> or <topic> was expected.")


def _between(text: str, start: str, end: str, change: Callable[[str], str]) -> str:
    """The text with what stands between two marks changed, the marks gone; in one pass, closed or not."""
    parts, at = [], 0
    while (opened := text.find(start, at)) >= 0:
        closed = text.find(end, opened + len(start))
        if closed < 0:
            break
        parts += [text[at:opened], change(text[opened + len(start) : closed])]
        at = closed + len(end)
    return "".join([*parts, text[at:]])


def _plain(raw: str) -> str:
    return _LABEL.sub("", " ".join(html.unescape(raw).split())).strip()


def _one_of(fields: dict[str, str], names: tuple[str, ...]) -> str:
    return next((fields[name] for name in names if fields.get(name)), "")
