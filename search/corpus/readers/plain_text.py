"""Plain text, a document a line or a paragraph; and Markdown, rendered as a page and then read as one."""

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from search.corpus.document import Document
from search.corpus.readers.blocks import Prose, whole_text
from search.corpus.readers.html import content_of
from search.corpus.readers.report import BadField, Report, clean_text
from search.corpus.readers.tables import text_lines


def read_plain_text(path: Path, report: Report, stem: str) -> Iterator[Document]:
    """The documents of a text file: its paragraphs where blank lines part any, else its lines.

    :param stem: what the ids begin with; a number follows.
    :raises Refused: when the file is not text.
    """
    report.format = "plain text"
    blocks = _paragraphs(path, report) if _has_blank_lines(path, report) else _lines(path, report)
    for number, (line, block) in enumerate(blocks, start=1):
        try:
            text = clean_text(block, "the text")
        except BadField as error:
            report.refuse(f"line {line}", str(error))
            continue
        if text:
            report.accepted += 1
            yield Document(f"{stem}-{number}", "", text)


def _has_blank_lines(path: Path, report: Report) -> bool:
    """Whether blank lines part the text into paragraphs (else each line is a document)."""
    seen_text = blank_after_text = False
    for line in text_lines(path, report):
        if line.strip():
            if blank_after_text:
                return True
            seen_text = True
        elif seen_text:
            blank_after_text = True
    return False


def _lines(path: Path, report: Report) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text_lines(path, report), start=1):
        if line.strip():
            yield number, line


def _paragraphs(path: Path, report: Report) -> Iterator[tuple[int, str]]:
    lines = enumerate(text_lines(path, report), start=1)
    for blank, group in groupby(lines, key=lambda numbered: not numbered[1].strip()):
        if not blank:
            numbers, block = zip(*group, strict=True)
            yield numbers[0], "".join(block)


_FIELD = re.compile(r"([A-Za-z][\w .-]{0,60}):(?:\s+(.*)|\s*)$")
_FRONT_LINES = 200


def read_markdown(path: Path, report: Report) -> Prose:
    """A Markdown file as prose; code blocks and the texts of links are kept, addresses of links are not.

    :raises Refused: when the file is too large or not text.
    """
    from markdown_it import MarkdownIt

    report.format = "Markdown"
    fields, text = _front_matter(whole_text(path, report))
    markup = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text)
    _, blocks = content_of(f"<body>{markup}", report)
    title = fields.pop("title", "")
    return Prose(title, blocks, fields)


def _front_matter(text: str) -> tuple[dict[str, str], str]:
    """The `key: value` lines between two `---` at the start, and the rest; lists are joined by commas."""
    lines = text.split("\n", _FRONT_LINES)
    if lines[0].rstrip() != "---":
        return {}, text
    fields: dict[str, str] = {}
    last = ""
    for number, line in enumerate(lines[1:_FRONT_LINES], start=1):
        stripped = line.strip()
        if line.rstrip() in ("---", "..."):
            return {name: value for name, value in fields.items() if value}, "\n".join(
                lines[number + 1 :]
            )
        if found := _FIELD.match(line.rstrip()):
            last = found[1].strip().lower()
            fields[last] = _unquoted(found[2] or "")
        elif stripped.startswith("- ") and last:
            item = _unquoted(stripped[2:])
            fields[last] = f"{fields[last]}, {item}" if fields[last] else item
        elif stripped.startswith("#") or not stripped:
            continue
        elif last and line[:1].isspace():
            fields[last] = f"{fields[last]} {stripped}".strip(" >|")
        else:
            break
    return {}, text


def _unquoted(value: str) -> str:
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    if value.startswith("[") and value.endswith("]"):
        return ", ".join(_unquoted(item) for item in value[1:-1].split(","))
    return value
