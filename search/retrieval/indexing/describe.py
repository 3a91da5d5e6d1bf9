"""An index in words and in JSON: what it is, what was measured of it."""

from collections.abc import Iterator, Sequence
from typing import Any

from indexes.vector_index import IndexFacts
from search.models.registry import ModelInfo
from search.models.window import TRUNCATION, Truncation
from search.projects.artifacts import Manifest
from search.projects.files import size_in_words
from search.projects.project import Project
from search.retrieval.indexing.build import find_index

_KINDS = {
    "flat": "every passage is compared (exact)",
    "hnsw": "a graph of near passages is walked",
    "ivf": "the nearest lists of passages are compared",
    "ivf-sq8": "the nearest lists of passages are compared, at 8 bits a number",
    "ivf-pq": "the nearest lists of passages are compared, by short codes",
    "ivf-rabitq": "the nearest lists of passages are compared, at 1 bit a number",
}


def newest_of(project: Project, info: ModelInfo) -> Manifest | None:
    """The index that was made last with a model as it is now, or None."""
    made = project.all_where("indexes", {"fingerprint": info.indexed_as[1]})
    return next((manifest for manifest in made if "figures" in manifest.details), None)


def truncation_notes(
    project: Project, infos: Sequence[ModelInfo], corpus: Manifest
) -> Iterator[str]:
    """What models do not read of a corpus, as far as their indexes know."""
    for info in infos:
        cut = truncation_noted(project, info, corpus)
        if cut is not None and cut.is_short:
            yield cut.sentence(info.name)


def truncation_noted(project: Project, info: ModelInfo, corpus: Manifest) -> Truncation | None:
    """What a model does not read of a corpus, as its index knows; None where that is not known, or has no bound."""
    index = find_index(project, info, corpus)
    noted = index.details.get(TRUNCATION) if index is not None else None
    return None if noted is None else Truncation(**noted)


def index_sentence(details: dict[str, Any]) -> str:
    """One line: size, time, how it searches, and how well, where that was measured."""
    figures = details["figures"]
    start = (
        f"{details['vectors']:,} vectors of {details['dimension']} dimensions in "
        f"{details['seconds']:.1f} s ({size_in_words(details['bytes'])}, {details['type']}, "
        f"{details['engine']})"
    )
    return ". ".join([start, *_measured(details["type"], figures)]) + "."


def index_line(details: dict[str, Any]) -> str:
    """One line for a page: how it searches and how well, without jargon."""
    how = _KINDS.get(details["type"], f"{details['type']} on {details['engine']}")
    parts = [f"{details['vectors']:,} passages: {how}"]
    return ". ".join([*parts, *_measured(details["type"], details["figures"])]) + "."


def index_json(manifest: Manifest) -> dict[str, Any]:
    """What `index --json` prints."""
    details = manifest.details
    told = {name: details[name] for name in ("model", "reused", "bytes", "seconds")}
    facts = IndexFacts.from_details(details).details()
    return {"id": manifest.id, "created": manifest.created, **told, **facts}


def _measured(kind: str, figures: dict[str, float]) -> list[str]:
    if kind == "flat" or "recall@10" not in figures:
        return []
    found = f"It finds {figures['recall@10']:.1%} of the ten nearest"
    if "ms" in figures and "exact_ms" in figures:
        times = figures["exact_ms"] / max(figures["ms"], 1e-6)
        found += f", in {figures['ms']:.1f} ms a query: {times:.0f} times as fast as comparing all"
    return [found]
