"""A tiny project for auto, and what auto tries of it."""

import pytest

from search.projects.project import Project
from training.auto.member import OTHERS
from training.data.intake import import_beir


@pytest.fixture(autouse=True)
def no_others(monkeypatch, one_thread):
    """Adapters and fine-tunings alone; the test of what else learns puts it back."""
    for name in list(OTHERS):
        monkeypatch.delitem(OTHERS, name)


@pytest.fixture
def tiny(tmp_path, tiny_beir):
    made = Project(tmp_path / "workspace" / "p")
    import_beir(made, tiny_beir)
    return made
