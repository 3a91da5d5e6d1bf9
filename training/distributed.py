"""Training in several processes at once, one for each GPU, as torchrun starts them.

    torchrun --nproc-per-node=4 cli.py train PROJECT --recipe fine-tune

All of them train: a batch is cut into equal parts, and the other answers of the whole batch, gathered from all
processes with their gradients, are the wrong ones of each query. So the result is what one process with the same
batch size would learn. The first process alone measures the dev score, records the run and publishes the model.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from search.errors import BespokeError, Refused
from search.settings import settings

_PATIENCE = 6 * 60 * 60  # Seconds; the others wait while the first measures the dev score.
_FIRST_SPEAKS = 60  # Seconds; what one process cannot do, the first mostly cannot do either.


def helps_only() -> bool:
    """Whether this process only helps to train: another one records and publishes."""
    return settings().rank > 0


def alone() -> bool:
    """Whether this is the only training process."""
    return settings().world == 1


def whole_batch(wanted: int, rows: int) -> int:
    """How many rows a step takes, all processes together: at most `wanted` and `rows`, the same for each process.

    :raises Refused: when there are too few rows to give each process one.
    """
    processes = settings().world
    batch = min(wanted, rows) // processes * processes
    if not batch:
        raise Refused(
            f"{processes} processes cannot share {min(wanted, rows)} pairs. Start fewer, or give more pairs or "
            "a larger batch_size."
        )
    return batch


def trainer_arguments(device: str) -> dict[str, Any]:
    """What the trainer must know to share its work; nothing where it works alone."""
    if alone():
        return {}
    return {
        # One batch without duplicates is cut up, instead of a batch for each process that may share answers.
        "accelerator_config": {"split_batches": True},
        # Parts of unlike size could not be gathered.
        "dataloader_drop_last": True,
        "ddp_backend": "gloo" if device == "cpu" else None,
        "ddp_timeout": _PATIENCE,
    }


@contextmanager
def together() -> Iterator[None]:
    """The processes part when the block ends."""
    try:
        yield
    finally:
        if not alone():
            import torch.distributed

            if torch.distributed.is_initialized():
                torch.distributed.destroy_process_group()


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
