"""A tiny project for auto, and what auto tries of it."""

from dataclasses import replace

import pytest

from search.projects.project import Project
from training.auto import candidates
from training.auto.member import OTHERS
from training.auto.tunings import TUNINGS


@pytest.fixture(autouse=True)
def no_others(monkeypatch, one_thread):
    """Adapters and fine-tunings alone; the test of what else learns puts it back."""
    for name in list(OTHERS):
        monkeypatch.delitem(OTHERS, name)


@pytest.fixture
def briefly(monkeypatch):
    """Short trainings, and of fine-tunings the first alone: for tests that do not ask how good a model becomes."""
    monkeypatch.setattr(candidates, "_EPOCHS", 20)
    monkeypatch.setattr(candidates, "TUNINGS", (replace(TUNINGS[0], epochs=2),))


@pytest.fixture
def tiny(tmp_path, import_tiny):
    made = Project(tmp_path / "workspace" / "p")
    import_tiny(made)
    return made
