"""Room on disks and in memory: what cannot fit is refused with the disk's name, what is long is said."""

import errno
import os

import pytest

from search.projects import audit, room
from search.projects.errors import Failed, Refused
from search.projects.room import mount_point, see_that_it_fits
from search.projects.unexpected import unexpected
from search.retrieval.deletion import delete_project


@pytest.fixture
def machine(monkeypatch):
    monkeypatch.setattr(room, "free_bytes", lambda _path: 5_000_000_000)
    monkeypatch.setattr(room, "memory_bytes", lambda: 2_000_000_000)


def test_what_cannot_fit_is_refused_with_the_name_of_the_disk(machine, tmp_path):
    where = mount_point(tmp_path)
    with pytest.raises(Refused) as caught:
        see_that_it_fits("the index", tmp_path / "not" / "yet", 4_990_000_000, 0)
    said = str(caught.value)
    assert said.startswith(
        f"The index needs about 5.0 GB on the disk mounted at {where}, and 5.0 GB are free there"
    )
    with pytest.raises(Refused, match=r"needs about 2\.1 GB of memory, and 2\.0 GB are free"):
        see_that_it_fits("the training", tmp_path, 0, 2_100_000_000)


def test_long_work_says_what_it_needs_and_short_work_nothing(machine, tmp_path):
    assert see_that_it_fits("the index", tmp_path, 1e9, 1e9) is None
    assert see_that_it_fits("the index", tmp_path, 1e9, 1e9, seconds=599) is None
    said = see_that_it_fits("the training", tmp_path, 1e9, 1.5e9, seconds=3_600)
    assert said == (
        "The training will take about 60 minutes. It needs about 1.0 GB of the 5.0 GB that are free on the disk mounted "
        f"at {mount_point(tmp_path)}, and about 1.5 GB of 2.0 GB of memory."
    )


def test_a_full_disk_is_named(workspace):
    error = OSError(errno.ENOSPC, "No space left on device", str(workspace / "x"))
    said = str(unexpected(error))
    assert f"The disk mounted at {mount_point(workspace)} is full: free some space on it" in said


def test_a_full_disk_can_be_deleted_from(plain, monkeypatch, workspace):
    """What is deleted is noted first, and that takes room: some is held back for it."""
    real, home = os.write, plain.folder.parent
    monkeypatch.setenv("BESPOKE_HOME", str(home))
    room.reserve(home)
    held = home / ".locks" / "reserve"
    assert held.stat().st_size == 128 * 1024

    def write(handle, data):
        if held.exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(handle, data)

    monkeypatch.setattr(os, "write", write)
    delete_project(plain)
    assert not plain.folder.exists()
    assert not held.exists()
    assert ([entry.what for entry in audit.entries()], audit.broken_lines()) == (
        [audit.DELETED],
        [],
    )


def test_what_cannot_be_noted_at_all_is_not_done_and_leaves_no_half_line(plain, monkeypatch):
    monkeypatch.setenv("BESPOKE_HOME", str(plain.folder.parent))
    audit.note("looked")
    before, real = audit.path().read_bytes(), os.write

    def half(handle, data):
        real(handle, data[:4])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(Failed, match="so it is not done"):
        delete_project(plain)
    assert plain.exists
    assert audit.path().read_bytes() == before
