"""A training or an index that has no room is refused before it begins; a long one says what it needs."""

import pytest

from search.projects import room
from search.projects.errors import Refused
from search.projects.project import project_to_be
from search.retrieval.indexing.build import index_model
from training.probe import Speed
from training.train import train


@pytest.fixture
def lab(import_tiny):
    project = project_to_be("lab")
    import_tiny(project)
    return project


def test_what_has_no_room_is_refused_before_it_begins(lab, monkeypatch):
    monkeypatch.setattr(room, "free_bytes", lambda _path: 64_000_100)
    with pytest.raises(Refused, match=r"The training needs about .* on the disk mounted at /"):
        train(lab, "fine-tune")
    with pytest.raises(Refused, match=r"The index needs about .* on the disk mounted at /"):
        index_model(lab, "generic")
    monkeypatch.setattr(room, "free_bytes", lambda _path: 10**12)
    monkeypatch.setattr(room, "memory_bytes", lambda: 10**8)
    with pytest.raises(Refused, match=r"The training needs about .* of memory, and 100\.0 MB"):
        train(lab, "auto")
    assert lab.manifests("models") == lab.manifests("indexes") == []


def test_a_long_training_says_what_it_needs(lab, monkeypatch):
    slow = Speed(1, 1, 1, 1, 1e-2, 1)
    monkeypatch.setattr("training.room.ORDINARY", slow)
    said = []
    train(lab, "word2vec", values={"epochs": 1}, progress=lambda *told, **_: said.append(told[2]))
    assert any(
        one.startswith("The training will take about ") and " free on the disk mounted at /" in one
        for one in said
    )
