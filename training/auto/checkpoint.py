"""The ladder on disk, in the folder of its run: a killed auto goes on with the rung it was at.

The models of a rung are kept as they would be published, in a folder that is renamed when it is whole; the ladder after it.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.models.linear_adapter import LinearAdapter, is_matrix
from search.models.sentence_transformer import load_sentence_transformer
from training.auto.leaderboard import Leaderboard, Trial
from training.checkpoints import Checkpoints

_NAME = "ladder"
_MODELS = "rungs"


@dataclass
class SearchState:
    """What is known of a ladder.

    :param plans: what a rung that takes long set out to do, by its name, so that it sets out to do the same again.
    """

    ladder: Leaderboard
    spent: float
    plans: dict[str, dict[str, Any]]

    @classmethod
    def nothing(cls) -> "SearchState":
        """Before the first rung."""
        return cls(Leaderboard(), 0.0, {})


class SearchCheckpointer:
    """Keeps a ladder and its models, and finds them again.

    :param base: the start; what is no SentenceTransformer is a matrix over it.
    """

    def __init__(self, checkpoints: Checkpoints, base: Any) -> None:
        self._checkpoints = checkpoints
        self._base = base

    def load(self) -> SearchState:
        """What an earlier process kept; an empty ladder where there was none."""
        found = self._checkpoints.load(_NAME)
        if found is None:
            return SearchState.nothing()
        rungs = [Trial.from_json(rung) for rung in found.state["rungs"]]
        return SearchState(Leaderboard(rungs), found.state["spent"], found.state["plans"])

    def save(self, saved: SearchState) -> None:
        """Write the ladder in place of what was there."""
        rungs = [rung.as_json() for rung in saved.ladder.rungs]
        state = {"rungs": rungs, "spent": saved.spent, "plans": saved.plans}
        self._checkpoints.save(_NAME, {}, state)

    def save_models(self, position: int, models: Sequence[Any]) -> None:
        """Write the models of a rung."""
        folder = self._folder(position)
        if folder is None:
            return
        beside = folder.with_suffix(".part")
        shutil.rmtree(beside, ignore_errors=True)
        for number, model in enumerate(models):
            (part := beside / str(number)).mkdir(parents=True)
            model.save(str(part), create_model_card=False, safe_serialization=True)
        shutil.rmtree(folder, ignore_errors=True)
        beside.rename(folder)

    def load_models(self, position: int) -> list[Any]:
        """The models of a rung that were kept."""
        folder = self._folder(position)
        assert folder is not None  # Only what was kept on disk is loaded from there.
        parts = sorted(folder.iterdir(), key=lambda part: int(part.name))
        return [
            LinearAdapter.load(part, self._base)
            if is_matrix(part)
            else load_sentence_transformer(part)
            for part in parts
        ]

    def _folder(self, position: int) -> Path | None:
        root = self._checkpoints.folder
        return None if root is None else root / _MODELS / str(position)
