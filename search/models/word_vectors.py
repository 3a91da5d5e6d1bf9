"""Pooled word vectors (Word2Vec, FastText) as an encoder.

A text is the mean of the vectors of its words, plain or weighted as in SIF: a / (a + p(word)), with the
common component of the corpus removed (Arora, Liang, Ma 2017, "A Simple but Tough-to-Beat Baseline for
Sentence Embeddings"). FastText reads a text of unseen words only by their parts. A text without any has a zero vector, and finds nothing.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexes.vector_index import Vectors, normalised
from search.models.word_tokenizers import Reading, Words, read_as
from search.projects.errors import Failed, Refused
from search.projects.settings import LIMITS

SIF_A = 1e-3
_LONGEST_NGRAM = 20
_SETTINGS = "word_vectors.json"
_TENSORS = "word_vectors.safetensors"


class WordVectors:
    """Word vectors with a way to pool them.

    :param words: the vocabulary, most frequent first: what `reading` finds in texts.
    :param counts: how often each word occurs in the corpus.
    :param vectors: one row a word, shape (len(words), dimension).
    :param pooling: "sif" or "mean".
    :param common: the common component to remove, shape (dimension,), or None.
    :param subwords: FastText's n-gram vectors, shape (buckets, dimension), or None for Word2Vec.
    :param ngrams: the shortest and longest n-gram, with `subwords`.
    :param reading: how texts are read.

    >>> words = WordVectors(["rent", "due"], [3, 1], np.eye(2, dtype=np.float32), "mean")
    >>> words.encode_document(["The rent is due."]).tolist()
    [[0.5, 0.5]]
    """

    def __init__(
        self,
        words: Sequence[str],
        counts: Sequence[int],
        vectors: Vectors,
        pooling: str,
        common: Vectors | None = None,
        subwords: Vectors | None = None,
        ngrams: tuple[int, int] | None = None,
        reading: Reading | None = None,
    ) -> None:
        if len(words) != len(vectors) or len(words) != len(counts):
            raise ValueError(
                f"not the same length: {len(words)} words, {len(counts)} counts, "
                f"{len(vectors)} vectors"
            )
        self.words = list(words)
        self.vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        self.pooling = pooling
        self.common = common
        self.subwords = subwords
        self.ngrams = ngrams
        self.reading: Reading = Words() if reading is None else reading
        self._counts = list(counts)
        self._row_of = {word: place for place, word in enumerate(self.words)}
        frequency = np.asarray(counts, dtype=np.float64) / max(sum(counts), 1)
        weights = SIF_A / (SIF_A + frequency) if pooling == "sif" else np.ones(len(words))
        self.weights = weights.astype(np.float32)

    @property
    def dimension(self) -> int:
        """The number of components of each vector."""
        return int(self.vectors.shape[1])

    def encode_query(self, inputs: Sequence[str]) -> Vectors:
        """Vectors of queries, shape (n, dimension); zero for a text without a known word."""
        return self.encode_document(inputs)

    def encode_document(self, inputs: Sequence[str]) -> Vectors:
        """Vectors of documents, shape (n, dimension); zero for a text without a known word."""
        return self.pooled(self.reading.of(text) for text in inputs)

    def pooled(self, texts: Iterable[Sequence[str]]) -> Vectors:
        """Vectors of texts that were read already, shape (n, dimension)."""
        rows = [self._pool(words) for words in texts]
        pooled = np.array(rows, dtype=np.float32).reshape(len(rows), self.dimension)
        if self.common is not None:
            pooled -= np.outer(pooled @ self.common, self.common).astype(np.float32)
        return pooled

    def knows(self, word: str) -> bool:
        """Whether the word was in the corpus often enough to have a vector of its own."""
        return word in self._row_of

    def vector(self, word: str) -> Vectors | None:
        """The vector of one word; of an unseen one from its n-grams (FastText), or None (Word2Vec)."""
        place = self._row_of.get(word)
        if place is not None:
            row: Vectors = self.vectors[place]
            return row
        if self.subwords is None or self.ngrams is None:
            return None
        from gensim.models.fasttext_inner import compute_ngrams_bytes, ft_hash_bytes

        grams = compute_ngrams_bytes(word, *self.ngrams)
        if not grams:
            return None
        rows = [ft_hash_bytes(gram) % len(self.subwords) for gram in grams]
        mean: Vectors = self.subwords[rows].mean(axis=0, dtype=np.float32)
        return mean

    def nearest(self, word: str, count: int = 10) -> list[tuple[str, float]]:
        """The words nearest to a word by cosine, without the word itself.

        :raises Refused: when the word is not one word (or phrase that was learned), or has no vector.
        """
        parts = self.reading.of(word)
        if len(parts) != 1:
            raise Refused(f"{word!r} is not one word.")
        vector = self.vector(parts[0])
        if vector is None:
            raise Refused(
                f"This model does not know the word {parts[0]!r}: it is not in the corpus often "
                "enough. FastText would build a vector from its parts."
            )
        cosines = self._unit_vectors @ normalised(vector[None, :])[0]
        order = np.argsort(-cosines, kind="stable")
        near = [(self.words[i], float(cosines[i])) for i in order[: count + 1]]
        return [(w, c) for w, c in near if w != parts[0]][:count]

    def save(self, folder: Path) -> None:
        """Write the vectors (safetensors) and their settings (JSON) into a folder."""
        from safetensors.numpy import save_file

        tensors = {"vectors": self.vectors}
        if self.common is not None:
            tensors["common"] = np.ascontiguousarray(self.common, dtype=np.float32)
        if self.subwords is not None:
            tensors["subwords"] = np.ascontiguousarray(self.subwords, dtype=np.float32)
        save_file(tensors, folder / _TENSORS)
        settings = {
            "pooling": self.pooling,
            "ngrams": self.ngrams,
            "words": self.words,
            "counts": self._counts,
            "reads": self.reading.kind,
            "reading": self.reading.written(),
        }
        (folder / _SETTINGS).write_text(json.dumps(settings, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "WordVectors":
        """Read what `save` wrote.

        :raises Failed: when a file is missing or damaged.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            if (folder / _SETTINGS).stat().st_size > LIMITS.json_bytes:
                raise ValueError(f"{_SETTINGS} is longer than that of any model")
            settings = json.loads((folder / _SETTINGS).read_text(encoding="utf-8"))
            tensors = load_file(folder / _TENSORS)
            ngrams = settings["ngrams"]
            _check(tensors, ngrams)
            return cls(
                settings["words"],
                settings["counts"],
                tensors["vectors"],
                settings["pooling"],
                tensors.get("common"),
                tensors.get("subwords"),
                (int(ngrams[0]), int(ngrams[1])) if ngrams else None,
                read_as(settings["reads"], settings["reading"]),
            )
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise Failed(f"The word vectors in {folder} cannot be read: {error}.") from error

    def as_sentence_transformer(self) -> Any:
        """The same encoder out of sentence-transformers' own modules, for other programs.

        StaticEmbedding (the weighted vectors) + Dense (removes the common component) + Normalize. Only
        words of the vocabulary have vectors there: FastText's n-grams do not fit into these modules.
        """
        import torch
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.models import Dense, Normalize, StaticEmbedding

        tokenizer, ids = self.reading.tokenizer(self.words)
        table = np.zeros((tokenizer.get_vocab_size(), self.dimension), dtype=np.float32)
        table[ids] = self.vectors * self.weights[:, None]
        modules: list[Any] = [StaticEmbedding(tokenizer, embedding_weights=table)]
        if self.common is not None:
            dense = Dense(
                self.dimension,
                self.dimension,
                bias=False,
                activation_function=torch.nn.Identity(),
                init_weight=torch.from_numpy(
                    np.eye(self.dimension, dtype=np.float32) - np.outer(self.common, self.common)
                ),
            )
            modules.append(dense)
        modules.append(Normalize())
        return SentenceTransformer(modules=modules, device="cpu")

    @property
    def _unit_vectors(self) -> Vectors:
        return normalised(self.vectors)

    def _pool(self, words: Sequence[str]) -> Vectors:
        places = [self._row_of[word] for word in words if word in self._row_of]
        if places:
            rows: Vectors = self.vectors[places] * self.weights[places, None]
            known: Vectors = rows.mean(axis=0, dtype=np.float32)
            return known
        # Vectors guessed from word parts only blur what known words say (nDCG@10 on hinglish_top: .195
        # with them, .463 without), so they speak only where nothing else does.
        guessed = [vector for word in words if (vector := self.vector(word)) is not None]
        if not guessed:
            return np.zeros(self.dimension, dtype=np.float32)
        mean: Vectors = np.mean(guessed, axis=0, dtype=np.float32)
        return mean


def _check(tensors: Mapping[str, np.ndarray], ngrams: Any) -> None:
    """See that the parts of stored word vectors fit one another; a checksum says only that they are as they were written.

    :raises ValueError: naming what does not fit.
    """
    _, dimension = tensors["vectors"].shape
    for name, shape in (("subwords", (-1, dimension)), ("common", (dimension,))):
        found = tensors[name].shape if name in tensors else shape
        if len(found) != len(shape) or found[-1] != dimension or 0 in found:
            raise ValueError(f"{name} are of another shape than the vectors")
    if any(tensor.dtype != np.float32 for tensor in tensors.values()):
        raise ValueError("they are no numbers of 32 bits")
    if ngrams and not all(1 <= int(length) <= _LONGEST_NGRAM for length in ngrams):
        raise ValueError(f"their n-grams are no lengths from 1 to {_LONGEST_NGRAM}")
