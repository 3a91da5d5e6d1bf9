"""Every error that Bespoke raises on purpose, in one place.

BespokeError
├── Refused     the input was not accepted; nothing changed          (exit status 2)
│   ├── AlreadyThere what was asked for is there already             (exit status 2)
│   └── OtherFormat  a project was written by another version        (exit status 2)
├── Failed      the work was accepted but could not be completed     (exit status 1)
│   └── Damaged a part of a project cannot be used as it is on disk  (exit status 1)
├── Cancelled   the person stopped the work; nothing was published   (exit status 1)
└── AlreadyDone what was asked for was published, though not reported (exit status 0)

The message of each is written for the person who caused it: what was wrong, where, what to do.
"""

import os
from pathlib import Path

# What was brought cannot be made again, and without it an older one is the newest.
_BROUGHT = "Bring the folder {} back from a backup; or delete it, which makes {} the current one, and add again what it held."
_REMEDIES = {
    "corpora": _BROUGHT.format("{}", "the version before"),
    "pairs": _BROUGHT.format("{}", "the set before"),
    "queries": _BROUGHT.format("{}", "the query set before"),
}


class BespokeError(Exception):
    """The base of every error whose message is meant for a person."""

    exit_status = 1


class Refused(BespokeError):
    """The input was not accepted and nothing changed."""

    exit_status = 2


class AlreadyThere(Refused):
    """What was asked for is there already: nothing is new, or the name is taken."""


class OtherFormat(Refused):
    """A project was written by a version of Bespoke whose files are of another format."""


class Failed(BespokeError):
    """The work was accepted but could not be completed; nothing was published."""


class Damaged(Failed):
    """A part of a project cannot be used as it is on disk.

    :param what: what is wrong, as a sentence.
    :param folder: of the artifact; what can be made again is made again when that folder is gone.
    """

    def __init__(self, what: str, folder: Path) -> None:
        remedy = _REMEDIES.get(folder.parent.name, "Delete the folder {} and make it again.")
        if not os.path.lexists(folder):
            remedy = "Make it again, or bring it back from a backup."
        super().__init__(f"{what} {remedy.format(folder)}")
        self.what = what
        self.folder = folder


class Cancelled(BespokeError):
    """The person stopped the work; nothing was published."""


class AlreadyDone(BespokeError):
    """What was asked for was published by a run that could not report it, this one or an equal one before."""

    exit_status = 0


def in_words(error: OSError) -> str:
    """What the system says of a file that it could not read or write: `Permission denied`."""
    return error.strerror or first_line(error)


def first_line(error: Exception, most: int = 300) -> str:
    """The first line of what a library's error says, cut to so many characters; its name where it says nothing."""
    return (str(error).strip() or repr(error)).splitlines()[0][:most]
