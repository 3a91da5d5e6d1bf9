"""The harness of faults does what it says (`tests/reliability/test_faults.py` tries all commands with it), and twenty
writers at once lose no document."""

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from faults import REPOSITORY, Ended, Faults, faults

from search.corpus.corpus import Corpus
from search.corpus.ingest import add_documents
from search.projects.project import project_to_be

pytestmark = pytest.mark.slow

MODULES = (
    "search.corpus.ingest",
    "search.models.chunking",
    "search.models.legibility",
    "search.projects.run_recorder",
    "training.data.intake",
)


@pytest.fixture(scope="module")
def disk():
    with faults(*MODULES) as process:
        yield process


def leftovers(home: Path) -> list[str]:
    """Hidden files and folders, and owners of nothing."""
    meant = (".locks", ".logs")
    found = [path.relative_to(home) for path in home.rglob(".*") if path.name not in meant]
    return sorted(map(str, [*found, *home.glob(".locks/*.owner")]))


def _first(kinds: Sequence[str], *wanted: str) -> int:
    """The number of the first change that is followed by just these."""
    size = len(wanted)
    return next(i + 1 for i in range(len(kinds)) if tuple(kinds[i : i + size]) == wanted)


def test_the_harness_counts_and_disturbs_what_it_should(disk: Faults, tmp_path, tiny_beir) -> None:
    asked = ("import", "lab", str(tiny_beir))
    ended: Ended = disk.run(tmp_path / "a", *asked)
    assert {"open", "write", "rename", "mkdir", "rmdir", "unlink", "fsync", "sqlite"} <= set(
        ended.kinds
    )
    killed = disk.run(tmp_path / "b", *asked, at=_first(ended.kinds, "write", "fsync"))
    assert killed.status == -9
    (half,) = (tmp_path / "b").rglob(".status.json.*")
    with pytest.raises(ValueError, match=r"."):
        json.loads(half.read_text())
    full = disk.run(tmp_path / "c", *asked, at=1, how="ENOSPC")
    assert full.status == 1 and "No space left" in full.err


def test_twenty_command_lines_and_threads_at_once_lose_no_document(
    tmp_path, workspace, monkeypatch
) -> None:
    """Sixteen that call the core and four real command lines, all on one project."""
    home = project_to_be("lab")
    files = []
    for number in range(20):
        files.append(tmp_path / f"{number}.csv")
        rows = "".join(f"{number}-{row},text {row} of file {number}\n" for row in range(5))
        files[-1].write_text("id,text\n" + rows)
    processes = [
        subprocess.Popen(
            [sys.executable, "cli.py", "add", "lab", str(path), "--passage-tokens", "0"],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for path in files[16:]
    ]
    errors: list[BaseException] = []

    def add(path: Path) -> None:
        try:
            add_documents(home, [path])
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=add, args=(path,)) for path in files[:16]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for process in processes:
        out, _ = process.communicate()
        assert process.returncode == 0
        assert "5 documents added" in out
    assert errors == []
    made = home.manifests("corpora")
    assert [m.details["documents"] for m in made] == [5 * n for n in range(1, 21)]
    assert [m.made_from.get("corpus") for m in made] == [None, *(m.id for m in made[:-1])]
    ids = set(Corpus.of(home, made[-1]).ids())
    assert ids == {f"{number}-{row}" for number in range(20) for row in range(5)}
    assert leftovers(workspace) == []
