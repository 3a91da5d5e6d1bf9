"""The terminal in this process: what a command prints, its exit status, and that nothing changed."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def command(call_cli: Callable[..., Any]) -> Callable[..., Any]:
    """Runs a command of the terminal face."""
    return call_cli


@pytest.fixture(scope="session")
def made_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the workspace of `lab` is put by who makes it first."""
    return tmp_path_factory.mktemp("lab") / "workspace"


@pytest.fixture
def lab(command, tmp_path, workspace, made_before) -> str:
    """A project with three documents."""
    path = tmp_path / "lab.csv"
    path.write_text("id,text\nx,one\ny,two\nz,three\n")
    if made_before.is_dir():
        shutil.copytree(made_before, workspace)
    else:
        assert command("add", "lab", path).status == 0
        shutil.copytree(workspace, made_before)
    return "lab"


@pytest.fixture
def refused(command, lab, workspace, tree) -> Callable[..., str]:
    """Runs a command that must be refused: status 2, one line that is no traceback, nothing changed.

    :returns: the line.
    """

    def photograph() -> dict[str, bytes | None]:
        return {name: held for name, held in tree(workspace).items() if "/runs" not in name}

    def run(*arguments: object) -> str:
        before = photograph()
        done = command(*arguments)
        assert done.status == 2, (done.status, done.err[-500:])
        assert done.out == ""
        assert "Traceback" not in done.err
        line = done.err.splitlines()[-1]
        assert line.endswith((".", ")", "?")), line
        assert len(line) < 1_500
        assert not any(word in line for word in ("Exception", "Errno", "object at 0x"))
        assert photograph() == before
        return line

    return run


@pytest.fixture
def write(tmp_path) -> Callable[[str, bytes | str], Path]:
    """Writes a file."""

    def make(name: str, content: bytes | str) -> Path:
        path = tmp_path / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return make
