"""A model of a hub as a folder on this machine."""

import re
from dataclasses import dataclass
from pathlib import Path

from search.projects.errors import Refused

_PATIENCE = 10.0  # Seconds that the hub has to answer the first question.
_FILES = ["*.safetensors", "*.json", "*.txt", "*.model", "*.jinja"]
_NOT = ["onnx/*", "openvino/*", "*/onnx/*", "*/openvino/*", ".*"]
_ID = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)


@dataclass(frozen=True)
class Snapshot:
    """One commit of a hub's model, as files on this machine.

    >>> looks_like_hub_id("intfloat/e5-small-v2"), Snapshot(Path("/cache/abc"), "abc").commit
    (True, 'abc')
    """

    folder: Path
    commit: str


def looks_like_hub_id(reference: str) -> bool:
    """Whether a text could be a model's id on a hub: NAME or OWNER/NAME."""
    return _ID.fullmatch(reference) is not None and not reference.startswith((".", "-"))


def snapshot(reference: str, commit: str | None = None) -> Snapshot:
    """The files of a hub's model, downloaded unless they are here; safetensors and settings only.

    :param reference: OWNER/NAME, or the NAME of one of the sentence-transformers.
    :param commit: exactly this version, which needs no hub when it is here; None for the newest.
    :raises Refused: when the hub does not have it, or cannot be reached and it is not here either.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    owned = reference if "/" in reference else f"sentence-transformers/{reference}"
    here = _here(owned, commit) if commit else None
    if here is not None:
        return here
    try:
        found = HfApi().model_info(owned, revision=commit, timeout=_PATIENCE)
        return _fetched(owned, found.sha, here_only=False)
    except GatedRepoError:
        raise Refused(
            f"The hub gives {owned} only to those who accepted its terms. Accept them on its page, and "
            "set HF_TOKEN to your token."
        ) from None
    except RepositoryNotFoundError:
        raise Refused(
            f"The hub has no model {owned} (or it is private: set HF_TOKEN to your token)."
        ) from None
    except Exception as error:  # The hub's own errors, httpx2's and the system's: too many to name.
        here = _here(owned, commit)
        if here is not None:
            return here
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise Refused(
            f"The hub cannot be reached, and {owned} is not on this machine. Check the network, or give "
            f"the folder of a model instead. ({reason})"
        ) from None


def _here(owned: str, commit: str | None) -> Snapshot | None:
    """A version that was downloaded before, or None."""
    try:
        return _fetched(owned, commit, here_only=True)
    except OSError:
        return None


def _fetched(owned: str, commit: str | None, here_only: bool) -> Snapshot:
    from huggingface_hub import snapshot_download

    folder = snapshot_download(
        owned,
        revision=commit,
        allow_patterns=_FILES,
        ignore_patterns=_NOT,
        local_files_only=here_only,
    )
    return Snapshot(Path(folder), Path(folder).name)
