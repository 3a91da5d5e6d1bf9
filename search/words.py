"""Nearest words: what a word-vector model of a project learned."""

from dataclasses import dataclass

from search.encoders import load_encoder
from search.errors import Refused
from search.models import find_model
from search.word_vectors import WordVectors, words_of
from search.workspace import Project


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


def nearest_words(project: Project, model: str, word: str, count: int = 10) -> NearestWords:
    """The words nearest to a word under a word-vector model of a project.

    :raises Refused: for an unknown model, one that has no word vectors, or an unknown word.
    """
    info = find_model(project, model)
    if info.recipe not in ("word2vec", "fasttext"):
        raise Refused(f"{model!r} is not made of word vectors: it has no nearest words.")
    encoder = load_encoder(project, info)
    assert isinstance(encoder, WordVectors)
    return NearestWords(encoder.nearest(word, count), not encoder.knows(words_of(word)[0]))
