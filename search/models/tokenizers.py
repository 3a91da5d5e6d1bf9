"""How a model of a project reads, known without loading it: its tokenizer, its window, and how large it is.

Whatever is said of a model (how it cuts words, what it leaves unread, how large it is) is counted with that model's own
tokenizer: a multilingual model reads Hindi in a fifth of the pieces that an English one needs.
"""

import json
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from search.corpus.tokenizer import (
    ModelTokenizer,
    generic_folder,
    generic_reader,
    whole_tokenizer,
)
from search.models.import_order import before_transformers
from search.models.linear_adapter import ADAPTER_OF, BEHIND
from search.models.linear_adapter import FORMAT as MATRIX
from search.models.pretrained import checkpoints, wordllama
from search.models.registry import BUILT_IN, EIGHT_BIT, ModelInfo, base_of, full_of
from search.projects.errors import BespokeError
from search.projects.project import Project

_TOKENIZER = "tokenizer.json"
_SETTINGS = "sentence_bert_config.json"
_LONGEST = 1_000_000
"""What claims to read more says nothing of itself (transformers writes 10^30 where it does not know)."""


def reader_of(project: Project, info: ModelInfo) -> ModelTokenizer | None:
    """How a model reads; None where that cannot be known here: word vectors, a server's model, one whose files are gone."""
    if info.id == BUILT_IN:
        return generic_reader()
    with suppress(BespokeError, OSError, ValueError):
        manifest = project.artifact("models", info.id)
        details = manifest.details
        if details.get(ADAPTER_OF):
            base = base_of(project, manifest)
            return reader_of(project, base) if base else None
        if info.format == EIGHT_BIT:
            full = full_of(project, manifest)
            return reader_of(project, full) if full else None
        folder = model_folder(project, info)
        if folder is not None and info.format == wordllama.FORMAT:
            return _static_reader(info.title)
        if folder is not None:
            prompt = str((details.get("prompts") or {}).get("document") or "")
            return reader_in(folder, info.title, details.get("max_length"), prompt)
    return None


def model_folder(project: Project, info: ModelInfo) -> Path | None:
    """Where the files of a model are; None where a server has them.

    :raises Failed: when they are gone.
    """
    if info.id == BUILT_IN:
        return generic_folder()
    manifest = project.artifact("models", info.id)
    if info.format == wordllama.FORMAT:
        return wordllama.folder()
    if info.format == checkpoints.FORMAT:
        return checkpoints.folder_of(manifest)
    return None if info.format == "endpoint" else project.folder_of(manifest)


def size_of(project: Project, info: ModelInfo) -> int | None:
    """How many bytes a model takes, with the one beneath it; None for a server's, or where its files are gone."""
    with suppress(BespokeError):
        folder = model_folder(project, info)
        if folder is None:
            return None
        if info.format == wordllama.FORMAT:
            return wordllama.size()
        own = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        if info.format not in (BEHIND, MATRIX, EIGHT_BIT):
            return own
        manifest = project.artifact("models", info.id)
        beneath = full_of(project, manifest) or base_of(project, manifest)
        under = size_of(project, beneath) if beneath is not None else None
        return None if under is None else own + under
    return None


@lru_cache(maxsize=1)
def _static_reader(title: str) -> ModelTokenizer:
    return ModelTokenizer(title, whole_tokenizer(wordllama.tokenizer_file()), None, 0)


@lru_cache(maxsize=8)
def reader_in(
    folder: Path, title: str, window: int | None = None, prompt: str = ""
) -> ModelTokenizer | None:
    """The tokenizer in a model's folder with what its settings say of its window.

    :param window: what a manifest says of it; None leaves it to the settings.
    :param prompt: what is put before each document.
    :returns: None for a folder without a tokenizer.
    """
    path = next(iter(sorted(folder.rglob(_TOKENIZER), key=lambda path: len(path.parts))), None)
    tokenizer = whole_tokenizer(path) if path is not None else _slow_tokenizer(folder)
    if tokenizer is None:
        return None
    if window is None:
        said = sorted(folder.rglob(_SETTINGS), key=lambda path: len(path.parts))
        window = next((int(w) for p in said if (w := _settings(p).get("max_seq_length"))), None)
    if window is not None and window > _LONGEST:
        window = None
    word = tokenizer.encode("a", add_special_tokens=False).ids
    around = len(tokenizer.encode(f"{prompt}a").ids) - len(word)
    return ModelTokenizer(title, tokenizer, window, around)


def _slow_tokenizer(folder: Path) -> Any:
    """The tokenizer of a folder that holds only its vocabulary; None where there is none that can be read."""
    before_transformers()
    from transformers import AutoTokenizer

    with suppress(Exception):  # Whatever its parsers raise: they are of many libraries.
        loaded = AutoTokenizer.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False
        )
        tokenizer = loaded.backend_tokenizer
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer
    return None


def _settings(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_text(encoding="utf-8"))
    return found if isinstance(found, dict) else {}
