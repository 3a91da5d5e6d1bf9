"""project.json: what a project is called, its settings, and the number of the format of its files."""

import shlex
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from search.projects.artifacts import MANIFEST
from search.projects.errors import Failed, OtherFormat, in_words
from search.projects.files import write_atomically
from search.projects.sealed import is_sealed, seal, unseal

FORMAT = 3
"""The number of the format of a project's files: raised by every change that an older version could not read."""
PROJECT_FILE = "project.json"


class _Numbered(BaseModel):
    """What project.json says in every format; the first one had no number."""

    model_config = ConfigDict(frozen=True)
    format: int = 1
    name: str


class ProjectInfo(_Numbered):
    """The content of project.json.

    `generic` is the id of the ready-made model that is called generic; `model_settings` are settings of servers' models
    that were changed since they were added, by the model's id: models themselves never change. `model_names` are the
    names that models were given since, by id, the last one today's; `former_names` those that the project had. `main_metric` (empty: the usual one) and
    `margin` decide in evaluations since `protocol_fixed`, when the first one was made; see `search.evaluation.ledger.protocol`.
    """

    format: int = FORMAT
    created: str
    description: str = ""
    source: str = ""
    licence: str = ""
    examples: list[str] = Field(default_factory=list)
    generic: str = "generic"
    milvus_uri: str = ""
    model_settings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    model_names: dict[str, list[str]] = Field(default_factory=dict)
    former_names: list[str] = Field(default_factory=list)
    main_metric: str = ""
    margin: float = 0.02
    protocol_fixed: str = ""


def read_info(folder: Path) -> ProjectInfo:
    """The content of the project.json of a project's folder.

    :raises FileNotFoundError: when there is none, and nothing was ever published there.
    :raises OtherFormat: when it is of another format.
    :raises Failed: when it is damaged, or was lost.
    """
    path = folder / PROJECT_FILE
    try:
        content = path.read_bytes()
        # Those of the first formats carry no hash of themselves.
        if not is_sealed(content) and _Numbered.model_validate_json(content).format != FORMAT:
            raise _other_format(folder, content)
        content = unseal(content)
        if _Numbered.model_validate_json(content).format != FORMAT:
            raise _other_format(folder, content)
        return _called(folder.name, ProjectInfo.model_validate_json(content))
    except FileNotFoundError:
        if holds_something(folder):
            raise _lost(path, "is missing") from None
        raise
    except ValidationError as error:
        raise _lost(path, f"is damaged: {error.errors()[0]['msg']}") from None
    except ValueError as error:
        raise _lost(path, f"is damaged: {error}") from None
    except OSError as error:
        raise _lost(path, f"cannot be read: {in_words(error)}") from None


def _called(name: str, info: ProjectInfo) -> ProjectInfo:
    """What project.json says, under the name of the folder: a process that was killed while it renamed the project may
    have changed the one and not the other.
    """
    former = [one for one in info.former_names if one != name]
    return info.model_copy(update={"name": name, "former_names": former})


def write_info(folder: Path, info: ProjectInfo) -> None:
    """Replace the project.json of a project's folder."""
    write_atomically(folder / PROJECT_FILE, content_of(info))


def content_of(info: ProjectInfo) -> str:
    """What stands in a project.json that says this."""
    return seal(info.model_dump_json(indent=2))


def holds_something(folder: Path) -> bool:
    """Whether anything was ever published or judged in a project's folder."""
    try:
        votes = any(folder.glob("judgments/*.sqlite"))
        return votes or any(folder.glob(f"[!.]*/[!.]*/{MANIFEST}"))
    except OSError:
        return False


def _lost(path: Path, problem: str) -> Failed:
    name = shlex.quote(path.parent.name)
    return Failed(
        f"{path} {problem}. Documents, models and votes are in files of their own beside it. Bring it back from a backup, "
        "or have it made anew with the usual settings (which model is called generic, and what was changed of models on "
        f"servers, are to be set again): python cli.py check {name} --repair."
    )


def _other_format(folder: Path, content: bytes) -> OtherFormat:
    number = _Numbered.model_validate_json(content).format
    what = f"The files of the project {folder.name!r} are of format {number}, and this version of Bespoke reads format {FORMAT}"
    if number > FORMAT:
        return OtherFormat(f"{what}: use the version that wrote them, or a later one.")
    name = shlex.quote(folder.name)
    return OtherFormat(
        f"{what}: take its votes and query sets out (python cli.py judgments {name} --export FILE.csv; "
        f"python cli.py queries {name} --export FOLDER), delete the folder {folder}, and make the project "
        "anew from its documents."
    )
