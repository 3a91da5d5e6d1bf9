"""Runs of the app in processes of their own, that are waited for, killed, and made to go on."""

import os
import signal
import time
from collections.abc import Callable
from typing import TypeVar

from search.projects import runs

T = TypeVar("T")


def until(said: Callable[[], T], what: str = "it is not so", seconds: float = 60) -> T:
    """Wait for an answer that is not empty; fail with `what` where it does not come."""
    deadline = time.time() + seconds
    while not (found := said()):
        assert time.time() < deadline, what
        time.sleep(0.01)
    return found


def steps(run: runs.Run) -> int:
    """How many steps of training a run has told of."""
    return max((event["metrics"].get("step", 0) for event in run.events()), default=0)


def checkpointed(run: runs.Run, seconds: float) -> None:
    """Wait for a run's first checkpoint."""
    until(lambda: list(run.checkpoints.glob("*.safetensors")), "no checkpoint", seconds)


def kill(run: runs.Run) -> None:
    """Kill a run as a machine that goes down does, and see that this is noticed."""
    assert run.status.pid is not None
    os.kill(run.status.pid, signal.SIGKILL)
    until(lambda: run.status.state == "interrupted", "it lives")


def resume(run: runs.Run, seconds: float) -> None:
    """Let a killed run go on to its end, which leaves nothing of its checkpoints."""
    assert runs.resumable(run)
    runs.resume(run)
    until(lambda: run.status.state in runs.OVER, "it does not end", seconds)
    assert run.status.state == "done", run.log()
    assert not run.checkpoints.exists(), "nothing is left of the checkpoints"
