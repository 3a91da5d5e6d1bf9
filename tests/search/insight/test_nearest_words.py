"""Nearest words of a project's model: known, guessed from parts, and unknown."""

import pytest

from search.insight.word_space import nearest_words
from search.models.load import load_encoder
from search.models.registry import find_model
from search.projects.errors import Refused
from search.projects.project import project_to_be
from training.train import train


@pytest.fixture
def project(import_tiny):
    found = project_to_be("tiny")
    import_tiny(found)
    settings = {"min_count": 1, "epochs": 2, "vector_size": 8}
    train(found, "word2vec", None, settings)
    train(found, "fasttext", None, {**settings, "buckets": 1_000})
    return found


def test_a_known_word(project):
    for model in ("word2vec", "fasttext"):
        found = nearest_words(project, model, "Registrar", 3)
        assert found.note is None
        assert found.words == load_encoder(project, find_model(project, model)).nearest(
            "registrar", 3
        )


def test_fasttext_guesses_an_unseen_word_and_says_so(project):
    found = nearest_words(project, "fasttext", "registrars", 3)
    assert len(found.words) == 3
    assert found.note == (
        "This word is not in the corpus often enough: its vector is built from its parts."
    )


def test_word2vec_says_that_it_does_not_know(project):
    with pytest.raises(Refused, match="does not know the word 'registrars'"):
        nearest_words(project, "word2vec", "registrars")


@pytest.mark.parametrize("word", ["", "  ", "?!", "word " * 60])
def test_what_is_no_word_is_refused(project, word):
    with pytest.raises(Refused, match=r"Type a word|type a word"):
        nearest_words(project, "word2vec", word)
