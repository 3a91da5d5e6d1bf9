"""Folders in the temporary folder of the machine: private, owned as long as somebody works in them, swept when not.

What is unpacked or written there are people's documents. A process that is killed removes nothing; the next one does.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from search.projects.errors import Refused
from search.projects.locks import Owner, is_owned

_PREFIX = "bespoke-"
_OWNER = ".owner"
_UNOWNED_SECONDS = 24 * 3600  # Until then, what nobody owns may be about to be owned.
_EMPTY_SECONDS = 60  # The same, of a folder in which nothing is.


@contextmanager
def scratch_folder(what: str) -> Iterator[Path]:
    """An empty folder that is there while the block runs.

    :param what: a word for it, for whoever looks into the temporary folder.
    """
    with ExitStack() as stack:
        outer, owner = _owned(what, stack)
        try:
            inner = outer / "files"
            inner.mkdir()
            yield inner
        finally:
            shutil.rmtree(inner, ignore_errors=True)  # As long as it is owned, it is swept if not.
            owner.release()


def _owned(what: str, stack: ExitStack) -> tuple[Path, Owner]:
    """A new folder and who owns it. One that is swept before it was owned is given up for another: nothing was in it."""
    while True:
        made = tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{what}-")
        outer = Path(stack.enter_context(made))
        with suppress(FileNotFoundError, Refused):
            return outer, Owner.take(outer / _OWNER)


def left_in_scratch() -> list[Path]:
    """Folders of this user in the temporary folder that a killed process left."""
    found = []
    for folder in sorted(Path(tempfile.gettempdir()).glob(f"{_PREFIX}*")):
        with suppress(OSError):
            status = folder.lstat()
            if folder.is_symlink() or not folder.is_dir() or status.st_uid != os.getuid():
                continue
            owner = folder / _OWNER
            patience = _UNOWNED_SECONDS if any(folder.iterdir()) else _EMPTY_SECONDS
            old = time.time() - status.st_mtime > patience
            if not is_owned(owner) and (owner.exists() or old):
                found.append(folder)
    return found


def sweep_scratch() -> int:
    """Remove what killed processes left in the temporary folder; returns how many folders went."""
    left = left_in_scratch()
    for folder in left:
        # Owned until it is gone: its maker may have been about to.
        with suppress(OSError, Refused):
            owner = Owner.take(folder / _OWNER)
            shutil.rmtree(folder, ignore_errors=True)
            owner.release()
    return len(left)
