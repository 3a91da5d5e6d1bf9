"""What can be changed of a model that is there: how a server is asked. And which model cannot do without another.

A model itself never changes. What decides its vectors is part of its fingerprint, and another fingerprint is another model.
"""

from collections.abc import Mapping
from typing import Any

from search.models.api.encoder import FORMAT, changed_settings
from search.models.api.settings import ApiSettings, api_settings
from search.models.linear_adapter import BEHIND
from search.models.linear_adapter import FORMAT as MATRIX
from search.models.registry import (
    DOCUMENTS_AS,
    EIGHT_BIT,
    ModelInfo,
    base_of,
    find_model,
    full_of,
)
from search.projects.errors import Refused
from search.projects.project import Project

CHANGEABLE = (
    "key_variable",
    "max_tokens",
    "price",
    "batch_texts",
    "batch_tokens",
    "requests_per_minute",
    "tokens_per_minute",
    "timeout",
    "retries",
)
"""Settings of a server's model that say how it is asked, and change no vector."""


def change_model(project: Project, name: str, values: Mapping[str, Any]) -> ApiSettings:
    """Change how the server of a model is asked; its vectors and indexes stay.

    :param values: some of `CHANGEABLE`.
    :returns: all its settings as they are then.
    :raises Refused: for a model that no server computes, nothing to change, or a value that cannot be.
    """
    info = find_model(project, name)
    if info.format != FORMAT:
        raise Refused(
            f"{name!r} is computed here, and what decides its vectors (prompts, --max-length) cannot change without making "
            f"another model of it. Add it again under another name, or: python cli.py remove-model {project.name} {name}."
        )
    if not values:
        raise Refused("Say what to change, for example --batch-texts 10.")
    manifest = project.artifact("models", info.id)
    before = changed_settings(project, manifest).model_dump()
    after = api_settings({**before, **values})
    changed = {key: getattr(after, key) for key in CHANGEABLE}
    added = manifest.details["settings"]
    changed = {key: value for key, value in changed.items() if value != added.get(key)}
    project.change(lambda now: {"model_settings": {**now.model_settings, info.id: changed}})
    return after


def stands_on(project: Project, above: ModelInfo, info: ModelInfo) -> bool:
    """Whether a model cannot be loaded, or its documents not searched, without another one."""
    if above.kind != "custom" and above.format != EIGHT_BIT:
        return False
    manifest = project.artifact("models", above.id)
    full = full_of(project, manifest)
    shared = manifest.details.get(DOCUMENTS_AS) or {}
    base = base_of(project, manifest) if above.format in (BEHIND, MATRIX) else None
    beneath = [one.id for one in (base, full) if one is not None]
    return info.id in (shared.get("model"), *beneath)
