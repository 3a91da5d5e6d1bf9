"""Cancelled or killed at each stage of the work: the project is as it was, and the next attempt succeeds."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import held
import making
import pytest

from search.corpus.corpus import current_corpus
from search.projects.project import project

HELD = Path(held.__file__)
STAGES = ("reading", "sorting what came in", "indexing metadata", held.SEALED)
SIGNALS = [signal.SIGTERM, signal.SIGKILL]
BEIR_STAGES = ("keeping training and test apart", held.SEALED)


def _stopped(moment: str, how: signal.Signals, *arguments: object) -> str:
    """Run a command up to a moment, send it a signal there, and return what it said on stderr."""
    process = subprocess.Popen(
        [sys.executable, str(HELD), moment, *map(str, arguments)],
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "held\n", process.communicate()
        process.send_signal(how)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert out == ""
    assert process.returncode == (1 if how == signal.SIGTERM else -signal.SIGKILL)
    return err


def _artifacts(tree, name: str) -> dict[str, bytes | None]:
    """All that is published in a project, and project.json: neither runs nor hidden drafts."""
    held_now = tree(project_folder(name))
    return {
        path: content
        for path, content in held_now.items()
        if content is not None and not path.startswith("runs/") and "/." not in path
    }


def project_folder(name: str) -> Path:
    return Path(os.environ["BESPOKE_HOME"]) / name


def _drafts(name: str) -> list[Path]:
    return list(project_folder(name).glob("*/.*"))


@pytest.mark.sample(2)
@pytest.mark.parametrize("how", SIGNALS, ids=lambda s: s.name)
@pytest.mark.parametrize("stage", STAGES)
def test_add(command, lab, write, tree, stage, how):
    before = _artifacts(tree, lab)
    path = write("more.csv", "id,text\nm,more rent\nn,no rent\n")
    said = _stopped(stage, how, "add", lab, path)
    assert _artifacts(tree, lab) == before
    if how == signal.SIGTERM:
        assert said.splitlines()[-1] == "Cancelled. Nothing was published."
        assert _drafts(lab) == []
    found = command("search", lab, "two", "--model", "bm25")
    assert (found.status, "  y  two" in found.out) == (0, True), found.out
    assert command("add", lab, path).status == 0
    assert current_corpus(project(lab))[1].ids() == ["x", "y", "z", "m", "n"]
    assert _drafts(lab) == []


@pytest.mark.sample(1)
@pytest.mark.parametrize("stage", ["splitting without leaks", held.SEALED])
def test_pairs_killed(command, lab, write, tree, stage):
    before = _artifacts(tree, lab)
    path = write("pairs.json", making.pairs(20))
    _stopped(stage, signal.SIGKILL, "pairs", lab, path, "--add-responses")
    assert _artifacts(tree, lab) == before
    done = command("pairs", lab, path, "--add-responses")
    assert done.status == 0, done.err
    assert len(current_corpus(project(lab))[1]) == 23
    assert _drafts(lab) == []


@pytest.mark.sample(2)
@pytest.mark.parametrize("how", SIGNALS, ids=lambda s: s.name)
@pytest.mark.parametrize("stage", BEIR_STAGES)
def test_a_new_project(command, tiny_beir, tree, stage, how):
    _stopped(stage, how, "import", "new", tiny_beir)
    assert _artifacts(tree, "new") == {}
    assert command("projects").out == ""
    assert command("import", "new", tiny_beir).status == 0
    assert len(current_corpus(project("new"))[1]) == 40
    assert _drafts("new") == []
