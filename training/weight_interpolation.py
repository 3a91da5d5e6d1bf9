"""Between a start and what was trained from it: the straight line of weights, the best share of it, where a model stands.

Going only part of the way from the start to the tuned weights often serves both the new task and the old ones better than
either end (WiSE-FT; Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").

On pairs that nobody wrote it goes a fifth of the way, and only where that is surely better. Mined queries are not what
people ask, and a model that serves them ever better begins to serve people worse. Measured on five sets with real test
questions: all the way was significantly worse on three of them, a quarter of the way on none. So what was learned from
mined pairs is blended with the start, and kept where a paired test on the mined dev queries says "better".
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from indexes.vector_index import Vectors
from search.evaluation.query_sets.leakage import MINED, ORIGIN, WRITTEN
from search.evaluation.statistics.significance import paired_test
from search.models.registry import ModelInfo, models
from search.projects.artifacts import Manifest
from search.projects.errors import Refused
from search.projects.project import Project

if TYPE_CHECKING:
    import torch

    Weights = dict[str, "torch.Tensor"]

SHARES = (0.25, 0.5, 0.75)
"""How much of the way is tried, beside all of it."""
SHRUNKEN = 0.2
"""How much of the way is gone on pairs that nobody wrote."""
WRITTEN_SHARE = 0.5
"""The same where a chat server wrote all questions, which are nearer to what people ask."""
PLACE = "place"


@dataclass(frozen=True)
class InterpolationPoint:
    """How much of the way from its start a model went, and what that start was.

    :param kind: what lies between them: the matrix of an adapter, or all weights.
    :param share: 0 for the start, 1 for what was trained, before any blending.
    :param start: the start's name in the project, a folder, or a hub id.
    :param start_id: the start's id in the project; None for a folder or hub id.
    """

    kind: Literal["matrix", "weights"]
    share: float
    start: str
    start_id: str | None

    @classmethod
    def facts_of(
        cls, kind: Literal["matrix", "weights"], share: float, base: str, info: ModelInfo | None
    ) -> dict[str, Any]:
        """What the manifest of a model says that was trained just now.

        :param base: what its recipe calls the start.
        :param info: the start as the project knows it.
        """
        return cls(kind, share, base, info.id if info else None).facts()

    @classmethod
    def of(cls, manifest: Manifest) -> "InterpolationPoint | None":
        """The place of a published model; None where there is no way to a start, as with Word2Vec."""
        saved: Mapping[str, Any] | None = manifest.details.get(PLACE)
        return None if saved is None else cls(**saved)

    def facts(self) -> dict[str, Any]:
        """For a manifest."""
        return {PLACE: asdict(self)}

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


def is_matrix_of_start(facts: Mapping[str, Any]) -> bool:
    """Whether what a manifest says is of a matrix behind the start itself, not behind what was made of it."""
    return PLACE in facts and facts[PLACE]["kind"] == "matrix"


def between(start: "Weights", tuned: "Weights", share: float) -> "Weights":
    """Weights on the way from a start (share 0) to a tuned model (share 1); numbers that do not flow stay.

    :param start: weights by name.
    :param tuned: weights of the same names and shapes.
    """
    return {
        name: tensor + (tuned[name].to(tensor) - tensor) * share
        if tensor.is_floating_point()
        else tuned[name]
        for name, tensor in start.items()
    }


def best_share(measure: Callable[[float], float], whole: float) -> tuple[float, dict[float, float]]:
    """Which share of the way serves best, by what `measure` says of it, and all that it said.

    :param measure: the dev score of a share.
    :param whole: the dev score of share 1; it stays unless another one is better.
    """
    scores = {share: measure(share) for share in SHARES} | {1.0: whole}
    return max(scores, key=lambda share: (scores[share], share)), scores


def between_matrices(matrix: Vectors, share: float) -> Vectors:
    """The matrix on the way from the identity, which turns nothing (share 0), to this one (share 1).

    >>> between_matrices(np.array([[3, 2], [0, 1]], dtype=np.float32), 0.5)
    array([[2., 1.],
           [0., 1.]], dtype=float32)
    """
    identity = np.eye(len(matrix), dtype=np.float32)
    return (identity + np.float32(share) * (matrix - identity)).astype(np.float32)


def followed(details: Mapping[str, Any]) -> float:
    """How much of the way is gone at most on a set of pairs, by its manifest.

    >>> followed({}), followed({"origin": "mined"}), followed({"origin": "mined", "written": {}, "kinds": {"generated": {}}})
    (1.0, 0.2, 0.5)
    """
    if details.get(ORIGIN) != MINED:
        return 1.0
    is_written = WRITTEN in details and details["kinds"].keys() == {"generated"}
    return WRITTEN_SHARE if is_written else SHRUNKEN


def shrunken(
    matrix: Vectors,
    blend: float,
    measure: Callable[[Vectors], list[float]],
    most: float = SHRUNKEN,
) -> tuple[Vectors, float, float] | None:
    """A matrix that was learned from mined pairs, a part of the way from the identity.

    :param matrix: what was learned, `blend` of the way from the identity.
    :param measure: nDCG@10 of each dev query under a matrix.
    :param most: how much of the way is gone at most; see `followed`.
    :returns: the matrix, its share of the way, and its dev score; None where that is not clearly better than the start.
    """
    share = min(most, blend)
    careful = between_matrices(matrix, share / blend)
    before, after = measure(np.eye(len(matrix), dtype=np.float32)), measure(careful)
    if paired_test("start", "mined", before, after).verdict != "better":
        return None
    return careful, share, float(np.mean(after))
