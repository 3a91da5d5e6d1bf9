"""A static model: one vector a word piece, averaged. It needs no transformer and reads any length.

The weights are wordllama's (Miller 2024, "WordLlama: Recycled Token Embeddings from Large Language Models"):
256 dimensions, distilled from the token embeddings of large language models, MIT licence.
"""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from search.projects.artifacts import Manifest
from search.projects.errors import Failed
from search.projects.files import known_sha256, package_folder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

FORMAT = "static"
REFERENCES = ("static", "wordllama")
TITLE = "WordLlama"
PACKAGE = "wordllama"
_WEIGHTS = "weights/l2_supercat_256.safetensors"
_TOKENIZER = "tokenizers/l2_supercat_tokenizer_config.json"


def folder() -> Path:
    """Where the package is."""
    return package_folder(PACKAGE)


def tokenizer_file() -> Path:
    """Where its tokenizer is."""
    return folder() / _TOKENIZER


def size() -> int:
    """How many bytes weights and tokenizer take."""
    return sum((folder() / name).stat().st_size for name in (_WEIGHTS, _TOKENIZER))


def content() -> str:
    """One hash over the packaged weights and tokenizer."""
    folder = package_folder(PACKAGE)
    lines = "".join(f"{known_sha256(folder / name)}\n" for name in (_WEIGHTS, _TOKENIZER))
    return hashlib.sha256(lines.encode()).hexdigest()


def load() -> "SentenceTransformer":
    """The static model as a SentenceTransformer of built-in modules; it saves as a standard folder."""
    from safetensors.numpy import load_file
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    folder = package_folder(PACKAGE)
    tensors = load_file(folder / _WEIGHTS)
    (weights,) = tensors.values()
    tokenizer = Tokenizer.from_file(str(folder / _TOKENIZER))
    tokenizer.no_truncation()
    # A processor's lookups are far quicker than a GPU's start: the weights stay in memory.
    return SentenceTransformer(
        modules=[StaticEmbedding(tokenizer, embedding_weights=weights.astype("float32"))],
        device="cpu",
    )


def load_added(manifest: Manifest) -> "SentenceTransformer":
    """The static model, when it is the one that was added.

    :raises Failed: when the package holds another version now.
    """
    if content() != manifest.details["content"]:
        raise Failed(
            f"The package wordllama holds another version of the model {manifest.details['name']!r} than "
            "the one that was added. Install that one again, or add it anew under another name."
        )
    return load()
