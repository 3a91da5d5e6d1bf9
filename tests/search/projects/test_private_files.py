"""What is written is for its user alone, whatever the process was started with and whichever library wrote it."""

import os
import stat

import pytest

from search.projects import runs
from search.projects.files import keep_private
from search.projects.project import project_to_be
from search.retrieval import history


@pytest.fixture
def open_umask():
    """A process that was started with a umask under which everybody reads."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def readable_by_others(folder):
    return [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if stat.S_IMODE(path.lstat().st_mode) & 0o077
    ]


def test_a_workspace_is_for_its_user_alone(call_cli, tiny_beir, workspace, open_umask):
    assert call_cli("import", "lab", tiny_beir).status == 0
    assert call_cli("search", "lab", "frost", "--model", "bm25").status == 0
    assert readable_by_others(workspace.parent / "workspace") == []
    assert stat.S_IMODE(workspace.stat().st_mode) == 0o700
    assert os.umask(0o022) == 0o077, "children begin with it, too"


def test_the_core_alone_writes_privately(workspace, open_umask):
    made = project_to_be("lab").create()
    with made.publish("reports") as draft:
        (draft.folder / "deep").mkdir()
        (draft.folder / "deep" / "text.txt").write_text("of a patient")
        (draft.folder / "deep" / "text.txt").chmod(0o666)
    history.remember(made, "a question")
    assert readable_by_others(made.folder) == []
    assert stat.S_IMODE(made.folder.stat().st_mode) == 0o700


def test_a_workspace_that_was_open_is_closed(workspace, open_umask):
    workspace.mkdir(mode=0o755)
    keep_private(workspace)
    assert stat.S_IMODE(workspace.stat().st_mode) == 0o700


def test_what_a_run_is_told_in_is_private(workspace, open_umask):
    keep_private(workspace)
    run = runs.new_run(project_to_be("lab").create(), ["search", "lab", "a name"])
    assert readable_by_others(run.folder.parent) == []
