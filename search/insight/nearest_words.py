"""Nearest words: what a model of a project makes of a word."""

from dataclasses import dataclass

from search.corpus.corpus import current_corpus
from search.insight.vocabulary import vocabulary_of
from search.insight.word_space import WordSpace
from search.models.load import load_encoder
from search.models.registry import find_model
from search.models.word_tokenizers import words_of
from search.models.word_vectors import WordVectors
from search.projects.errors import Refused
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project

_LONGEST = 200


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
