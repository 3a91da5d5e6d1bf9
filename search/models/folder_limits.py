"""What a model's folder says of itself, held against bounds and its own weights before anything of it is built.

A configuration of a hundred bytes can ask for terabytes: for a million layers, a table of a billion words, a mask of
positions by positions. Its numbers are looked at first; then the model is built without memory (torch's "meta" device),
and what it would take must stand in proportion to the weights that are really there.
"""

import json
import math
import re
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

from search.models.import_order import before_transformers
from search.projects.errors import Refused

_FILES = 10_000
_SETTINGS_BYTES = 16 * 1024 * 1024
_VOCABULARY_BYTES = 256 * 1024 * 1024
_VOCABULARIES = re.compile(
    r"(tokenizer|vocab|merges|added_tokens|spiece|sentencepiece|unigram).*\.(json|txt|model|bpe)$"
)
# What is built is built by these alone; other JSON (results, a trainer's state, our manifest) may count what it likes.
_CONFIGURATIONS = re.compile(r"config.*\.json$|^modules\.json$")
_HEADER_BYTES = 64 * 1024 * 1024
_DEPTH = 64
# The most of what a configuration counts, by what stands in its name; the first that fits counts.
_COUNTS: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(r"model_max_length|_token_id$|^seed$|^revision$"), 10**40),
    (re.compile(r"layer|block|stage|depth"), 512),
    (re.compile(r"expert|head|group|num_labels|kernel|modules"), 4_096),
    (re.compile(r"vocab"), 8_000_000),
    (re.compile(r"position|n_ctx|seq|length|window"), 16_000_000),
    (re.compile(r"size|dim|d_|n_|feature|channel|rank|^r$|inner|ffn"), 1_000_000),
    (re.compile(r""), 2**40),
)  # fmt: skip
_LABELS = 10_000
_TIMES, _BESIDE = (
    4,
    64_000_000,
)  # What is built may have so many numbers for one in the files, and so many beside.
_WIDTHS = {
    "F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2, "I8": 1,
    "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1, "C64": 8,
}  # fmt: skip

_SIZES: dict[bytes, int] = {}


def check_folder(folder: Path) -> None:
    """See that a model's folder can be read within bounds; nothing is built.

    :raises Refused: naming the file and what of it is beyond any model.
    """
    paths = []
    for path in folder.rglob("*"):
        paths.append(path)
        if len(paths) > _FILES:
            raise Refused(f"{folder} holds more than {_FILES:,} files: it is no model.")
    weights = sum(_numbers_in(path) for path in paths if path.suffix == ".safetensors")
    for path in sorted(paths):
        if not path.is_file():
            continue
        if _VOCABULARIES.search(path.name):
            _check_size(path, _VOCABULARY_BYTES)
        elif path.suffix == ".json" and not path.name.endswith(".index.json"):
            _check_size(path, _SETTINGS_BYTES)
            if _CONFIGURATIONS.search(path.name):
                _check_counts(path, weights)


def check_built(folder: Path) -> None:
    """See that what transformers would build from the settings in a folder stands in proportion to its weights.

    :raises Refused: when it would take many times as much memory as all its weights.
    """
    weights = sum(_numbers_in(path) for path in folder.rglob("*.safetensors"))
    for path in folder.rglob("config.json"):
        size = _size_built(path)
        if size > _TIMES * weights + _BESIDE:
            raise Refused(
                f"{path} describes a model of {size:,} numbers, and the weights beside it have {weights:,}: they do not belong "
                "together, so it is not loaded."
            )


def _size_built(path: Path) -> int:
    """How many numbers the model of a config.json has; 0 where transformers knows no such model.

    Known ones are remembered by what the file says: a model is loaded again and again, and this is half of the work.
    """
    content = blake2b(path.read_bytes()).digest()
    if content in _SIZES:
        return _SIZES[content]
    before_transformers()
    import torch
    from transformers import AutoConfig, AutoModel

    try:
        config = AutoConfig.from_pretrained(
            str(path.parent), trust_remote_code=False, local_files_only=True
        )
        with torch.device("meta"):
            model = AutoModel.from_config(config, trust_remote_code=False)
    except Exception:  # What cannot be built without memory cannot be with it: loading says why.
        return 0
    _SIZES[content] = sum(part.numel() for part in (*model.parameters(), *model.buffers()))
    return _SIZES[content]


def _check_size(path: Path, most: int) -> None:
    size = path.stat().st_size
    if size > most:
        raise Refused(
            f"{path} has {size:,} bytes, more than that file of any model ({most:,}), so it is not read."
        )


def _check_counts(path: Path, weights: int) -> None:
    """See that no number of a configuration is beyond any model."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return  # Whoever needs it says so.
    for name, value in _named(content, path.name, _DEPTH):
        if isinstance(value, dict | list):
            if name in ("id2label", "label2id") and len(value) > _LABELS:
                raise Refused(f"{path} names {len(value):,} labels; at most {_LABELS:,} are read.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            most = next(most for pattern, most in _COUNTS if pattern.search(name))
            if not abs(value) <= most:
                raise Refused(
                    f"{path}: {name} is {value:.6g}, more than that of any model ({most:,}), so it is not loaded."
                )
    if isinstance(content, dict):
        table = [content.get(f"{side}_features") for side in ("in", "out")]
        if all(isinstance(side, int) for side in table):
            size = math.prod(side for side in table if isinstance(side, int))
            if size > _TIMES * weights + _BESIDE:
                raise Refused(
                    f"{path} describes a layer of {size:,} numbers, and the weights of the model have {weights:,}: they do not "
                    "belong together."
                )


def _named(content: Any, name: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Every value in a configuration by the last name above it."""
    if not depth:
        raise Refused(f"{name} holds settings inside settings, {_DEPTH} deep: no model has that.")
    yield name, content
    inside: list[tuple[Any, Any]] = []
    if isinstance(content, dict):
        inside = list(content.items())
    elif isinstance(content, list):
        inside = [(name, value) for value in content]
    for key, value in inside:
        yield from _named(value, str(key), depth - 1)


def _numbers_in(path: Path) -> int:
    """How many numbers a file of weights holds, by its header.

    :raises Refused: when the header is none, or speaks of other data than the file has.
    """
    size = path.stat().st_size
    try:
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if not 2 <= length <= min(_HEADER_BYTES, size - 8):
                raise ValueError
            header = json.loads(stream.read(length))
        header.pop("__metadata__", None)
        count = 0
        for tensor in header.values():
            begin, end = tensor["data_offsets"]
            numbers = math.prod(int(side) for side in tensor["shape"])
            # Kinds of numbers that are not known here are told apart by their library.
            wide = _WIDTHS.get(tensor["dtype"])
            fits = 0 <= begin <= end <= size - 8 - length and min(tensor["shape"], default=0) >= 0
            if not fits or (wide is not None and end - begin != numbers * wide):
                raise ValueError
            count += numbers
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        raise Refused(
            f"{path} is no file of weights, or damaged: its header does not fit the {size:,} bytes that it has."
        ) from None
    return count
