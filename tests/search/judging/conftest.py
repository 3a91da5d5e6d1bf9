"""A small project with word vectors, made once and copied for each test."""

import shutil

import pytest

from search.judging.setup import Setup
from search.projects.project import project, project_to_be
from search.retrieval.indexing.build import index_model
from training.data.intake import import_beir
from training.train import train

SETUP = Setup("bm25", "words", depth=5, goal=40)


@pytest.fixture(scope="session")
def _kept(tmp_path_factory):
    return tmp_path_factory.mktemp("judging") / "lab"


@pytest.fixture
def lab(_kept, workspace, tiny_beir):
    """40 documents, 20 test queries, the word-vector model `words` with its index."""
    if not _kept.is_dir():
        made = project_to_be("Lab")
        import_beir(made, tiny_beir)
        train(made, "word2vec", "words", {"epochs": 3})
        index_model(made, "words")
        shutil.copytree(made.folder, _kept)
    else:
        shutil.copytree(_kept, workspace / "Lab")
    return project("Lab")


@pytest.fixture
def setup():
    return SETUP
