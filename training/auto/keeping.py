"""The ladder on disk, in the folder of its run: a killed auto goes on with the rung it was at.

A model is kept as it would be published, in a folder that is renamed when it is whole; the ladder after it.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.encoders import load_sentence_transformer
from training.auto.ladder import Ladder, Rung
from training.checkpoints import Checkpoints

_NAME = "ladder"
_MODELS = "rungs"


@dataclass
class Kept:
    """What is known of a ladder.

    :param plans: what a rung that takes long set out to do, by its name, so that it sets out to do the same again.
    """

    ladder: Ladder
    spent: float
    plans: dict[str, dict[str, Any]]

    @classmethod
    def nothing(cls) -> "Kept":
        """Before the first rung."""
        return cls(Ladder(), 0.0, {})


class Keeper:
    """Keeps a ladder and its models, SentenceTransformers all, and finds them again."""

    def __init__(self, checkpoints: Checkpoints) -> None:
        self._checkpoints = checkpoints

    def load(self) -> Kept:
        """What an earlier process kept; an empty ladder where there was none."""
        found = self._checkpoints.load(_NAME)
        if found is None:
            return Kept.nothing()
        rungs = [Rung.from_json(rung) for rung in found.state["rungs"]]
        return Kept(Ladder(rungs), found.state["spent"], found.state["plans"])

    def save(self, kept: Kept) -> None:
        """Write the ladder in place of what was there."""
        rungs = [rung.as_json() for rung in kept.ladder.rungs]
        state = {"rungs": rungs, "spent": kept.spent, "plans": kept.plans}
        self._checkpoints.save(_NAME, {}, state)

    def save_model(self, place: int, model: Any) -> None:
        """Write the model of a rung."""
        folder = self._folder(place)
        if folder is None:
            return
        beside = folder.with_suffix(".part")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        model.save(str(beside), create_model_card=False, safe_serialization=True)
        shutil.rmtree(folder, ignore_errors=True)
        beside.rename(folder)

    def load_model(self, place: int) -> Any:
        """The model of a rung that was kept."""
        folder = self._folder(place)
        assert folder is not None  # Only what was kept on disk is loaded from there.
        return load_sentence_transformer(folder)

    def _folder(self, place: int) -> Path | None:
        root = self._checkpoints.folder
        return None if root is None else root / _MODELS / str(place)
