"""A deleted project comes back within some seconds, or is gone as any other; nobody sweeps it meanwhile."""

from contextlib import contextmanager

import pytest

from search.projects import graves
from search.projects.errors import Refused
from search.projects.project import project_to_be, projects
from search.retrieval import undoing
from search.retrieval.deletion import finish_deletions
from search.retrieval.undoing import UndoableDeletion
from training.data.intake import import_beir


def test_it_is_out_of_sight_and_comes_back_as_it_was(workspace, tiny_beir, tree):
    lab = project_to_be("lab")
    import_beir(lab, tiny_beir)
    before = tree(lab.folder)
    deleted = UndoableDeletion(lab)
    assert projects() == [] and deleted.is_open
    finish_deletions()  # As every command and the app do when they start.
    assert deleted.undo().name == "lab"
    assert tree(lab.folder) == before and not deleted.is_open
    with pytest.raises(Refused, match="'lab' is gone for good"):
        deleted.undo()
    assert tree(lab.folder) == before


def test_when_time_is_over_it_is_gone(workspace):
    deleted = UndoableDeletion(project_to_be("lab").create(), seconds=0.0)
    deleted.finish()
    assert graves.graves(workspace) == []
    with pytest.raises(Refused, match="is gone for good"):
        deleted.undo()


def test_another_project_of_its_name_is_left_alone(workspace):
    deleted = UndoableDeletion(project_to_be("lab").create())
    other = project_to_be("lab").create()
    with pytest.raises(Refused, match="There is another project 'lab' by now"):
        deleted.undo()
    deleted.finish()
    assert other.exists and graves.graves(workspace) == []


def test_one_that_another_process_sweeps_already_cannot_be_brought_back(workspace, monkeypatch):
    @contextmanager
    def taken(path, what):
        raise Refused("Somebody else holds it.")
        yield

    monkeypatch.setattr(undoing, "exclusive", taken)
    monkeypatch.setattr("threading.excepthook", lambda _: None)
    deleted = UndoableDeletion(project_to_be("lab").create())
    monkeypatch.undo()
    assert not deleted.is_open
    with pytest.raises(Refused, match="is gone for good"):
        deleted.undo()
