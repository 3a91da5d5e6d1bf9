"""Checkpointer of every kind, made of the tiny model."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from search.projects.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "p").create()


@pytest.fixture
def copy_of(tmp_path: Path, tiny_model: Path) -> Callable[[str], Path]:
    """Copies the tiny model into a folder of that name."""

    def copied(name: str) -> Path:
        return Path(shutil.copytree(tiny_model, tmp_path / name))

    return copied


@pytest.fixture
def bare(tmp_path: Path, tiny_model: Path) -> Path:
    """A checkpoint as transformers saves it: a transformer and a tokenizer, nothing on pooling."""
    folder = tmp_path / "bare-bert"
    names = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
    folder.mkdir()
    for name in names:
        shutil.copy(tiny_model / name, folder / name)
    config = json.loads((folder / "config.json").read_text())
    assert config["architectures"] == ["BertModel"]
    return folder
