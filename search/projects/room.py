"""Room on disks and in memory: what is free, what work will need, and saying so before it begins."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

import psutil

from search.projects.errors import Refused
from search.projects.files import PRIVATE_FOLDER, new_private_file, size_in_words

LONG = 600.0
"""Work of more seconds than these is told what it needs before it begins."""
_RESERVED = Path(".locks", "reserve")
_RESERVED_BYTES = 128 * 1024
_RESERVE = 64_000_000  # Of a disk: manifests, run records and votes must always fit.


def reserve(home: Path) -> None:
    """Hold some room on the disk of a workspace, for when it is full: deleting must be possible then, and is noted first.

    :param home: the workspace; where it is not there yet, or its disk is full already, nothing is done.
    """
    path = home / _RESERVED
    with suppress(OSError):
        if home.is_dir() and not path.exists():
            path.parent.mkdir(PRIVATE_FOLDER, exist_ok=True)
            with new_private_file(path) as stream:
                stream.write(
                    os.urandom(_RESERVED_BYTES)
                )  # What is all alike, a disk may not store.


def use_reserve(home: Path) -> bool:
    """Give the room that was held back to the disk; returns whether there was some. The next command holds it anew."""
    try:
        (home / _RESERVED).unlink()
    except OSError:
        return False
    return True


def volume_of(path: Path) -> str:
    """The disk that a path is on, in words: where it is mounted.

    >>> volume_of(Path("/"))
    'the disk mounted at /'
    """
    return f"the disk mounted at {mount_point(path)}"


def mount_point(path: Path) -> Path:
    """Where the file system of a path, which need not exist yet, is mounted."""
    there = existing(path)
    while not os.path.ismount(there):
        there = there.parent
    return there


def existing(path: Path) -> Path:
    """A path, or the nearest folder above it that exists."""
    there = path.absolute()
    while not there.exists():
        there = there.parent
    return there


def free_bytes(path: Path) -> int:
    """What is free on the disk of a path, which need not exist yet."""
    return shutil.disk_usage(existing(path)).free


def memory_bytes() -> int:
    """The memory that programs can have now without swapping, within the limit of this container."""
    free = psutil.virtual_memory().available
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
        used = Path("/sys/fs/cgroup/memory.current").read_text(encoding="ascii").strip()
        return min(free, int(limit) - int(used))
    except (OSError, ValueError):  # No container, or none with a limit.
        return free


def see_that_it_fits(
    what: str, path: Path, disk: float, memory: float, seconds: float | None = None
) -> str | None:
    """Refuse work that cannot fit; say what work of more than ten minutes needs.

    :param what: the work, as a noun with its article: "the training".
    :param path: where it writes.
    :param disk: bytes that it will write and keep, or need at once.
    :param memory: bytes that it needs in memory at once.
    :param seconds: how long it will take, where that is known.
    :returns: the sentence, where the work is long; None where it is short, or nobody knows.
    :raises Refused: naming the disk, what is needed, and what is free.
    """
    free, spare = free_bytes(path), memory_bytes()
    if disk + _RESERVE > free:
        raise Refused(
            f"{what[0].upper()}{what[1:]} needs about {size_in_words(disk)} on {volume_of(path)}, and "
            f"{size_in_words(free)} are free there ({size_in_words(_RESERVE)} of them stay free for votes and records). "
            "Make room, or move the workspace (BESPOKE_HOME) to a larger disk."
        )
    if memory > spare:
        raise Refused(
            f"{what[0].upper()}{what[1:]} needs about {size_in_words(memory)} of memory, and {size_in_words(spare)} are "
            "free. Close other programs, or take a larger machine."
        )
    if seconds is None or seconds < LONG:
        return None
    beside = (
        f", and about {size_in_words(memory)} of {size_in_words(spare)} of memory" if memory else ""
    )
    return (
        f"{what[0].upper()}{what[1:]} will take about {seconds / 60:,.0f} minutes. It needs about {size_in_words(disk)} of "
        f"the {size_in_words(free)} that are free on {volume_of(path)}{beside}."
    )
