"""An adapter's twin on the model of the other class of precision: the same matrix over its vectors, measured there anew.

So what was learned in eight bits can be proved in full precision, and the other way round; nothing is learned again.
"""

import shutil

from search.evaluation.query_sets.trained_on import TRAINED_ON
from search.models.linear_adapter import (
    ADAPTER_BASE,
    ADAPTER_OF,
    BEHIND,
    QUERY_ONLY,
    read_matrix,
    with_adapter,
    write_matrix,
)
from search.models.linear_adapter import FORMAT as MATRIX
from search.models.load import load_encoder
from search.models.registry import (
    DOCUMENTS_AS,
    FAST,
    FULL,
    ModelInfo,
    base_of,
    find_model,
    full_of,
    is_taken,
    models,
    precision_of,
)
from search.projects.errors import AlreadyThere, Refused
from search.projects.progress import Progress, silent
from search.projects.project import Project, check_project_name
from training.publish import form_of
from training.similarity_cost import dev_of
from training.weight_interpolation import PLACE

TWIN_OF = "twin_of"
"""In a manifest: id and name of the adapter whose matrix it has, on the model of the other class."""


_MEASURED = (PLACE, "dev", "general")
"""What a manifest keeps of scores: those of the other class say nothing of this one."""


def twin(
    project: Project, name: str, new_name: str | None = None, progress: Progress = silent
) -> ModelInfo:
    """The twin of an adapter on its base's twin of the other class: the one that is there, or one made now.

    :param new_name: what to call it; by default the adapter's name and -full or -fast.
    :returns: the twin; for a ready-made model, the model of the other class.
    :raises Refused: for a model that has no other class, and where its base has none yet.
    """
    info = find_model(project, name)
    wanted = FULL if precision_of(project, info) == FAST else FAST
    if info.kind == "generic":
        return _other(project, info, wanted)
    manifest = project.artifact("models", info.id)
    base = base_of(project, manifest) if info.format in (BEHIND, MATRIX) else None
    if base is None:
        raise Refused(f"{name!r} is no adapter, so it has no other class than {FULL} precision.")
    other = _other(project, base, wanted)
    for known in models(project):
        if known.kind == "custom" and _is_twin(project, known, info, other):
            return known
    called = new_name or f"{info.name}-{wanted}"
    check_project_name(called)
    if is_taken(project, called):
        raise AlreadyThere(f"The name {called!r} is taken. Choose another one: --name NAME.")
    progress(0, 2, f"putting what {info.name} learned behind {other.title}")
    source = project.checked(manifest)
    side = "query" if manifest.details.get(QUERY_ONLY) else "both"
    encoder = with_adapter(load_encoder(project, other), read_matrix(source), side)
    progress(1, 2, "measuring it on the dev queries")
    dev = dev_of(project)
    measured = None if dev is None else dev.ndcg(encoder)
    with project.publish_together() as drafts:
        draft = drafts.add("models", dict(manifest.made_from))
        beneath = {"fingerprint": other.fingerprint}
        write_matrix(draft.folder, read_matrix(source), {**beneath, "side": side})
        shutil.copyfile(source / TRAINED_ON, draft.folder / TRAINED_ON)
        about = {key: value for key, value in manifest.details.items() if key not in _MEASURED}
        about |= {
            "name": called,
            "format": form_of(encoder, beneath),
            "origin": other.title,
            "notes": _notes(info, other, measured),
            ADAPTER_OF: other.id,
            ADAPTER_BASE: {"name": other.title, **beneath},
            TWIN_OF: {"id": info.id, "name": info.name},
        }
        if side == "query":
            about[DOCUMENTS_AS] = dict(zip(("model", "fingerprint"), other.indexed_as, strict=True))
        draft.details.update(about)
    progress(2, 2, f"{called} is ready")
    return find_model(project, called)


def _other(project: Project, info: ModelInfo, wanted: str) -> ModelInfo:
    """The ready-made model of the wanted class that belongs to one of the other.

    :raises Refused: where the project has none.
    """
    if wanted == FULL:
        found = full_of(project, project.artifact("models", info.id))
    else:
        fast = (one for one in reversed(models(project)) if precision_of(project, one) == FAST)
        made = (one for one in fast if one.kind == "generic")
        found = next((one for one in made if _made_of(project, one) == info.id), None)
    if found is None:
        how = "" if wanted == FULL else f" Make it: python cli.py fast {project.name} {info.name}."
        raise Refused(f"{info.title or info.name!r} has no twin in {wanted} precision here.{how}")
    return found


def _made_of(project: Project, fast: ModelInfo) -> str | None:
    full = full_of(project, project.artifact("models", fast.id))
    return None if full is None else full.id


def _is_twin(project: Project, known: ModelInfo, of: ModelInfo, base: ModelInfo) -> bool:
    """Whether a model is an adapter's twin on a base: made of it, or what it was made of."""
    manifest, source = (project.artifact("models", one.id) for one in (known, of))
    said = [(manifest.details.get(TWIN_OF) or {}).get("id") == of.id]
    said.append((source.details.get(TWIN_OF) or {}).get("id") == known.id)
    beneath = base_of(project, manifest)
    return any(said) and beneath is not None and beneath.id == base.id


def _notes(info: ModelInfo, other: ModelInfo, measured: float | None) -> list[str]:
    dev = "" if measured is None else f" On the dev queries its nDCG@10 is {measured:.4f} there."
    return [f"Not trained: what {info.name} learned, behind {other.title}.{dev}"]
