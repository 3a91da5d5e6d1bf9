"""Errors that nobody raised on purpose: one line with a hint for the person, all of it in a file."""

import errno
import traceback
from pathlib import Path

from search.projects.artifacts import now
from search.projects.errors import Failed, first_line
from search.projects.files import write_atomically
from search.projects.room import volume_of
from search.projects.settings import settings

LOG = "error.log"
_FOLDER = ".logs"
_KEPT = "What was finished is kept: the same command goes on from there, a training with python cli.py resume"
_HINTS = (
    (("MemoryError", "OutOfMemory", "out of memory", "can't allocate memory", "bad_alloc"),
     "There was not enough memory: close other programs, or set a smaller batch or fewer documents"),
    (("ImportError", "ModuleNotFoundError"), "A library is missing or of another version: run make app"),
    (("No space left", "Disk quota"), "The disk is full: free some space"),
    (("PermissionError", "Read-only file system"), "Look at who owns that file or folder, and who may write there"),
    (("CUDA", "cuDNN", "MPS backend"), "The graphics card failed: BESPOKE_DEVICE=cpu does without it"),
    (("HTTPError", "ConnectionError", "ConnectError", "Timeout"), "The network failed: try again"),
)  # fmt: skip
_OTHERWISE = "Please report it"
_FULL = (errno.ENOSPC, errno.EDQUOT)


def unexpected(
    error: BaseException,
    folder: Path | None = None,
    what: str = "The work",
    after: str = _KEPT,
) -> Failed:
    """What to raise or say instead: what it was, what may help, and the file with all of it.

    :param folder: where the file goes; None for the logs of the workspace.
    :param what: failed.
    :param after: how to go on from there, as a sentence without its full stop.
    """
    seen = f"{type(error).__name__} {_text_of(error)}"
    path = _written(error, folder)
    if isinstance(error, OSError) and error.errno in _FULL:
        seen = ""
        otherwise = f"{volume_of(_path_of(error))[0].upper()}{volume_of(_path_of(error))[1:]} is full: free some space on it"
    else:
        otherwise = f"{_OTHERWISE} with that file" if path else _OTHERWISE
    hint = next((h for signs, h in _HINTS if any(sign in seen for sign in signs)), otherwise)
    where = f"All of it is in {path}. " if path else ""
    return Failed(f"{what} failed{_in_words(error)}. {where}{hint}. {after}.")


def _path_of(error: OSError) -> Path:
    return Path(error.filename) if isinstance(error.filename, str) else settings().home


def _in_words(error: BaseException) -> str:
    # Libraries' errors of networks are OSErrors without a text of the system.
    if isinstance(error, OSError) and error.strerror:
        return f": {error.strerror} ({error.filename or 'no file named'})"
    kind, said = type(error).__name__, " ".join(first_line_of(error).split()).rstrip(".")
    words = f"{kind}: {said}" if said and said != f"{kind}()" else kind
    return f" by an error that was not foreseen ({words})"


def _text_of(error: BaseException) -> str:
    """What an error says; nothing where its own text raises."""
    try:
        return str(error)
    except Exception:
        return ""


def first_line_of(error: BaseException) -> str:
    """See `first_line`; whatever its own text raises is left out."""
    try:
        return first_line(error) if isinstance(error, Exception) else ""
    except Exception:
        return ""


def _written(error: BaseException, folder: Path | None) -> Path | None:
    """Where the whole of an error was written; None where nothing can be written."""
    lines = traceback.format_exception(error)
    try:
        if folder is None:
            folder = settings().home / _FOLDER
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"{now().replace(':', '')}.log"
        else:
            path = folder / LOG
        write_atomically(path, "".join(lines))
    except OSError:
        return None
    return path
