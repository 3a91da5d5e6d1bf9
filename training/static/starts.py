"""What a static model starts from: a tokenizer and a vector for each of its pieces, distilled or from the corpus alone.

Distilled as in model2vec (Tulkens and van Dongen 2024, "Model2Vec: Fast State-of-the-Art Static Embeddings"): what a
transformer makes of each piece of its tokenizer, read alone, turned onto its main directions (PCA, which takes the mean
away), and weighted down where it is frequent (SIF; Arora, Liang, Ma 2017). A tokenizer's pieces stand in the order of how
frequent they are in its own texts, so that by Zipf's law the place says how frequent a piece is.

From the corpus alone: word pieces trained on it, and vectors that Word2Vec or chance gives them.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from indexes.vector_index import Vectors
from search.models.word_vectors import SIF_A as WORDS_A
from search.projects.errors import Refused
from search.projects.progress import Progress, Stage
from training.checkpoints import Checkpointer
from training.corpus_subwords import train_subword_tokenizer

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

SIF_A = 1e-4
_NAME = "start"
_BATCH = 512
_EPOCHS = 15
_WINDOW = 5


@dataclass(frozen=True)
class StaticBase:
    """What a static model is before it learns from pairs.

    :param tokenizer: as JSON, as tokenizers writes it.
    :param vectors: one row a piece, by its id: shape (pieces, dimension).
    :param note: what people should know of it.

    >>> StaticBase.of("{}", np.array([[3, 4], [0, 5]])).vectors.tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 1.0]]
    """

    tokenizer: str
    vectors: Vectors
    note: str = ""

    @classmethod
    def of(cls, tokenizer: str, vectors: Vectors, note: str = "") -> "StaticBase":
        """A start with vectors of length 1 in the mean, so that one learning rate fits every start.

        A factor for all changes no cosine.
        """
        lengths = np.linalg.norm(vectors, axis=1)
        mean = float(lengths[lengths > 0].mean()) if lengths.any() else 1.0
        return cls(tokenizer, np.ascontiguousarray(vectors / mean, dtype=np.float32), note)

    def model(self, device: str) -> "SentenceTransformer":
        """The start as a SentenceTransformer of built-in modules."""
        import torch
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import StaticEmbedding
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_str(self.tokenizer)
        tokenizer.no_truncation()
        module = StaticEmbedding(tokenizer, embedding_weights=torch.from_numpy(self.vectors.copy()))
        return SentenceTransformer(modules=[module], device=device)

    @classmethod
    def from_checkpoint(cls, checkpointer: Checkpointer) -> "StaticBase | None":
        """The start that an earlier try of the same training made, or None."""
        found = checkpointer.load(_NAME)
        if found is None:
            return None
        state = found.state
        return cls(state["tokenizer"], found.tensors["vectors"], state.get("note", ""))

    def keep(self, checkpointer: Checkpointer) -> None:
        """Remember it, so that a resumed training has the very same start."""
        checkpointer.save(
            _NAME, {"vectors": self.vectors}, {"tokenizer": self.tokenizer, "note": self.note}
        )


def distilled(
    teacher: "SentenceTransformer",
    name: str,
    size: int,
    progress: Progress,
    texts: Iterable[str] | None = None,
) -> StaticBase:
    """The start that a transformer's own word pieces make.

    A tokenizer of a hundred languages has a quarter of a million pieces, of which a corpus has some thousands: only these
    are read. The others keep a zero vector, which says nothing.

    :param name: what the teacher is called, for a refusal.
    :param size: how many numbers a vector has, at most as many as the teacher's.
    :param texts: what the model is for; None reads every piece.
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
    every = np.array([piece for piece in range(count) if piece not in special])
    weights = zipf_weights(len(every)).astype(np.float32)
    seen = np.ones(len(every), dtype=bool) if texts is None else _seen(tokenizer, texts)[every]
    pieces = every[seen]
    if not len(pieces):
        raise Refused(f"The documents have no word piece of {name!r}: it cannot read them.")
    vectors = np.zeros((count, size), dtype=np.float32)
    main = _main_directions(_read_alone(teacher, tokenizer, pieces, progress), size)
    vectors[pieces, : main.shape[1]] = main * weights[seen][:, None]
    note = (
        f"Distilled from {len(pieces):,} of the {len(every):,} word pieces of {name}: those that the documents and the "
        "pairs have. Others say nothing to this model."
    )
    return StaticBase.of(
        tokenizer.to_str(), vectors[:, : main.shape[1]], "" if texts is None else note
    )


def _seen(tokenizer: "Tokenizer", texts: Iterable[str]) -> NDArray[np.bool_]:
    """Whether each piece occurs in texts, by its id."""
    found = np.zeros(max(tokenizer.get_vocab().values()) + 1, dtype=bool)
    left = iter(texts)
    while block := list(islice(left, _BATCH)):
        for encoding in tokenizer.encode_batch_fast(block, add_special_tokens=False):
            found[encoding.ids] = True
    return found


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


def scratch(
    texts: Sequence[str], pieces: int, size: int, learned: bool, seed: int, progress: Progress
) -> StaticBase:
    """A start with a tokenizer that was trained on texts.

    Frequent pieces weigh less (SIF), as in `search.models.word_vectors`.

    :param pieces: how many word pieces to learn.
    :param size: how many numbers a vector has.
    :param learned: whether Word2Vec learns the vectors; else they are drawn at random.
    :raises Refused: when the texts have no word.
    """
    progress(0, 0, "learning word pieces")
    tokenizer = train_subword_tokenizer(texts, pieces)
    count = tokenizer.get_vocab_size()
    if not count:
        raise Refused("The documents have no words, so there is nothing to learn from.")
    read = [
        [str(i) for i in encoding.ids]
        for encoding in tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    ]
    counts = Counter(chain.from_iterable(read))
    frequency = np.array([counts[str(piece)] for piece in range(count)]) / max(counts.total(), 1)
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((count, size)).astype(np.float32) / np.float32(np.sqrt(size))
    if learned:
        _learn(vectors, read, seed, Stage(progress, 0.1, 1.0))
    weights = (WORDS_A / (WORDS_A + frequency)).astype(np.float32)
    return StaticBase.of(tokenizer.to_str(), vectors * weights[:, None])


def _learn(vectors: Vectors, read: Sequence[Sequence[str]], seed: int, progress: Progress) -> None:
    """Put what skip-gram learns in place of the random vectors of pieces that occur."""
    from gensim.models import Word2Vec

    model: Any = Word2Vec(
        vector_size=vectors.shape[1],
        window=_WINDOW,
        min_count=1,
        sg=1,
        workers=1,  # Two threads would make two runs differ.
        seed=seed,
    )
    model.build_vocab(corpus_iterable=read)
    for epoch in range(_EPOCHS):
        progress(epoch, _EPOCHS, f"learning the pieces' vectors, epoch {epoch + 1} of {_EPOCHS}")
        # Each epoch is a call of its own: progress is where a training can be cancelled.
        model.train(
            corpus_iterable=read,
            total_examples=model.corpus_count,
            epochs=1,
            start_alpha=_rate(epoch),
            end_alpha=_rate(epoch + 1),
        )
    # Skip-gram's vectors share a direction that says nothing (Mu and Viswanath 2018, "All-but-the-Top").
    learned = model.wv.vectors - model.wv.vectors.mean(axis=0)
    scale = float(np.linalg.norm(learned, axis=1).mean()) or 1.0
    vectors[[int(piece) for piece in model.wv.index_to_key]] = learned / scale


def _rate(epoch: int) -> float:
    """Word2Vec's learning rate, which falls in a line from .025."""
    return max(0.025 * (1 - epoch / _EPOCHS), 0.0001)
