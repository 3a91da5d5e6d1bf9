"""What a person gave as a path: a file that can be opened, or a folder; everything else is refused."""

from pathlib import Path

from search.corpus.readers.report import source_of
from search.projects.errors import Refused


def is_folder(path: Path) -> bool:
    """Whether a path that a person gave is a folder; if not, it is a file that can be opened.

    :raises Refused: when there is nothing, or something else (a pipe, a device, a file of somebody else).
    """
    try:
        if not path.exists():
            raise Refused(f"There is no file or folder {path}.")
        if path.is_dir():
            return True
    except OSError as error:  # a name that is too long, a folder that may not be entered
        raise Refused(f"{source_of(path)} cannot be opened: {error.strerror}.") from None
    require_file(path)
    return False


def require_file(path: Path) -> None:
    """Refuse what is not a file that can be opened.

    :raises Refused: when it is missing, a folder, a pipe or a device, or may not be read.
    """
    try:
        if not path.exists():
            raise Refused(f"There is no file {path}.")
        if not path.is_file():
            raise Refused(f"{path} is not a file.")
        path.open("rb").close()
    except OSError as error:
        raise Refused(f"{source_of(path)} cannot be opened: {error.strerror}.") from None
