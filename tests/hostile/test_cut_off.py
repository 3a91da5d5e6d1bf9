"""Work that is cut off at any moment leaves the project as it was, and the next attempt succeeds."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import making
import pytest

from search.corpus import current_corpus
from search.workspace import project

REPOSITORY = Path(__file__).resolve().parents[2]
ROWS = 20_000
MOMENTS = (
    0,
    10_000,
    ROWS - 200,
)  # Documents read when the signal is sent; the last is close to the end.


@pytest.fixture
def large(write):
    rows = "\n".join(
        f"d{n},{'case' if n % 3 else 'blog'},The tenant number {n} pays the rent of month {n % 12} late."
        for n in range(ROWS)
    )
    return write("large.csv", f"id,kind,text\n{rows}\n")


def _cut_off(reached: Callable[[str], bool], how: signal.Signals, *arguments: object) -> int:
    """Start a command, signal it as soon as it says that it is there, and wait for its end.

    :returns: its exit status; 0 when it was faster than the signal.
    """
    runs = Path(os.environ["BESPOKE_HOME"]) / "lab" / "runs"
    known = set(runs.iterdir())
    process = subprocess.Popen(
        [sys.executable, "cli.py", *map(str, arguments)],
        cwd=REPOSITORY,
        env=dict(os.environ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None:
        for folder in set(runs.iterdir()) - known:
            try:
                message = json.loads((folder / "status.json").read_text())["message"]
            except (OSError, ValueError, KeyError):
                continue
            if reached(message):
                process.send_signal(how)
                return process.wait(60)
        time.sleep(0.002)
    return process.returncode


def _read(message: str) -> int:
    found = re.match(r"reading large\.csv: ([\d,]+) documents", message)
    return int(found[1].replace(",", "")) if found else -1


def _as_it_was(tree) -> dict[str, bytes | None]:
    home = project("lab").folder
    return {name: held for name, held in tree(home).items() if not name.startswith("runs")}


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=lambda s: s.name)
@pytest.mark.parametrize("moment", MOMENTS)
def test_adding(command, lab, large, tree, moment, how):
    before = _as_it_was(tree)
    status = _cut_off(
        lambda message: _read(message) >= moment or message.startswith("indexing"),
        how,
        "add",
        lab,
        large,
    )
    after = _as_it_was(tree)
    if status == 0:
        assert moment == MOMENTS[-1], "only the last signal may come too late"
        assert len(current_corpus(project(lab))[1]) == 3 + ROWS
        return
    assert status == (1 if how == signal.SIGTERM else -signal.SIGKILL)
    left = [name for name in after if name not in before]
    assert all(Path(name).parts[1].startswith(".") for name in left), (
        "only a hidden draft may be left"
    )
    assert how == signal.SIGKILL or not left
    assert {name: after[name] for name in before} == before
    assert current_corpus(project(lab))[1].ids() == ["x", "y", "z"]
    done = command("add", lab, large)
    assert done.status == 0, done.err
    assert len(current_corpus(project(lab))[1]) == 3 + ROWS
    hidden = list(project(lab).folder.glob("*/.*.tmp"))
    assert hidden == [], "the next publish sweeps up what was left"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=lambda s: s.name)
def test_pairs(command, lab, write, tree, how):
    path = write("pairs.json", making.pairs(3_000))
    before = _as_it_was(tree)
    _cut_off(
        lambda message: message.startswith("splitting"), how, "pairs", lab, path, "--add-responses"
    )
    visible = {
        name: held
        for name, held in _as_it_was(tree).items()
        if not any(part.startswith(".") for part in Path(name).parts) and name != "pairs"
    }
    assert visible == before
    assert command("pairs", lab, path, "--add-responses").status == 0
    assert project(lab).newest("pairs") is not None
