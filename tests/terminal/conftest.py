"""Projects, files and refusals for tests of the terminal: typed in this process, but where a process is the point."""

import re
import shutil

import pytest

PROGRESS = re.compile(
    r"(reading|splitting|keeping|searching|indexing|loading) |\d+ pairs read from "
    r"|\d+ test queries in .* would show a gain|.* decides; less than "  # What is said before the work.
)


@pytest.fixture(scope="session")
def made_before(tmp_path_factory):
    """Where the workspace of `lab` is put by who makes it first."""
    return tmp_path_factory.mktemp("lab") / "workspace"


@pytest.fixture
def lab(call_cli, tiny_beir, workspace, made_before):
    """A project with a corpus, pairs and a query set."""
    if made_before.is_dir():
        shutil.copytree(made_before, workspace)
        return "lab"
    made = call_cli("import", "lab", tiny_beir)
    assert (made.status, made.out) == (
        0,
        "40 documents, 60 pairs to train on, 8 dev queries, 20 test queries.\n",
    )
    shutil.copytree(workspace, made_before)
    return "lab"


@pytest.fixture
def write(tmp_path):
    def run(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return run


@pytest.fixture
def refused(call_cli, workspace, tree):
    """Runs a command that must be refused: exit status 2, one line, the workspace as it was."""

    def run(*arguments, status=2, ignore_runs=False):
        before = tree(workspace)
        done = call_cli(*arguments)
        after = tree(workspace)
        if ignore_runs:
            before, after = (
                {name: content for name, content in photo.items() if "/runs/" not in name}
                for photo in (before, after)
            )
        assert done.status == status, done.err
        assert after == before
        assert done.out == ""
        assert "Traceback" not in done.err
        lines = [line for line in done.err.splitlines() if not PROGRESS.match(line)]
        assert len(lines) == 1, done.err
        assert not any(name in lines[0] for name in ("Error", "Exception", "Errno"))
        return lines[0]

    return run
