"""Where a model stands between its start and all that was trained: kept in its manifest."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from search.corpus.tokenizer import generic_folder
from search.models.load import load_encoder
from search.models.registry import BUILT_IN, ModelInfo, models
from search.models.sentence_transformer import load_sentence_transformer
from search.projects.artifacts import Manifest
from search.projects.errors import Refused
from search.projects.project import Project

PLACE = "place"
Kind = Literal["matrix", "weights"]


@dataclass(frozen=True)
class InterpolationPoint:
    """How much of the way from its start a model went, and what that start was.

    :param kind: what lies between them: the matrix of an adapter, or all weights.
    :param share: 0 for the start, 1 for what was trained, before any blending.
    :param start: the start's name in the project, a folder, or a hub id.
    :param start_id: the start's id in the project; None for a folder or hub id.
    """

    kind: Kind
    share: float
    start: str
    start_id: str | None

    @classmethod
    def from_start(
        cls, kind: Kind, share: float, base: str, info: ModelInfo | None
    ) -> "InterpolationPoint":
        """The place of a model that was trained just now.

        :param base: what its recipe calls the start.
        :param info: the start as the project knows it.
        """
        return cls(kind, share, base, info.id if info else None)

    @classmethod
    def of(cls, manifest: Manifest) -> "InterpolationPoint | None":
        """The place of a published model; None where there is no way to a start, as with Word2Vec."""
        saved: Mapping[str, Any] | None = manifest.details.get(PLACE)
        return None if saved is None else cls(**saved)

    def facts(self) -> dict[str, Any]:
        """For a manifest."""
        return {PLACE: asdict(self)}

    def load_start(self, project: Project) -> Any:
        """A fresh copy of the start.

        :raises Refused: when the project has it no more, or it cannot be loaded.
        """
        if self.start_id == BUILT_IN:
            return load_sentence_transformer(generic_folder())
        info = self.start_info(project)
        return (
            load_sentence_transformer(self.start) if info is None else load_encoder(project, info)
        )

    def start_info(self, project: Project) -> ModelInfo | None:
        """The start as the project knows it; None for a folder or hub id.

        :raises Refused: when the project has it no more.
        """
        if self.start_id is None:
            return None
        for info in models(project):
            if info.id == self.start_id:
                return info
        raise Refused(
            f"The start {self.start!r} is gone from {project.name!r}, and there is no way to it without it. Add "
            "that model again, and train anew."
        )
