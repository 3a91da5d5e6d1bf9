"""What a recipe learned from pairs, before it is published, and what the dev queries said of it.

Learning is apart from publishing so that several recipes can learn from the same material, and the best alone become an
artifact (see `training.auto`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from training.dev_set import START
from training.request import Request
from training.training_data import TrainingData

GENERIC_DEV = "generic"
"""In the details of a dev record: the generic model's score, where it stood beside (None: not measured)."""


@dataclass(frozen=True)
class DevRecord:
    """What the dev queries said: scores as the training went (the first is the start's), and what was kept.

    :param selected: in words; `START` when nothing was better than the start.
    :param details: more for the manifest.
    :param notes: what of it people should know.
    """

    scores: list[float]
    selected: str
    details: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def is_start(self) -> bool:
        """Whether nothing beat the start, so that it is published as it is."""
        return self.selected == START


@dataclass(frozen=True)
class TrainingResult:
    """An encoder that learned from pairs: a SentenceTransformer, or a matrix over a server's vectors.

    :param base: the name of what it started from.
    :param knew: the start's score on the general questions.
    :param facts: more for the manifest.
    :param origin: what it started from as people read it, where that is no model of a project.
    """

    base: str
    model: Any
    dev: DevRecord
    knew: float
    facts: dict[str, Any] = field(default_factory=dict)
    origin: str | None = None


Learn = Callable[[Request, TrainingData], TrainingResult | None]
"""A recipe, from what was asked for and the material to what it learned; None in a process that only helped."""
