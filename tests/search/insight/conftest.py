"""A project with a transformer trained on pairs, word vectors and their indexes, made once a session."""

import shutil
from pathlib import Path

import pytest

from search.projects.project import Project, project, project_to_be
from search.retrieval.search import retrievers_for
from training.data.intake import import_beir
from training.train import train


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("insight") / "workspace"


@pytest.fixture
def tiny(saved: Path, workspace: Path, tiny_beir: Path, tiny_model: Path) -> Project:
    if saved.is_dir():
        shutil.copytree(saved, workspace)
        return project("tiny")
    made = project_to_be("tiny")
    import_beir(made, tiny_beir)
    train(made, "fine-tune", "tuned", {"base": str(tiny_model), "epochs": 1})
    train(made, "word2vec", "words", {"min_count": 1, "epochs": 2, "vector_size": 8})
    retrievers_for(made, ["tuned", "words"])
    shutil.copytree(workspace, saved)
    return made
