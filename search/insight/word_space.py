"""Words as a model sees them: neighbours, analogies, and which words' neighbourhoods changed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from indexes.vector_index import Vectors, normalised
from search.corpus.corpus import current_corpus
from search.insight.vector_cache import at_hand, cached_vectors
from search.insight.vocabulary import vocabulary_of
from search.models.encoder import Encoder
from search.models.load import load_encoder
from search.models.registry import ModelInfo, find_model
from search.models.word_tokenizers import words_of
from search.models.word_vectors import WordVectors
from search.projects.errors import Refused
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project

WORDS = "words"
COMPARED = 5_000
"""How many of the most frequent words are compared between models: every one with every other."""
_CHUNK = 512
_LONGEST = 200

Near = list[tuple[str, float]]
"""Words with their cosines, nearest first."""


class WordSpace:
    """The words of a vocabulary as one model sees them.

    :param words: the words, most frequent first.
    :param vectors: one row a word, of length 1, or zero for a word that the model does not know.
    :param encoder: the model.
    """

    def __init__(self, words: Sequence[str], vectors: Vectors, encoder: Encoder) -> None:
        self.words = list(words)
        self.vectors = vectors
        self._encoder = encoder
        self.known = np.asarray(vectors).any(axis=1)

    @classmethod
    def load(
        cls,
        project: Project,
        info: ModelInfo,
        encoder: Encoder,
        words: Sequence[str],
        progress: Progress = silent,
    ) -> "WordSpace":
        """The words as a model sees them; a transformer encodes them once, and they are kept."""
        if isinstance(encoder, WordVectors):
            return cls(words, word_rows(encoder, words), encoder)
        vectors = cached_vectors(project, info, WORDS, words, encoder, "query", progress)
        return cls(words, vectors, encoder)

    def vector(self, word: str) -> Vectors:
        """The vector of a word or phrase, in the vocabulary or not: length 1, or zero where it is unknown."""
        if isinstance(self._encoder, WordVectors):
            row: Vectors = word_rows(self._encoder, [word])[0]
            return row
        made: Vectors = normalised(np.asarray(self._encoder.encode_query([word])))[0]
        return made

    def nearest(self, word: str, count: int = 10) -> Near:
        """The words of the vocabulary nearest to a word or phrase, without itself.

        :raises Refused: when the model has no vector for it.
        """
        vector = self.vector(word)
        if not vector.any():
            raise Refused(
                f"This model does not know {word!r}: it is not in the corpus often enough."
            )
        return self._around(vector, {word.casefold()}, count)

    def analogy(self, less: str, base: str, more: str, count: int = 10) -> Near:
        """What is to `more` as `base` is to `less`: the words nearest to base - less + more.

        3CosAdd (Mikolov, Yih and Zweig 2013, "Linguistic Regularities in Continuous Space Word
        Representations"), with the three words themselves left out.

        :raises Refused: when the model does not know one of them.
        """
        vectors = []
        for word in (base, less, more):
            vector = self.vector(word)
            if not vector.any():
                raise Refused(f"This model does not know {word!r}.")
            vectors.append(vector)
        target = normalised((vectors[0] - vectors[1] + vectors[2])[None, :])[0]
        return self._around(target, {w.casefold() for w in (less, base, more)}, count)

    def neighbours(
        self, positions: Sequence[int], count: int
    ) -> "np.ndarray[tuple[int, int], np.dtype[np.int64]]":
        """The positions of the nearest words among those at `positions`, for each of them, without itself.

        :returns: shape (len(positions), count), as indexes into `positions`, nearest first; fewer words than that
            repeat nothing: `count` is cut to one less than their number.
        """
        rows = np.asarray(self.vectors[list(positions)], dtype=np.float32)
        count = min(count, len(rows) - 1)
        found = np.empty((len(rows), count), dtype=np.int64)
        for start in range(0, len(rows), _CHUNK):
            cosines = rows[start : start + _CHUNK] @ rows.T
            own = np.arange(start, start + len(cosines))
            cosines[np.arange(len(cosines)), own] = -np.inf
            part = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
            order = np.argsort(-np.take_along_axis(cosines, part, axis=1), axis=1, kind="stable")
            found[start : start + len(cosines)] = np.take_along_axis(part, order, axis=1)
        return found

    def _around(self, vector: Vectors, left_out: set[str], count: int) -> Near:
        cosines = np.where(self.known, self.vectors @ vector, -np.inf)
        order = np.argsort(-cosines, kind="stable")[: count + len(left_out) + 1].tolist()
        near = [(self.words[i], float(cosines[i])) for i in order if np.isfinite(cosines[i])]
        return [(w, c) for w, c in near if w.casefold() not in left_out][:count]


@dataclass(frozen=True)
class MovedWord:
    """A word, and how much of its neighbourhood two models have in common: 0 nothing, 1 everything (Jaccard)."""

    word: str
    common: float
    before: tuple[str, ...]
    after: tuple[str, ...]


def moved_words(
    before: WordSpace, after: WordSpace, count: int = 30, top: int = 10, among: int = COMPARED
) -> list[MovedWord]:
    """The words whose neighbourhoods differ most between two models; of equals the more frequent first.

    Compared are the nearest `top` words, among the `among` most frequent words that both models know.

    :raises ValueError: when the two are about different words.
    """
    if before.words != after.words:
        raise ValueError("the two models are asked about different words")
    positions = np.flatnonzero(before.known & after.known)[:among].tolist()
    if len(positions) < 3:
        return []
    sides = [space.neighbours(positions, top) for space in (before, after)]
    found = []
    for row, position in enumerate(positions):
        one, two = (set(side[row].tolist()) for side in sides)
        found.append((len(one & two) / len(one | two), row, position))
    names = [before.words[position] for position in positions]
    return [
        MovedWord(before.words[position], common, *(tuple(names[i] for i in s[row]) for s in sides))
        for common, row, position in sorted(found)[:count]
    ]


def word_rows(encoder: WordVectors, words: Sequence[str]) -> Vectors:
    """Vectors of words under word vectors, of length 1: what it reads as several is their mean; zero where one is unknown."""
    rows = np.zeros((len(words), encoder.dimension), dtype=np.float32)
    for row, word in enumerate(words):
        names = encoder.reading.of(word)
        parts = [vector for name in names if (vector := encoder.vector(name)) is not None]
        if parts and len(parts) == len(names):
            rows[row] = np.mean(parts, axis=0)
    return normalised(rows)


def are_ready(project: Project, info: ModelInfo, words: Sequence[str]) -> bool:
    """Whether a model can be asked about the words without a wait."""
    return info.recipe in ("word2vec", "fasttext") or at_hand(project, info, WORDS, words)


@dataclass(frozen=True)
class NearestWords:
    """Words with their cosines, nearest first; `guessed` when the word itself was never seen."""

    words: list[tuple[str, float]]
    guessed: bool

    @property
    def note(self) -> str | None:
        """What the person should know of the answer."""
        if not self.guessed:
            return None
        return "This word is not in the corpus often enough: its vector is built from its parts."


def check_word(word: str) -> str:
    """A word or short phrase fit to look around.

    :raises Refused: when it is empty, holds no word, or is long.
    """
    text = " ".join(word.split()).encode("utf-8", "replace").decode("utf-8")
    if not words_of(text):
        raise Refused("Type a word to look around.")
    if len(text) > _LONGEST:
        raise Refused(f"That has {len(text):,} characters: type a word or a short phrase.")
    return text


def nearest_words(
    project: Project, model: str, word: str, count: int = 10, progress: Progress = silent
) -> NearestWords:
    """The words nearest to a word under a model of a project.

    Vectors of whole words are asked about the words that they learned; any other model about the frequent words and
    phrases of the corpus, which it encodes once (they are kept).

    :raises Refused: for an unknown model or word, or a project without documents.
    """
    info = find_model(project, model)
    text = check_word(word)
    encoder = load_encoder(project, info)
    if isinstance(encoder, WordVectors) and encoder.reading.kind != "pieces":
        parts = encoder.reading.of(text)
        return NearestWords(encoder.nearest(text, count), not encoder.knows(parts[0]))
    manifest, _ = current_corpus(project)
    words = vocabulary_of(project, manifest, Stage(progress, 0.0, 0.2)).words
    space = WordSpace.load(project, info, encoder, words, Stage(progress, 0.2, 1.0))
    return NearestWords(space.nearest(text, count), guessed=False)
