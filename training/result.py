"""What a recipe is asked for, what it learned from pairs, and what was published of that.

Learning is apart from publishing so that several recipes can learn from the same material, and the best alone become an
artifact (see `training.auto`).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from search.models.registry import ModelInfo
from search.projects.progress import Progress, silent
from search.projects.project import Project
from training.checkpoints import Checkpointer
from training.dev_set import START
from training.settings import RecipeSettings
from training.training_data import TrainingData

GENERIC_DEV = "generic"
"""In the details of a dev record: the generic model's score, where it stood beside (None: not measured)."""


@dataclass(frozen=True)
class Request:
    """A training that was asked for.

    :param name: what the model will be called; free when the training began.
    :param recipe: the recipe's name.
    :param checkpointer: keeps how far it came.
    :param started: when it began, by `time.monotonic`.
    :param strict: keep documents apart as well, whatever the query set asks.
    :param ends: whether its time is over: asked as it learns, and then it ends at its best so far.
    """

    project: Project
    name: str
    recipe: str
    settings: RecipeSettings
    progress: Progress = silent
    checkpointer: Checkpointer = field(default_factory=Checkpointer)
    started: float = field(default_factory=time.monotonic)
    ends: Callable[[], bool] = lambda: False
    strict: bool = False

    def resumable(self, made_from: dict[str, str], **facts: Any) -> Checkpointer:
        """The checkpoints of this recipe and these settings on this data."""
        about = {"recipe": self.recipe, "settings": self.settings.model_dump(mode="json")}
        facts |= {"strict": True} if self.strict else {}
        return self.checkpointer.about(**about, data=made_from, **facts)


@dataclass(frozen=True)
class Trained:
    """What a training made, and what the person should know of it."""

    name: str
    id: str
    notes: list[str]


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
    :param is_adapter: whether the model is the base with a matrix behind it: then the matrix alone is stored.
    :param info: the base as the project knew it when the training began; None for a folder or hub id.
    """

    base: str
    model: Any
    dev: DevRecord
    knew: float
    facts: dict[str, Any] = field(default_factory=dict)
    origin: str | None = None
    is_adapter: bool = False
    info: ModelInfo | None = None


Learn = Callable[[Request, TrainingData], TrainingResult | None]
"""A recipe, from what was asked for and the material to what it learned; None in a process that only helped."""
