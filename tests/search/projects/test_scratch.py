"""Folders in the temporary folder: nobody sweeps what somebody works in, or is about to."""

import os
import tempfile
from pathlib import Path

import pytest

from search.projects import scratch
from search.projects.locks import Owner
from search.projects.scratch import scratch_folder, sweep_scratch


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_is_there_while_somebody_works_in_it_and_gone_after(tmp_path):
    with scratch_folder("beir") as folder:
        (folder / "a").write_text("of a person")
        assert sweep_scratch() == 0
        assert (folder / "a").exists()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_swept(tmp_path):
    left = tmp_path / "bespoke-beir-x"
    (left / "files").mkdir(parents=True)
    (left / "files" / "a").write_text("of a person")
    (left / ".owner").touch()
    assert sweep_scratch() == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_swept_before_it_is_owned_is_given_up_for_another(tmp_path, monkeypatch):
    """Its owner's file is there a moment before the lock is."""
    taken, first = Owner.take, []

    def swept_meanwhile(path: Path) -> Owner:
        if not first and path.parent.name.startswith("bespoke-beir"):
            first.append(path.parent)
            path.touch()
            assert sweep_scratch() == 1
        return taken(path)

    monkeypatch.setattr(scratch.Owner, "take", swept_meanwhile)
    with scratch_folder("beir") as folder:
        assert folder.is_dir() and folder.parent != first[0]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_owned_after_it_was_listed_stays(tmp_path, monkeypatch):
    left = tmp_path / "bespoke-beir-x"
    left.mkdir()
    (left / ".owner").touch()
    monkeypatch.setattr(scratch, "left_in_scratch", lambda: [left])
    owner = Owner.take(left / ".owner")
    (left / "a").write_text("of a person")
    sweep_scratch()
    assert (left / "a").exists()
    os.close(owner.handle)
