"""Ready-made models that are on this machine and could be added: those in packages, and what a hub gave before.

Only the files of the hub's cache are looked at; no hub is asked but by `download`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from search.models.pretrained import wordllama
from search.models.pretrained.catalogue import HubModel, catalogue
from search.models.pretrained.checkpoints import snapshot
from search.models.pretrained.kinds import MODULES_FILE, refuse_other_kinds
from search.models.pretrained.multilingual import folder as multilingual
from search.models.registry import GENERIC_SHA256
from search.projects.errors import Refused
from search.projects.files import known_sha256
from search.projects.progress import Progress, silent
from search.projects.project import Project

_LARGEST = 2 * 1024**3
"""Bytes of weights: what is larger is no model to try beside others on a machine without much memory."""


class AtHand(NamedTuple):
    """A model that can be added without a network: what `add_model` takes, and the size of its weights.

    >>> AtHand("intfloat/e5-small-v2", "1a2b", 133_000_000).reference
    'intfloat/e5-small-v2'
    """

    reference: str
    commit: str | None
    bytes: int


def models_at_hand(project: Project) -> list[AtHand]:
    """The ready-made models of this machine that are not in a project, by their reference; no weights over two gigabytes."""
    added = {
        (m.details.get("reference"), m.details.get("commit")) for m in project.manifests("models")
    }
    packaged = [AtHand(wordllama.PACKAGE, None, wordllama.size())]
    if multilingual.is_installed():
        packaged.append(AtHand(multilingual.REFERENCE, None, multilingual.SIZE))
    return [
        one for one in (*packaged, *_of_hub_cache()) if (one.reference, one.commit) not in added
    ]


def not_at_hand(project: Project, language: str | None) -> list[HubModel]:
    """The models of the catalogue that a hub could give: neither in the project nor in the hub's cache."""
    known = {one.reference for one in models_at_hand(project)}
    known |= {str(m.details.get("reference")) for m in project.manifests("models")}
    return [model for model in catalogue(language) if model.reference not in known]


def download(models: Sequence[HubModel], progress: Progress = silent) -> str | None:
    """Bring models of a hub into its cache, where `models_at_hand` finds them.

    :returns: in words why not all of them came; None where they did.
    """
    for number, model in enumerate(models):
        progress(number, len(models), f"downloading {model.sentence}")
        try:
            snapshot(model.reference)
        except Refused as error:
            return f"{error} What is on this machine was measured without it."
    return None


def _of_hub_cache() -> list[AtHand]:
    """What the hub's cache holds whole: the newest version of each embedding model, but the one that comes with Bespoke."""
    from huggingface_hub import constants, scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        repositories = scan_cache_dir(constants.HF_HUB_CACHE).repos
    except CacheNotFound:
        return []
    found = []
    for repository in sorted(repositories, key=lambda one: one.repo_id):
        if repository.repo_type != "model" or not repository.revisions:
            continue
        newest = max(repository.revisions, key=lambda one: one.last_modified)
        size = _weights(newest.snapshot_path)
        if size is not None and size <= _LARGEST and _embeds(newest.snapshot_path):
            found.append(AtHand(repository.repo_id, newest.commit_hash, size))
    return found


def _weights(folder: Path) -> int | None:
    """How many bytes a model's weights take; None where it has none, or is the model that comes with Bespoke."""
    files = [path for path in folder.rglob("*.safetensors") if path.is_file()]
    own = folder / "model.safetensors"
    if not files or (own.is_file() and known_sha256(own) == GENERIC_SHA256):
        return None
    return sum(path.stat().st_size for path in files)


def _embeds(folder: Path) -> bool:
    """Whether a folder is a SentenceTransformer: a dense one, by what its files say."""
    if not (folder / MODULES_FILE).is_file():
        return False
    try:
        refuse_other_kinds(folder, folder.name)
    except Refused:
        return False
    return True
