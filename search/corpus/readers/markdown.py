"""Markdown: rendered as a page, then read as one; the front matter gives the title and metadata."""

import re
from pathlib import Path

from search.corpus.readers.blocks import Prose, whole_text
from search.corpus.readers.html import content_of
from search.corpus.readers.report import Report

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
