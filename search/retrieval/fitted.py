"""How keyword search and a model are joined in `hybrid:MODEL@auto`: found on the dev queries, kept as a report.

It is fitted above, where there are queries and metrics (`search.evaluation.rankings.fit_fusion`), anew where the corpus, the
model, the pairs that the dev queries come with, or the query set that they are kept apart from is another.
"""

from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter

from search.models.registry import ModelInfo
from search.projects.artifacts import Manifest
from search.projects.errors import Refused
from search.projects.project import Project
from search.retrieval.fusion import Fusion
from search.retrieval.sparse import SETTINGS

_KIND = "fusion"
_MADE_SO = "fusion/1"  # Another number when the same dev queries lead to another fusion.


@dataclass(frozen=True)
class FittedFusion:
    """A fusion, and what it was chosen by: nDCG@10 on so many dev queries.

    `joined` is what joining reaches there by cross-fitting (each query by what was chosen on others), `words` and `model`
    what either side reaches alone.

    >>> FittedFusion(Fusion(0.3, "scores"), 60, 0.71, 0.52, 0.68).sentence
    'scores joined, words 30 %, the best 200 of each side: nDCG@10 .710 on 60 dev queries by cross-fitting, .680 by the model alone, .520 by words alone'
    >>> FittedFusion(Fusion(1.0), 60, 0.51, 0.52, 0.31).sentence
    'words alone: on 60 dev queries joining gained nothing (nDCG@10 .510 by cross-fitting, .310 by the model alone, .520 by words alone)'
    """

    fusion: Fusion
    queries: int
    joined: float
    words: float
    model: float

    @property
    def sentence(self) -> str:
        """In plain words what was chosen, and by what figures."""
        figures = [
            f"{value:.3f}".removeprefix("0") for value in (self.joined, self.model, self.words)
        ]
        joined, model, words = figures
        alone = f"{model} by the model alone, {words} by words alone"
        on = f"on {self.queries:,} dev queries"
        if self.fusion.is_one_side:
            side = "words" if self.fusion.weight else "the model"
            return f"{side} alone: {on} joining gained nothing (nDCG@10 {joined} by cross-fitting, {alone})"
        return (
            f"{self.fusion.scale} joined, words {100 * self.fusion.weight:.3g} %, the best {self.fusion.depth} of each side: "
            f"nDCG@10 {joined} {on} by cross-fitting, {alone}"
        )


def fusion_depends_on(project: Project) -> list[str | None]:
    """What a fitted fusion depends on beside corpus and model: how it is made, and the ids of pairs and query set."""
    kinds = (project.newest("pairs"), project.newest("queries"))
    return [_MADE_SO, *(None if one is None else one.id for one in kinds)]


def find_fusion(project: Project, info: ModelInfo, corpus: Manifest) -> Manifest | None:
    """The report of what was fitted for a model over a corpus with today's dev queries, or None."""
    _, pairs, queries = fusion_depends_on(project)
    return project.newest_where(
        "reports", _details(info), corpus=corpus.id, pairs=pairs, queries=queries
    )


def keep_fusion(
    project: Project, info: ModelInfo, corpus: Manifest, fitted: FittedFusion
) -> Manifest:
    """Keep what was fitted."""
    _, pairs, queries = fusion_depends_on(project)
    sources = {"corpus": corpus.id, "pairs": pairs, "queries": queries, "model": info.id}
    made_from = {part: one for part, one in sources.items() if one is not None}
    with project.publish("reports", made_from, **_details(info), fitted=asdict(fitted)) as draft:
        pass
    return project.artifact("reports", draft.id)


def fitted_fusion(project: Project, info: ModelInfo, corpus: Manifest) -> FittedFusion:
    """What was fitted for a model over a corpus.

    :raises Refused: where nothing was fitted yet.
    """
    report = find_fusion(project, info, corpus)
    if report is None:
        raise Refused(
            f"hybrid:{info.name}@auto is not weighed yet for the newest documents and dev queries: python cli.py search "
            f"{project.name} QUERY --model hybrid:{info.name}@auto."
        )
    return what_was_fitted(report)


def what_was_fitted(report: Manifest) -> FittedFusion:
    """What a report of `find_fusion` says."""
    return TypeAdapter(FittedFusion).validate_python(report.details["fitted"])


def _details(info: ModelInfo) -> dict[str, Any]:
    return {
        "report": _KIND,
        "made_so": _MADE_SO,
        "words": list(SETTINGS),
        "fingerprint": info.fingerprint,
    }
