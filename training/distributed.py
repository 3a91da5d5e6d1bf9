"""Training in several processes at once, one for each GPU, as torchrun starts them.

    torchrun --nproc-per-node=4 cli.py train PROJECT --recipe fine-tune

All of them train: a batch is cut into equal parts, and the other answers of the whole batch, gathered from all
processes with their gradients, are the wrong ones of each query. So the result is what one process with the same
batch size would learn. The first process alone measures the dev score, records the run and publishes the model.
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from search.projects.errors import BespokeError, Refused
from search.projects.settings import settings

if TYPE_CHECKING:
    import torch

Item = TypeVar("Item")
Content = TypeVar("Content")

_PATIENCE = 6 * 60 * 60  # Seconds; the others wait while the first measures the dev score.
_FIRST_SPEAKS = 60  # Seconds; what one process cannot do, the first mostly cannot do either.


def helps_only() -> bool:
    """Whether this process only helps to train: another one records and publishes."""
    return settings().rank > 0


def alone() -> bool:
    """Whether this is the only training process."""
    return settings().world == 1


@contextmanager
def together(device: str) -> Iterator[None]:
    """The processes find each other, and part when the block ends."""
    if alone():
        yield
        return
    import torch
    import torch.distributed as processes

    on_gpu = device.startswith("cuda")
    if on_gpu:
        torch.cuda.set_device(device)
    processes.init_process_group("nccl" if on_gpu else "gloo", timeout=timedelta(seconds=_PATIENCE))
    try:
        yield
    finally:
        processes.destroy_process_group()


def own_part(batch: Sequence[Item]) -> Sequence[Item]:
    """The part of a batch for this process; the batch can be cut into equal parts."""
    each = len(batch) // settings().world
    first = settings().rank * each
    return batch[first : first + each]


def check_shareable(batch: int) -> None:
    """See that each process gets a row of a batch.

    :raises Refused: when there are too few rows.
    """
    if batch < settings().world:
        raise Refused(
            f"{settings().world} processes cannot share {batch} pairs. Start fewer, or give more pairs or "
            "a larger batch_size."
        )


def average_gradients(parameters: "Iterable[torch.Tensor]") -> None:
    """Give each process the mean of all gradients: that of the whole batch."""
    if alone():
        return
    import torch
    import torch.distributed as processes

    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    processes.all_reduce(flat)
    flat /= settings().world
    parts = torch.split(flat, [gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))


def from_first(content: Content, device: str) -> Content:
    """What the first process has, in every process: anything JSON can say. The others wait for it."""
    if alone():
        return content
    import torch
    import torch.distributed as processes

    said = json.dumps(content).encode()
    size = torch.tensor([len(said)], device=device)
    processes.broadcast(size, 0)
    told = torch.zeros(int(size), dtype=torch.uint8, device=device)
    if not helps_only():
        told = torch.frombuffer(bytearray(said), dtype=torch.uint8).to(device)
    processes.broadcast(told, 0)
    result: Content = json.loads(bytes(told.cpu().tolist()))
    return result


def tensors_from_first(
    tensors: "Mapping[str, torch.Tensor]", device: str
) -> "dict[str, torch.Tensor]":
    """The tensors (of 32 bits, by name) that the first process has, in every process."""
    if alone():
        return dict(tensors)
    import torch
    import torch.distributed as processes

    shapes = from_first({name: list(tensor.shape) for name, tensor in tensors.items()}, device)
    made = {
        name: torch.zeros(shape, device=device) if helps_only() else tensors[name]
        for name, shape in shapes.items()
    }
    for tensor in made.values():
        processes.broadcast(tensor, 0)
    return made


@contextmanager
def first_speaks() -> Iterator[None]:
    """A process that only helps keeps a mistake to itself until the first has told it.

    torchrun ends all processes as soon as one has failed: a helper that fails first would take the sentence away
    from the person, and two that tell it would say it twice.
    """
    try:
        yield
    except BespokeError:
        if helps_only():
            time.sleep(_FIRST_SPEAKS)  # torchrun ends it here, unless the mistake is its own alone.
        raise
