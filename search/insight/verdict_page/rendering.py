"""The templates of the page that is handed over: HTML and XML, in which every value is escaped."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).parent / "templates"


def render(name: str, /, **values: object) -> str:
    """A template, filled.

    :param name: its file.
    :param values: what it says; each is escaped where it stands.
    :raises jinja2.UndefinedError: when the template needs a value that is not given.
    """
    return _environment().get_template(name).render(values)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
