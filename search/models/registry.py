"""The models of a project, known without being loaded: ready-made ones, one of them the default, and custom ones."""

import json
from dataclasses import dataclass, replace
from typing import Any, Literal

from search.corpus.tokenizer import generic_folder
from search.models.linear_adapter import ADAPTER_BASE, ADAPTER_OF
from search.projects.artifacts import Manifest
from search.projects.errors import Failed, Refused
from search.projects.info import ProjectInfo
from search.projects.project import Project, check_project_name

GENERIC = "generic"
KEYWORD = "bm25"
GENERIC_TITLE = "all-MiniLM-L6-v2"
GENERIC_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
BUILT_IN = "generic"
"""The id of the model that comes with Bespoke. Ids never change, whichever model is called generic."""
EIGHT_BIT = "eight-bit"
"""The format of a model that computes in eight bits (`search.models.encoding.quantized`)."""
FULL_MODEL = "full_model"
"""In a manifest: id, name and fingerprint of the model that one in eight bits was made of."""
FAST, FULL = "fast", "full"
"""The classes of precision. Vectors of two classes have two fingerprints: none stand in one store or index."""
IS_START = "is_start"
DOCUMENTS_AS = "documents_as"
REFIT_OF = "refit_of"
"""In the details of a model that was trained once more on all pairs, test and dev included: what it came from."""


@dataclass(frozen=True)
class ModelInfo:
    """What is known of a model without loading it.

    `name` is what it is called here; the default ready-made model is called generic. `title` is its own name,
    `reference` where a ready-made model comes from, `format` how it is stored. `documents_as` are id and fingerprint of
    the model whose vectors its documents have, where it turns queries only. `is_start` says that nothing beat what it
    was trained from, so that it is that, untouched. `refit_of` is the id of the model of which it is the same recipe, trained
    once more on everything, its test included: it can be measured by nothing here.

    >>> info = ModelInfo("mine", "m-1", "custom", "adapter", 384, "f00d", "2026-01-01", "generic")
    >>> info.indexed_as, info.as_json()["dim"]
    (('m-1', 'f00d'), 384)
    """

    name: str
    id: str
    kind: Literal["generic", "custom"]
    recipe: str | None
    dimension: int
    fingerprint: str
    created: str
    origin: str
    title: str = ""
    reference: str | None = None
    format: str = "sentence-transformer"
    documents_as: tuple[str, str] | None = None
    is_start: bool = False
    refit_of: str | None = None

    @property
    def indexed_as(self) -> tuple[str, str]:
        """Id and fingerprint of the model by which an index of this one's documents is known."""
        return self.documents_as or (self.id, self.fingerprint)

    def as_json(self) -> dict[str, str | int | None]:
        """The shape that `models --json` prints; an added ready-made model says where it comes from.

        `kind` is generic for every ready-made model; `default` is true of the one that is called generic.
        """
        shape: dict[str, str | int | None] = {
            "name": self.name,
            "kind": self.kind,
            "recipe": self.recipe,
            "dim": self.dimension,
            "created": self.created,
            "default": self.name == GENERIC,
        }
        if self.is_start:
            shape["is_start"] = True
        if self.refit_of is not None:
            shape[REFIT_OF] = self.refit_of
        if self.reference is not None:
            shape |= {"title": self.title, "format": self.format, "reference": self.reference}
        return shape


def models(project: Project) -> list[ModelInfo]:
    """The default ready-made model (called generic), the other ready-made ones, then the custom ones.

    Each model once; ready-made and custom ones oldest first.
    """
    about = project.info
    added = [m for m in project.manifests("models") if is_pretrained(m)]
    ready = [built_in_info(project), *(_called(added_info(m), about) for m in added)]
    custom = [_called(custom_info(m), about) for m in custom_manifests(project)]
    chosen = about.generic
    default = next((info for info in ready if info.id == chosen), None) or _unreadable(
        project, chosen
    )
    others = [info for info in ready if info is not default]
    return [replace(default, name=GENERIC), *others, *custom]


def _called(info: ModelInfo, about: ProjectInfo) -> ModelInfo:
    """A model by the name that it was given last."""
    names = about.model_names.get(info.id)
    return replace(info, name=names[-1], title=names[-1]) if names else info


def rename_model(project: Project, name: str, new: str) -> ModelInfo:
    """Give a model another name. Its former ones still find it, and no other model can have them: evaluations, votes
    and addresses say them.

    :raises Refused: for an unknown model, the built-in one, and a name that cannot be one or is taken.
    """
    info = find_model(project, name)
    if info.id == BUILT_IN:
        raise Refused(f"{name!r} comes with Bespoke and keeps its name.")
    check_project_name(new)
    with project.locked():
        if is_taken(project, new):
            raise Refused(f"The name {new!r} is taken. Choose another one.")
        project.change(
            lambda now: {
                "model_names": {
                    **now.model_names,
                    info.id: [*now.model_names.get(info.id, []), new],
                }
            }
        )
    return find_model(project, new)


def current_model_name(project: Project, name: str) -> str:
    """What the model of that name is called now; the name itself where there is none."""
    info = named(project, name)
    return info.name if info is not None else name


def _former(project: Project, name: str) -> str | None:
    """The id of the model that once had this name."""
    names = project.info.model_names
    for manifest in project.manifests("models"):
        given = names.get(manifest.id)
        if given and name in (manifest.details["name"], *given):
            return manifest.id
    return None


def _unreadable(project: Project, identity: str) -> ModelInfo:
    """What stands for the model that is called generic where its manifest is damaged: no other takes its part.

    Loading it says what is damaged; whatever does without it goes on.
    """
    return ModelInfo(
        name=GENERIC,
        id=identity,
        kind="generic",
        recipe=None,
        dimension=0,
        fingerprint="",
        created=project.info.created,
        origin=f"{project.folder / 'models' / identity} is damaged",
        title=f"{identity} (damaged)",
        format="damaged",
    )


def custom_manifests(project: Project) -> list[Manifest]:
    """The models that were trained here, oldest first, with all that is known of how."""
    return [m for m in project.manifests("models") if not is_pretrained(m)]


def find_model(project: Project, name: str) -> ModelInfo:
    """The model of that name in a project; the default ready-made model has its own name, too.

    :raises Refused: when there is none, naming those that there are.
    """
    found = named(project, name)
    if found is None:
        names = ", ".join(info.name for info in models(project))
        raise Refused(f"There is no model {name!r} in {project.name!r}. Its models are: {names}.")
    return found


def named(project: Project, name: str) -> ModelInfo | None:
    """The model of that name in a project, or None."""
    known = models(project)
    for info in reversed(known):
        if info.name == name:
            return info
    default = known[0]
    if default.title == name:
        return replace(default, name=default.title)
    former = _former(project, name)
    return next((info for info in known if info.id == former), None)


def documents_model(project: Project, info: ModelInfo) -> ModelInfo:
    """The model whose vectors the documents of a model have: itself, or the one beneath where it turns queries only.

    :raises Failed: when that one is gone.
    """
    if info.documents_as is None:
        return info
    for known in models(project):
        if known.indexed_as == info.documents_as:
            return known if known.documents_as is None else documents_model(project, known)
    raise Failed(
        f"The model {info.name!r} searches the index of a model that is gone ({info.documents_as[0]}). Add that one "
        "again, and train anew."
    )


def base_of(project: Project, adapter: Manifest) -> ModelInfo | None:
    """The model that an adapter stands on: by its id or, where that was added again, by its fingerprint.

    :returns: None for a model that is no adapter, and where the project has its base no more.
    """
    identity = adapter.details.get(ADAPTER_OF)
    # Older ones name no content.
    content = adapter.details.get(ADAPTER_BASE, {}).get("fingerprint")
    return None if identity is None else _known_as(project, identity, content)


def full_of(project: Project, quantized: Manifest) -> ModelInfo | None:
    """The model that one in eight bits was made of; None for any other, and where the project has it no more."""
    said = quantized.details.get(FULL_MODEL)
    return None if said is None else _known_as(project, said["id"], said["fingerprint"])


def _known_as(project: Project, identity: str, content: str | None) -> ModelInfo | None:
    known = models(project)
    same = [info for info in known if info.id == identity and content in (None, info.fingerprint)]
    same += [info for info in known if info.fingerprint == content]
    return same[0] if same else None


def precision_of(project: Project, info: ModelInfo) -> str:
    """The class of precision that a model's vectors are of: fast for eight bits and for adapters on them, else full."""
    if info.format == EIGHT_BIT:
        return FAST
    if info.kind == "generic":
        return FULL
    base = base_of(project, project.artifact("models", info.id))
    return FULL if base is None else precision_of(project, base)


def is_taken(project: Project, name: str) -> bool:
    """Whether no further model can have this name."""
    reserved = (GENERIC, KEYWORD, GENERIC_TITLE)
    return name in reserved or named(project, name) is not None


def default_models(project: Project) -> list[ModelInfo]:
    """Generic and the newest custom model of its class of precision that can be measured, if there is one."""
    known = models(project)
    wanted = precision_of(project, known[0])
    own = [info for info in reversed(known) if info.kind == "custom" and info.refit_of is None]
    newest = next((info for info in own if precision_of(project, info) == wanted), None)
    return known[:1] + ([] if newest is None else [newest])


def to_be_used(project: Project, info: ModelInfo) -> ModelInfo:
    """The newest model that is this one trained once more on everything; itself where there is none."""
    again = [known for known in models(project) if known.refit_of == info.id]
    return again[-1] if again else info


def generic_info(project: Project) -> ModelInfo:
    """The ready-made model that a project calls generic."""
    return models(project)[0]


def choose_generic(project: Project, name: str) -> ModelInfo:
    """Make a ready-made model the one that is called generic.

    Indexes and evaluations made before name the models that they were made with by id, so they stay right.

    :raises Refused: for an unknown model, or a custom one.
    """
    info = find_model(project, name)
    if info.kind == "custom":
        raise Refused(
            f"{name!r} was trained here, so it cannot be the generic model of {project.name!r}. "
            "Choose a ready-made one."
        )
    project.change(lambda _: {"generic": info.id})
    return models(project)[0]


def is_pretrained(manifest: Manifest) -> bool:
    """Whether a model was added as it is, not trained here."""
    return manifest.details.get("kind") == "generic"


def built_in_info(project: Project) -> ModelInfo:
    """The model that comes with Bespoke, by its own name."""
    config = json.loads((generic_folder() / "config.json").read_text(encoding="utf-8"))
    return ModelInfo(
        name=GENERIC_TITLE,
        id=BUILT_IN,
        kind="generic",
        recipe=None,
        dimension=int(config["hidden_size"]),
        fingerprint=GENERIC_SHA256,
        created=project.info.created,
        origin=GENERIC_TITLE,
        title=GENERIC_TITLE,
    )


def added_info(manifest: Manifest) -> ModelInfo:
    """A ready-made model that was added."""
    details = manifest.details
    return replace(
        custom_info(manifest),
        kind="generic",
        recipe=None,
        fingerprint=details["fingerprint"],
        reference=details["reference"],
    )


def custom_info(manifest: Manifest) -> ModelInfo:
    """A model that was trained here."""
    details: dict[str, Any] = manifest.details
    shared = details.get(DOCUMENTS_AS)
    return ModelInfo(
        name=details["name"],
        id=manifest.id,
        kind="custom",
        recipe=details["recipe"],
        dimension=details["dimension"],
        fingerprint=manifest.fingerprint,
        created=manifest.created,
        origin=details["origin"],
        title=details["name"],
        format=details["format"],
        documents_as=(shared["model"], shared["fingerprint"]) if shared else None,
        is_start=bool(details.get(IS_START)),
        refit_of=details.get(REFIT_OF, {}).get("model"),
    )
