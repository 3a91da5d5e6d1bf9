"""A tiny project for auto, and what auto tries of it."""

import pytest

from search.projects.project import Project
from training.auto import candidates, fitting
from training.auto.member import OTHERS


@pytest.fixture(autouse=True)
def no_others(monkeypatch, one_thread):
    """Adapters and fine-tunings alone; the test of what else learns puts it back."""
    for name in list(OTHERS):
        monkeypatch.delitem(OTHERS, name)


@pytest.fixture
def briefly(monkeypatch):
    """Short trainings, and of fine-tunings the first alone: for tests that do not ask how good a model becomes."""
    monkeypatch.setattr(candidates, "_EPOCHS", 20)
    monkeypatch.setattr(fitting, "_MOST_EPOCHS", 2)
    monkeypatch.setattr(candidates, "RATES", {candidates.TUNE: candidates.RATES[candidates.TUNE]})


@pytest.fixture
def tiny(tmp_path, import_tiny):
    made = Project(tmp_path / "workspace" / "p")
    import_tiny(made)
    return made
