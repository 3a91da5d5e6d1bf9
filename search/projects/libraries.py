"""The libraries that something is made with, for whoever wants to make it again."""

import platform
from collections.abc import Iterable
from importlib.metadata import version


def libraries(names: Iterable[str]) -> dict[str, str]:
    """The versions of libraries as they are now, by name; Python's first."""
    return {"python": platform.python_version(), **{name: version(name) for name in names}}
