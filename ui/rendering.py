"""HTML of the pages: each piece is a template in `templates/`, in which every value is escaped.

Python prepares what a template says; tags, classes and loops stand in the template.
"""

import re
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import escape

_HERE = Path(__file__).parent
TEMPLATES = _HERE / "templates"
_SPACE = re.compile(r"(?<!\s)\s++")


def render(name: str, /, **values: object) -> str:
    """A piece of HTML.

    :param name: the file of the template.
    :param values: what it says; each is escaped where it stands.
    :raises jinja2.UndefinedError: when the template needs a value that is not given.
    """
    return _environment().get_template(name).render(values)


def plain(text: str) -> str:
    """A text that shows as it is where tags are read that no template draws, such as in a chart of plotly."""
    return str(escape(text))


# What Markdown and Streamlit's additions to it read as markup, each where it does: formulas, icons and colours in colons, bare
# addresses (www., ://, @), and at the beginning headings, lists and quotations. Sentences stay as they are to read.
_MARKUP = re.compile(
    r"[\\`*\[\]<>{}$~&|^@]|(?<![^\W_])_|_(?![^\W_])|:(?=[\w/+-])|(?<=www)\.|-(?=-)|(?<=-)-|^[#+=-]",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^(\d+)([.)])")


def literal(text: object) -> str:
    """Text of anybody for where Streamlit reads Markdown: it shows as it is, in one line."""
    escaped = _MARKUP.sub(r"\\\g<0>", " ".join(str(text).split()))
    return _NUMBERED.sub(r"\1\\\2", escaped)


class _Unbroken(Extension):
    """Lets a template be laid out in lines: a line break at a tag leaves nothing, any other one space.

    Between elements in a line a space would show, and lines that are indented are code where Markdown is read.
    """

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """The template as if it were written in one line; style sheets and scripts as they are."""
        if name is None or not name.endswith(".html"):
            return source
        return _SPACE.sub(_unbroken, source).strip()


def _unbroken(space: re.Match[str]) -> str:
    """What is left of white space: as it is within a line, nothing at a tag, else one space."""
    if "\n" not in space.group():
        return space.group()
    text, (start, end) = space.string, space.span()
    return (
        ""
        if text[max(start - 1, 0) : start] in (">", "}") or text[end : end + 1] in ("<", "{")
        else " "
    )


@cache
def _environment() -> Environment:
    # The style sheet and the script of the first paint lie beside the templates that include them.
    return Environment(
        loader=FileSystemLoader([TEMPLATES, _HERE]),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=[_Unbroken],
        keep_trailing_newline=True,
    )
