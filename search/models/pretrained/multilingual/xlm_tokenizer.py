"""XLM-RoBERTa's tokenizer out of its pieces: letters as SentencePiece's nmt_nfkc has them, then the likeliest pieces.

SentencePiece keeps its map of characters as a double array over the bytes of each key (Aoe 1989, "An Efficient Digital
Search Algorithm by Using a Double-Array Structure"; the layout is Darts-clone's), which the library tokenizers reads.
"""

import struct
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SPECIAL = {
    "bos_token": "<s>", "cls_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "sep_token": "</s>",
    "unk_token": "<unk>", "mask_token": "<mask>",
}  # fmt: skip
_UNKNOWN = 3
_ACCENTED = range(0xC0, 0x3000)
_KEY_BYTES = 5  # SentencePiece's own map joins a letter and its accent where they are no longer.
_FREE = 512  # How far back from the last unit a base is looked for: near enough to be small, far enough to be fast.


def xlm_tokenizer(
    pieces: Sequence[tuple[str, float]], characters: Mapping[str, str]
) -> "Tokenizer":
    """A tokenizer as transformers saves XLM-RoBERTa's.

    :param pieces: with the logarithm of how likely each is, in the order of their numbers.
    :param characters: what becomes of a single character before it is looked up.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers
    from tokenizers import pre_tokenizers as splitters
    from tokenizers.processors import TemplateProcessing

    made = Tokenizer(models.Unigram(list(pieces), unk_id=_UNKNOWN))
    letters = normalizers.Precompiled(charsmap(_joined(characters) | dict(characters)))
    made.normalizer = normalizers.Sequence([letters, normalizers.Replace(Regex(" {2,}"), " ")])
    made.pre_tokenizer, made.decoder = splitters.Metaspace(), decoders.Metaspace()
    ends = [("<s>", 0), ("</s>", 2)]
    made.post_processor = TemplateProcessing("<s> $A </s>", "<s> $A </s> </s> $B </s>", ends)
    special = dict.fromkeys(SPECIAL.values())
    made.add_special_tokens([AddedToken(name, lstrip=name == "<mask>") for name in special])
    return made


def charsmap(table: Mapping[str, str]) -> bytes:
    """A map of strings as SentencePiece keeps it: a double array over their bytes, then what they become.

    Read from the root (unit 0), a byte leads from a unit to the one at its base xor the byte, if that bears the byte's label;
    a unit whose ninth bit is set ends a key, and the unit at its base says where in the texts the value begins.
    """
    tree: dict[int, Any] = {}
    texts = bytearray()
    for key, value in table.items():
        node = tree
        for byte in key.encode():
            node = node.setdefault(byte, {})
        node[0] = len(texts)
        texts += value.encode() + b"\0"
    units: dict[int, int] = {}
    taken, bases = {0}, {0}
    todo: list[tuple[int, int, dict[int, Any]]] = [(0, 0, tree)]
    while (
        todo
    ):  # A node's children stand at its base, xor their byte; no two nodes have the same base.
        unit, label, node = todo.pop()
        base = max(1, max(taken) - _FREE)
        while base in bases or any(base ^ byte in taken for byte in node):
            base += 1
        bases.add(base)
        taken.update(base ^ byte for byte in node)
        units[unit] = (unit ^ base) << 10 | (0 in node) << 8 | label
        if 0 in node:
            units[base] = 1 << 31 | node[0]
        todo += [(base ^ byte, byte, child) for byte, child in node.items() if byte]
    size = (max(taken) | 255) + 1
    array = struct.pack(f"<{size}I", *(units.get(unit, 0) for unit in range(size)))
    return struct.pack("<I", len(array)) + array + bytes(texts)


def _joined(characters: Mapping[str, str]) -> dict[str, str]:
    """Letters with their accent behind them, which are to become one: the file's own map is of single characters."""
    whole = [c for c in map(chr, _ACCENTED) if unicodedata.is_normalized("NFC", c)]
    apart = {unicodedata.normalize("NFD", c): characters.get(c, c) for c in whole}
    return {
        key: letter
        for key, letter in apart.items()
        if len(key) > 1 and len(key.encode()) <= _KEY_BYTES
    }
