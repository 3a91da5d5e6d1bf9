"""Columns that read different shares of the passages: said beside their ranks, since ranks alone do not show it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from search.models.cross_encoders import find_reranker, reranker_truncation
from search.models.registry import find_model
from search.models.window import Truncation
from search.projects.artifacts import Manifest
from search.projects.errors import Refused
from search.projects.project import Project
from search.retrieval.columns import SearchColumn
from search.retrieval.indexing.describe import truncation_noted

_APART = 0.01


def truncations(
    project: Project,
    columns: Sequence[SearchColumn],
    corpus: Manifest,
    measured: Mapping[str, str] | None = None,
) -> dict[str, Truncation]:
    """By the name of each column: what the model that it ranks by does not read, where that is told to people.

    Of a column that is read again, what its reranker does not read where that is more.

    :param measured: the ids of the models by name, where only those very models count; others may bear their names now.
    """
    made: dict[str, Truncation] = {}
    for column in columns:
        if column.reranker is not None:
            with suppress(Refused):
                reranker = find_reranker(project, column.reranker)
                cut = reranker_truncation(project, reranker, corpus)
                if cut is not None and cut.read:
                    made[column.name] = cut
        if column.model is None:
            continue
        with suppress(Refused):  # Deleted meanwhile.
            info = find_model(project, column.model)
            cut = truncation_noted(project, info, corpus)
            same = measured is None or measured.get(info.name) == info.id
            known = made.get(column.name)
            if (
                cut is not None
                and cut.read
                and same
                and (known is None or cut.tokens > known.tokens)
            ):
                made[column.name] = cut
    return made


def share_read(column: SearchColumn, cuts: Mapping[str, Truncation]) -> str:
    """What stands at the head of a column that does not read all; nothing for any other.

    >>> short = Truncation(64, 1.0, 0.6, 6, 6, fits=60)
    >>> share_read(SearchColumn("short"), {"short": short})
    "reads 40 % of the passages' words"
    >>> share_read(SearchColumn("short", 0.5), {"hybrid:short": short})
    "its model reads 40 % of the passages' words"
    >>> again = Truncation(64, 1.0, 0.6, 6, 6, fits=60, by="reranker")
    >>> share_read(SearchColumn("short", reranker="ce"), {"rerank:short@ce": again})
    "its reranker reads 40 % of the passages' words"
    """
    if column.name not in cuts:
        return ""
    cut = cuts[column.name]
    return ("" if column.kind == "model" else f"its {cut.by} ") + cut.read


def unequal_note(columns: Sequence[SearchColumn], cuts: Mapping[str, Truncation]) -> str | None:
    """One sentence where columns read different shares of the passages; None where they read as much.

    >>> words, short = SearchColumn(None), SearchColumn("short")
    >>> print(unequal_note([words, short], {"short": Truncation(64, 1.0, 0.6, 6, 6, fits=60)}))
    These columns do not read equal shares of the documents (short reads 40 % of the passages' words), so what sets them
    apart may be what one of them never reads; passages of at most 60 word pieces would be read to their ends.
    """
    unread = {
        column.name: cuts[column.name].tokens if column.name in cuts else 0.0 for column in columns
    }
    if not unread or max(unread.values()) - min(unread.values()) <= _APART:
        return None
    said = dict.fromkeys(
        f"{_reader(column, cuts[column.name])} {cuts[column.name].read}"
        for column in columns
        if column.name in cuts
    )
    fits = min((cut.fits for cut in cuts.values() if cut.fits is not None), default=None)
    all_read = (
        f"; passages of at most {fits:,} word pieces would be read to their ends" if fits else ""
    )
    return (
        f"These columns do not read equal shares of the documents ({'; '.join(said)}), so what sets them apart may be what "
        f"one of them never reads{all_read}."
    )


def _reader(column: SearchColumn, cut: Truncation) -> str:
    """Who does not read all: the model that a column ranks by, or its reranker."""
    return SearchColumn(column.model).title if cut.by == "model" else str(column.reranker)
