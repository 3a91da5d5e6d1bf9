"""Damage that was met: each damaged thing hides itself only, and is named once, with what to do."""

from search.projects.errors import BespokeError

_MOST = 1_000
_met: dict[str, None] = {}


def notice(damaged: BespokeError) -> None:
    """Note damage that the work goes on without; whoever ends it says it (`noticed`)."""
    if len(_met) < _MOST:
        _met[str(damaged)] = None


def noticed() -> list[str]:
    """The sentences on what was met since the last call, each once."""
    said = list(_met)
    _met.clear()
    return said
