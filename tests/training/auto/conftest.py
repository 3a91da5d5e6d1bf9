"""A tiny project for auto, and how auto runs on a busy machine."""

import pytest
import torch

from search.workspace import Project
from training.intake import import_beir
from training.making.learners import LEARNERS


@pytest.fixture(autouse=True)
def one_thread():
    """Threads that wait for each other on a busy machine take a hundred times as long."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def no_others(monkeypatch):
    """Adapters and fine-tunings alone; the test of what else learns puts it back."""
    for name in LEARNERS.keys() - {"adapter", "fine-tune"}:
        monkeypatch.delitem(LEARNERS, name)


@pytest.fixture
def tiny(tmp_path, tiny_beir):
    made = Project(tmp_path / "workspace" / "p")
    import_beir(made, tiny_beir)
    return made
