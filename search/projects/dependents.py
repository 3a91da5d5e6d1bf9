"""What cannot stand without what it was made from: it goes with that, and is not published after that was deleted."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from search.projects.artifacts import Kind, is_id

GO_WITH: dict[Kind, frozenset[Kind]] = {
    "corpora": frozenset({"indexes", "evaluations", "reports", "vocabularies", "maps"}),
    "pairs": frozenset({"reports"}),
    "queries": frozenset({"evaluations", "maps", "reports"}),
    "models": frozenset({"indexes", "maps", "vectors", "reports"}),
}
"""What goes with each kind: it cannot be used without, or holds texts of it. All else that was made from it stays."""
_PARTS: tuple[tuple[str, Kind], ...] = (
    ("corpus", "corpora"),
    ("pairs", "pairs"),
    ("queries", "queries"),
    ("model", "models"),  # model, model0, model:mine
)


def missing_source(
    folder: Path, kind: Kind, made_from: Mapping[str, str], new: frozenset[str]
) -> tuple[Kind, str] | None:
    """What an artifact cannot stand without and is not in the project (any more): its kind and id.

    :param folder: of the project.
    :param new: the ids of what is published together with it.
    """
    return next(
        (
            (above, identity)
            for above, identity in _sources(made_from)
            if kind in GO_WITH[above]
            and identity not in new
            and is_id(identity)
            and not (folder / above / identity).is_dir()
        ),
        None,
    )


def _sources(made_from: Mapping[str, str]) -> Iterator[tuple[Kind, str]]:
    for part, identity in made_from.items():
        for begins, kind in _PARTS:
            if part.startswith(begins):
                yield kind, identity
