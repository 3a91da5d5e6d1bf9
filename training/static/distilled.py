"""Vectors of word pieces out of a transformer: each piece of its tokenizer read alone.

As in model2vec (Tulkens and van Dongen 2024, "Model2Vec: Fast State-of-the-Art Static Embeddings"): what the model
makes of each piece, turned onto its main directions (PCA, which takes the mean away), and weighted down where it is
frequent (SIF; Arora, Liang, Ma 2017). A tokenizer's pieces stand in the order of how frequent they are in its own texts, so
that by Zipf's law the place says how frequent a piece is.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from indexes.vector_index import Vectors
from search.projects.errors import Refused
from search.projects.progress import Progress
from training.static.base import StaticBase

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

SIF_A = 1e-4
_BATCH = 512


def distilled(
    teacher: "SentenceTransformer", name: str, size: int, progress: Progress
) -> StaticBase:
    """The start that a transformer's own word pieces make.

    :param name: what the teacher is called, for a refusal.
    :param size: how many numbers a vector has, at most as many as the teacher's.
    :raises Refused: for a teacher that has no word pieces of its own.
    """
    from transformers import PreTrainedTokenizerFast

    wrapped = getattr(teacher[0], "tokenizer", None)
    if not isinstance(wrapped, PreTrainedTokenizerFast):
        raise Refused(
            f"{name!r} has no word pieces that a static model could be distilled from. Choose a transformer, or "
            "another start: start=wordllama or start=scratch."
        )
    tokenizer = _plain(wrapped)
    special = {*wrapped.all_special_ids}
    count = max(tokenizer.get_vocab().values()) + 1
    pieces = np.array([piece for piece in range(count) if piece not in special])
    vectors = np.zeros((count, size), dtype=np.float32)
    main = _main_directions(_read_alone(teacher, tokenizer, pieces, progress), size)
    weights = zipf_weights(len(pieces)).astype(np.float32)
    vectors[pieces, : main.shape[1]] = main * weights[:, None]
    return StaticBase.of(tokenizer.to_str(), vectors[:, : main.shape[1]])


def zipf_weights(count: int) -> NDArray[np.float64]:
    """SIF's a / (a + p) for each place of a list that begins with the most frequent, by Zipf's law."""
    shares = 1 / np.arange(2, count + 2)
    weights: NDArray[np.float64] = SIF_A / (SIF_A + shares / shares.sum())
    return weights


def _plain(wrapped: Any) -> "Tokenizer":
    """A copy of a tokenizer, reading texts of any length."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(wrapped.backend_tokenizer.to_str())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _read_alone(
    teacher: "SentenceTransformer", tokenizer: "Tokenizer", pieces: NDArray[Any], progress: Progress
) -> Vectors:
    """What a transformer makes of each piece, between whatever its tokenizer puts around a text."""
    import torch

    bare = tokenizer.encode("a", add_special_tokens=False).ids
    around = tokenizer.encode("a").ids
    begin = next(p for p in range(len(around)) if around[p : p + len(bare)] == bare)
    before, after = around[:begin], around[begin + len(bare) :]
    parts = []
    for first in range(0, len(pieces), _BATCH):
        progress(first, len(pieces), f"reading {len(pieces):,} word pieces one by one")
        rows = [[*before, int(piece), *after] for piece in pieces[first : first + _BATCH]]
        ids = torch.tensor(rows, device=teacher.device)
        features = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        with torch.inference_mode():
            made = teacher(features)["sentence_embedding"]
        parts.append(made.float().cpu().numpy())
    return np.concatenate(parts)


def _main_directions(vectors: Vectors, size: int) -> Vectors:
    """Centred vectors on their first `size` principal components."""
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    _, directions = np.linalg.eigh(centred.T @ centred)
    main: Vectors = (centred @ directions[:, ::-1][:, :size]).astype(np.float32)
    return main
