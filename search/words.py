"""Nearest words: what a word-vector model of a project learned."""

from search.encoders import find_model, load_encoder
from search.errors import Refused
from search.word_vectors import WordVectors
from search.workspace import Project


def nearest_words(
    project: Project, model: str, word: str, count: int = 10
) -> list[tuple[str, float]]:
    """The words nearest to a word under a word-vector model of a project.

    :raises Refused: for an unknown model, one that has no word vectors, or an unknown word.
    """
    info = find_model(project, model)
    if info.recipe not in ("word2vec", "fasttext"):
        raise Refused(f"{model!r} is not made of word vectors: it has no nearest words.")
    encoder = load_encoder(project, info)
    assert isinstance(encoder, WordVectors)
    return encoder.nearest(word, count)
