"""A model of a hub as a folder on this machine."""

import re
from pathlib import Path

from search.projects.errors import Refused, first_line

_PATIENCE = 10.0  # Seconds that the hub has to answer the first question.
_FILES = ["*.safetensors", "*.json", "*.txt", "*.model", "*.jinja"]
_NOT = ["onnx/*", "openvino/*", "*/onnx/*", "*/openvino/*", ".*"]
_ID = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)


def looks_like_hub_id(reference: str) -> bool:
    """Whether a text could be a model's id on a hub: NAME or OWNER/NAME."""
    return _ID.fullmatch(reference) is not None and not reference.startswith((".", "-"))


def snapshot(reference: str, commit: str | None = None) -> Path:
    """The folder with a hub's model, downloaded unless it is here; safetensors and settings only. Its name is the commit.

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
        raise Refused(
            f"The hub cannot be reached, and {owned} is not on this machine. Check the network, or give "
            f"the folder of a model instead. ({first_line(error, 200)})"
        ) from None


def _here(owned: str, commit: str | None) -> Path | None:
    """A version that was downloaded before, or None."""
    try:
        return _fetched(owned, commit, here_only=True)
    except OSError:
        return None


def _fetched(owned: str, commit: str | None, here_only: bool) -> Path:
    from huggingface_hub import snapshot_download

    return Path(
        snapshot_download(
            owned,
            revision=commit,
            allow_patterns=_FILES,
            ignore_patterns=_NOT,
            local_files_only=here_only,
        )
    )
