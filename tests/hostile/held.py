"""cli.py, held at one moment until a signal comes: `python held.py MOMENT ARGUMENTS...`.

MOMENT is the beginning of a message of progress, or "sealed": everything is written and hashed, and the next
step would publish it.
"""

import signal
import sys
from pathlib import Path
from typing import NoReturn

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import cli
from search.projects.project import Drafts
from search.projects.run_recorder import Recorder

SEALED = "sealed"


def _hold() -> NoReturn:
    print("held", flush=True)
    while True:
        signal.pause()


def _held_drafts() -> None:
    seal = Drafts.seal

    def sealed(self):  # type: ignore[no-untyped-def]
        seal(self)
        _hold()

    Drafts.seal = sealed  # type: ignore[method-assign]


def _held_recorder(moment: str) -> None:
    tell = Recorder.__call__

    def told(self, done, total, message, metrics=None):  # type: ignore[no-untyped-def]
        tell(self, done, total, message, metrics)
        if message.startswith(moment):
            _hold()

    Recorder.__call__ = told  # type: ignore[method-assign]


if __name__ == "__main__":
    _, moment, *arguments = sys.argv
    sys.argv = ["cli.py", *arguments]
    if moment == SEALED:
        _held_drafts()
    else:
        _held_recorder(moment)
    cli.main()
