"""Projects, files and refusals for tests of the terminal. All of them run cli.py in a process of its own, as a person does."""

import re

import pytest

PROGRESS = re.compile(
    r"(reading|splitting|keeping|searching|indexing|loading) |\d+ pairs read from "
)


@pytest.fixture
def lab(run_cli, tiny_beir):
    """A project with a corpus, pairs and a query set."""
    made = run_cli("import", "lab", tiny_beir)
    assert (made.returncode, made.stdout) == (
        0,
        "40 documents, 60 pairs to train on, 8 dev queries, 20 test queries.\n",
    )
    return "lab"


@pytest.fixture
def write(tmp_path):
    def run(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return run


@pytest.fixture
def refused(run_cli, workspace, tree):
    """Runs a command that must be refused: exit status 2, one line, the workspace as it was."""

    def run(*arguments, status=2, ignore_runs=False):
        before = tree(workspace)
        done = run_cli(*arguments)
        after = tree(workspace)
        if ignore_runs:
            before, after = (
                {name: content for name, content in photo.items() if "/runs/" not in name}
                for photo in (before, after)
            )
        assert done.returncode == status, done.stderr
        assert after == before
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        lines = [line for line in done.stderr.splitlines() if not PROGRESS.match(line)]
        assert len(lines) == 1, done.stderr
        assert not any(name in lines[0] for name in ("Error", "Exception", "Errno"))
        return lines[0]

    return run
