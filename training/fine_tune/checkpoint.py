"""How far a fine-tune came, on disk: weights, the best ones, AdamW's moments, and what was measured.

Safetensors and JSON only; torch's own way of keeping an optimizer is a pickle. With several processes the first
keeps, and gives the others what it finds.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from training.checkpoints import Checkpoints
from training.distributed import from_first, helps_only, tensors_from_first
from training.fine_tune.early_stopping import EarlyStopping, Record
from training.fine_tune.weights import TrainableWeights

if TYPE_CHECKING:
    import torch

_NAME = "fine-tune"
_NOW, _BEST, _MOMENTS = "now/", "best/", "adamw/"
Curve = list[tuple[int, float]]
"""Steps, and the loss after so many."""


class TrainerCheckpointer:
    """Keeps one training in its run's folder, and finds it again."""

    def __init__(
        self,
        checkpoints: Checkpoints,
        learned: TrainableWeights,
        optimizer: "torch.optim.AdamW",
        steering: EarlyStopping,
    ) -> None:
        self._checkpoints = checkpoints
        self._learned = learned
        self._optimizer = optimizer
        self._steering = steering
        self._device = str(learned.model.device)

    def save(self, step: int, updates: int, curve: Sequence[tuple[int, float]]) -> None:
        """Write how far it came, in place of what was there.

        :param step: how many steps are done.
        :param updates: how many of them changed the weights.
        """
        if helps_only() or self._checkpoints.folder is None:
            return
        tensors = {_NOW + name: tensor for name, tensor in self._learned.parameters.items()}
        tensors |= {_BEST + name: tensor for name, tensor in self._steering.best.items()}
        for number, saved in self._optimizer.state_dict()["state"].items():
            tensors |= {f"{_MOMENTS}{number}/{key}": tensor for key, tensor in saved.items()}
        state = {
            "step": step,
            "updates": updates,
            "curve": list(curve),
            "record": self._steering.record.as_json(),
        }
        arrays = {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
        self._checkpoints.save(_NAME, arrays, state)

    def load(self) -> tuple[int, int, Curve]:
        """Put everything as it was when a checkpoint was written.

        :returns: steps done, updates done, and the curve so far; nothing of them without a checkpoint.
        """
        import torch

        found = self._checkpoints.load(_NAME)
        state: dict[str, Any] | None = from_first(found.state if found else None, self._device)
        if state is None:
            return 0, 0, []
        tensors = {
            name: torch.from_numpy(array).to(self._device)
            for name, array in (found.tensors if found else {}).items()
        }
        if tensors:
            self._learned.put(_part(tensors, _NOW))
        tensors_from_first(parameter.data for parameter in self._learned.parameters.values())
        moments = self._moments(_part(tensors, _MOMENTS))
        self._optimizer.load_state_dict({**self._optimizer.state_dict(), "state": moments})
        self._steering.best = _part(tensors, _BEST)
        self._steering.record = Record.from_json(state["record"])
        return state["step"], state["updates"], [(step, loss) for step, loss in state["curve"]]

    def _moments(self, saved: dict[str, "torch.Tensor"]) -> dict[int, dict[str, "torch.Tensor"]]:
        """AdamW's state by parameter, in every process what it is in the first."""
        import torch

        shapes = from_first({name: list(t.shape) for name, t in saved.items()}, self._device)
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for name, shape in shapes.items():
            number, key = name.split("/")
            tensor = saved.get(name, torch.zeros(shape, device=self._device))
            tensors_from_first([tensor])
            moments.setdefault(int(number), {})[key] = (
                tensor.reshape(()) if key == "step" else tensor
            )
        return moments


def _part(tensors: dict[str, "torch.Tensor"], prefix: str) -> dict[str, "torch.Tensor"]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
