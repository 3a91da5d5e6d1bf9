"""Errors that nobody raised on purpose: one line with a hint for the person, where each came from in a file.

Neither holds a text of a document or a question: logs are read, copied and sent by others than those who may read these.
"""

import errno
import traceback
from collections.abc import Iterator
from pathlib import Path

from search.projects.artifacts import now
from search.projects.errors import Failed
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
_NO_TEXTS = (
    ImportError,
    MemoryError,
    AttributeError,
    NameError,
    RecursionError,
    NotImplementedError,
)
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
    kind, said = type(error).__name__, " ".join(_without_texts(error).split()).rstrip(".")
    words = f"{kind}: {said}" if said and said != f"{kind}()" else kind
    return f" by an error that was not foreseen ({words})"


def _text_of(error: BaseException) -> str:
    """What an error says; nothing where its own text raises."""
    try:
        return str(error)
    except Exception:
        return ""


def first_line_of(error: BaseException) -> str:
    """The first line of what an error says, for telling two apart; it may hold anybody's text."""
    return _text_of(error).partition("\n")[0][:300]


def _without_texts(error: BaseException) -> str:
    """What an error says where that can hold no text of a document or a question: of the system, or of names in code.

    What libraries say of values quotes them ("could not convert string to float: ..."), and it is written down.
    """
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror} ({error.filename or 'no file named'})"
    return first_line_of(error) if isinstance(error, _NO_TEXTS) else ""


def _lines(error: BaseException) -> Iterator[str]:
    """An error with those that led to it, each with where it was raised; what they say only where it is no text."""
    chain: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in chain:
        chain.append(following)
        hidden = following.__suppress_context__
        following = following.__cause__ or (None if hidden else following.__context__)
    for one in reversed(chain):
        yield "Traceback (most recent call last):\n"
        yield from traceback.format_list(traceback.extract_tb(one.__traceback__))
        said = _without_texts(one)
        yield f"{type(one).__module__}.{type(one).__qualname__}{': ' if said else ''}{said}\n\n"


def _written(error: BaseException, folder: Path | None) -> Path | None:
    """Where the whole of an error was written; None where nothing can be written."""
    lines = _lines(error)
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
