"""How far a training came, kept in the folder of its run, so that a killed one goes on where it was.

A checkpoint is a safetensors file of tensors with the state as JSON in its header, written beside its
place and renamed. It carries a hash of what it is a checkpoint of (settings, data): another training never takes it
for its own.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

_STATE = "state"
_OF = "of"
_MOMENTS = "adamw/"


@dataclass(frozen=True)
class Checkpoint:
    """Tensors by name, and whatever else is needed to go on."""

    tensors: dict[str, NDArray[Any]]
    state: dict[str, Any]


class Checkpointer:
    """Keeps the checkpoints of one training, and finds them again.

    :param folder: where they lie, made when the first is written; None keeps none (nothing is resumed).
    :param of: what they are checkpoints of: the settings and the ids of the data, anything JSON can say.
    """

    def __init__(self, folder: Path | None = None, of: Mapping[str, Any] | None = None) -> None:
        self.folder = folder
        self._of = hashlib.sha256(json.dumps(of or {}, sort_keys=True).encode()).hexdigest()
        self._facts = dict(of or {})
        self._saved = time.monotonic()

    def about(self, **facts: Any) -> "Checkpointer":
        """The same folder for a part of the training, told apart by more facts."""
        return Checkpointer(self.folder, {**self._facts, **facts})

    def part(self, name: str) -> "Checkpointer":
        """A folder of its own beneath, for a part of the training that keeps what others of its kind keep, too."""
        return Checkpointer(self.folder / name if self.folder else None, self._facts)

    def is_due(self, every: float) -> bool:
        """Whether so many seconds went by since the last checkpoint (or the beginning)."""
        return self.folder is not None and time.monotonic() - self._saved > every

    def load(self, name: str) -> Checkpoint | None:
        """What was saved under a name; None when nothing was, it is of another training, or it is damaged."""
        from safetensors import SafetensorError, safe_open

        if self.folder is None:
            return None
        path = self._path(name)
        try:
            with safe_open(path, framework="np") as opened:
                facts = opened.metadata() or {}
                if facts.get(_OF) != self._of:
                    return None
                tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
            return Checkpoint(tensors, json.loads(facts[_STATE]))
        except (OSError, SafetensorError, KeyError, ValueError):
            return None

    def save(
        self, name: str, tensors: Mapping[str, NDArray[Any]], state: Mapping[str, Any]
    ) -> None:
        """Keep tensors and state under a name, in place of what was there.

        :param state: anything JSON can say.
        """
        from safetensors.numpy import save_file

        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(name)
        beside = path.with_suffix(".part")
        whole = {key: np.ascontiguousarray(tensor) for key, tensor in tensors.items()}
        try:
            save_file(whole, beside, metadata={_STATE: json.dumps(dict(state)), _OF: self._of})
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        self._saved = time.monotonic()

    def clear(self) -> None:
        """Remove them: the model is published, or the training is given up."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, name: str) -> Path:
        assert self.folder is not None
        return self.folder / f"{name}.safetensors"


def beneath(tensors: "Mapping[str, torch.Tensor]", prefix: str) -> "dict[str, torch.Tensor]":
    """The tensors whose names begin so, by the rest of their names."""
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }


def adamw_tensors(optimizer: "torch.optim.AdamW") -> "dict[str, torch.Tensor]":
    """What AdamW remembers of each parameter (torch's own way of keeping it is a pickle)."""
    return {
        f"{_MOMENTS}{number}/{key}": tensor
        for number, saved in optimizer.state_dict()["state"].items()
        for key, tensor in saved.items()
    }


def put_adamw(optimizer: "torch.optim.AdamW", tensors: "Mapping[str, torch.Tensor]") -> None:
    """Let AdamW remember what `adamw_tensors` gave; other tensors are passed over."""
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in beneath(tensors, _MOMENTS).items():
        number, key = name.split("/")
        # A file has no tensor without a dimension.
        moments.setdefault(int(number), {})[key] = tensor.reshape(()) if key == "step" else tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
