"""What a recipe is asked for, and what it made."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from search.projects.progress import Progress, silent
from search.projects.project import Project
from training.checkpoints import Checkpoints
from training.settings import RecipeSettings


def never() -> bool:
    """The end of a training that takes the time it takes."""
    return False


@dataclass(frozen=True)
class Request:
    """A training that was asked for.

    :param name: what the model will be called; free when the training began.
    :param recipe: the recipe's name.
    :param checkpoints: where it keeps how far it came.
    :param started: when it began, by `time.monotonic`.
    :param ends: whether its time is over: asked as it learns, and then it ends at its best so far.
    """

    project: Project
    name: str
    recipe: str
    settings: RecipeSettings
    progress: Progress = silent
    checkpoints: Checkpoints = field(default_factory=Checkpoints)
    started: float = field(default_factory=time.monotonic)
    ends: Callable[[], bool] = never

    def resumable(self, made_from: dict[str, str], **facts: Any) -> Checkpoints:
        """The checkpoints of this recipe and these settings on this data."""
        about = {"recipe": self.recipe, "settings": self.settings.model_dump(mode="json")}
        return self.checkpoints.about(**about, data=made_from, **facts)


@dataclass(frozen=True)
class Trained:
    """What a training made, and what the person should know of it."""

    name: str
    id: str
    notes: list[str]
