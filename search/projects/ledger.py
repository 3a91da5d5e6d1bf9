"""What is noted of a project's proofs: small files that no artifact owns, so that they outlive what they speak of.

They lie in the project's folder `proof`, carry a hash of themselves, and are in every backup, whatever else is left out:
how often something was measured, and what is sealed, must not be forgotten by copying.
"""

import json
import shlex
from pathlib import Path
from typing import Any

from search.projects.errors import Failed, in_words
from search.projects.files import PRIVATE_FOLDER, flush, write_atomically
from search.projects.project import Project
from search.projects.sealed import seal, unseal

FOLDER = "proof"


def noted(project: Project, name: str) -> dict[str, Any] | None:
    """What a file of the ledger says; None where nothing was noted yet.

    :raises Failed: where it cannot be read: what was measured or sealed must not pass for new.
    """
    path = _path(project, name)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, in_words(error)) from None
    problem = problem_in_note(content)
    if problem is not None:
        raise _unreadable(path, problem)
    said: dict[str, Any] = json.loads(unseal(content))
    return said


def note(project: Project, name: str, content: dict[str, Any]) -> None:
    """Write a file of the ledger anew, whole or not at all. The project's lock is held."""
    path = _path(project, name)
    path.parent.mkdir(PRIVATE_FOLDER, exist_ok=True)
    write_atomically(path, seal(json.dumps(content, ensure_ascii=False, indent=1)))
    flush(path.parent)


def notes(project: Project, prefix: str) -> list[str]:
    """The names of the files that begin so, in order."""
    return sorted(path.stem for path in files(project.folder) if path.stem.startswith(prefix))


def files(folder: Path) -> list[Path]:
    """All files of the ledger of a project's folder, in order."""
    return sorted((folder / FOLDER).glob("[!.]*.json"))


def problem_in_note(content: bytes) -> str | None:
    """What is wrong with a file of the ledger, in words; None where it is as it was written."""
    try:
        return None if isinstance(json.loads(unseal(content)), dict) else "it is another file"
    except ValueError as error:
        return str(error)


def _path(project: Project, name: str) -> Path:
    return project.folder / FOLDER / f"{name}.json"


def _unreadable(path: Path, problem: str) -> Failed:
    name = shlex.quote(path.parent.parent.name)
    return Failed(
        f"{path} cannot be used: {problem}. It says what was measured and what is sealed, so nothing is measured "
        f"without it. Bring it back from a backup of {name}; or delete it, and say so where you show figures."
    )
