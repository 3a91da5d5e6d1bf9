"""What a run made, told by what it published: a process may be killed after its work was done and before it said so."""

from collections.abc import Sequence
from typing import Any

from search.projects.artifacts import KIND_NAMES, Kind, Manifest

_PURPOSE: dict[str, Kind] = {
    "import": "corpora",
    "add": "corpora",
    "cut": "corpora",
    "remove": "corpora",
    "pairs": "pairs",
    "queries": "queries",
    "sample": "indexes",
    "index": "indexes",
    "train": "models",
    "blend": "reports",
    "add-model": "models",
    "fast": "models",
    "add-reranker": "rerankers",
    "evaluate": "evaluations",
    "full": "evaluations",
    "report": "reports",
    "advise": "reports",
    "curve": "reports",
    "map": "maps",
    "mine": "reports",
}
"""What a command is for; what else it publishes, it makes on the way. Others go on where they were stopped."""
_WITH_OPTION: tuple[tuple[str, str, Kind], ...] = (
    ("mine", "--save", "pairs"),
    ("blend", "--share", "models"),
    ("judgments", "--to-queries", "queries"),
    ("judgments", "--to-pairs", "pairs"),
)


def purpose(arguments: Sequence[str]) -> Kind | None:
    """The kind of artifact with which a command is done; None where it makes none, or several.

    >>> purpose(["mine", "p"]), purpose(["mine", "p", "--save"]), purpose(["search", "p", "x"])
    ('reports', 'pairs', None)

    :param arguments: the command line after `cli.py`.
    """
    if not arguments:
        return None
    verb, kind = arguments[0], _PURPOSE.get(arguments[0])
    options = {argument.split("=", 1)[0] for argument in arguments[1:]}
    for of, option, makes in _WITH_OPTION:
        if verb == of and option in options:
            kind = makes
    return kind


def is_whole(arguments: Sequence[str], made: Sequence[Manifest]) -> bool:
    """Whether a command published what it was for.

    :param made: all that it published.
    """
    wanted = purpose(arguments)
    return any(manifest.kind == wanted for manifest in made)


def in_words(made: Sequence[Manifest]) -> str:
    """What was published, for people: "the corpus 2026..., the model 'mine'"."""
    named = (f"{m.details['name']!r}" if "name" in m.details else m.id for m in made)
    return ", ".join(
        f"the {KIND_NAMES[manifest.kind]} {name}"
        for manifest, name in zip(made, named, strict=True)
    )


def result_of(arguments: Sequence[str], made: Sequence[Manifest]) -> dict[str, Any]:
    """What a run reports of what it made: its id, and the name of a model."""
    wanted = purpose(arguments)
    last = next((m for m in reversed(made) if m.kind == wanted), None)
    if last is None:
        return {}
    named = {"model": last.details["name"]} if last.kind == "models" else {}
    return {"id": last.id, **named}
