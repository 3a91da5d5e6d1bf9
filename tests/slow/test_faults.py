"""Killed before any change to the disk, or with a disk that is full or broken from there on: nothing is lost or half there.

After each fault every project opens, nothing is half visible, and the same command again ends in the state of one that
nobody disturbed, with nothing left over.
"""

import json
import random
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from faults import REPOSITORY, Ended, Faults, faults

from search.corpus.corpus import Corpus
from search.corpus.ingest import add_documents
from search.projects.project import project_to_be, projects, unusable_projects
from search.projects.runs import OVER, runs

pytestmark = pytest.mark.slow

SEED = 20261130
KINDS = ("corpora", "pairs", "queries")
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


def versions(home: Path) -> dict[str, list[int]]:
    """What each project of a workspace holds: how many versions of each kind, and the documents of each corpus."""
    return {
        project.name: [len(project.manifests(kind)) for kind in KINDS]
        + [manifest.details["documents"] for manifest in project.manifests("corpora")]
        for project in projects()
    }


def leftovers(home: Path) -> list[str]:
    """Hidden files and folders, and owners of nothing."""
    meant = (".locks", ".logs")
    found = [path.relative_to(home) for path in home.rglob(".*") if path.name not in meant]
    return sorted(map(str, [*found, *home.glob(".locks/*.owner")]))


def command(name: str, tmp_path: Path, tiny_beir: Path) -> tuple[str, ...]:
    if name == "import":
        return "import", "lab", str(tiny_beir)
    path = tmp_path / "a.csv"
    path.write_text("id,text\n1,velkorin and frost\n2,a second document\n")
    return "add", "lab", str(path)


def _first(kinds: Sequence[str], *wanted: str) -> int:
    """The number of the first change that is followed by just these."""
    size = len(wanted)
    return next(i + 1 for i in range(len(kinds)) if tuple(kinds[i : i + size]) == wanted)


def points(total: int, how: str, count: int) -> list[int]:
    """Some of the changes that a command makes, drawn with a fixed seed."""
    return sorted(random.Random(f"{SEED} {how}").sample(range(1, total + 1), count))


@pytest.mark.parametrize(
    ("name", "how", "count"),
    [
        ("add", "kill", 3),
        ("add", "ENOSPC", 1),
        ("add", "EIO", 1),
        ("import", "kill", 6),
        ("import", "ENOSPC", 3),
        ("import", "EIO", 2),
    ],
)
def test_a_fault_leaves_what_was_there_or_what_was_asked_for(
    disk: Faults, name: str, how: str, count: int, tmp_path, tiny_beir, monkeypatch
) -> None:
    asked = command(name, tmp_path, tiny_beir)
    whole = tmp_path / "undisturbed"
    undisturbed = disk.run(whole, *asked)
    assert undisturbed.status == 0, undisturbed.err
    monkeypatch.setenv("BESPOKE_HOME", str(whole))
    wanted = versions(whole)
    assert leftovers(whole) == []
    for at in points(undisturbed.points, how, count):
        home = tmp_path / f"{at}"
        monkeypatch.setenv("BESPOKE_HOME", str(home))
        disturbed = disk.run(home, *asked, at=at, how=how)
        where = f"{how} before change {at}: {undisturbed.kinds[at - 1]}"
        expected = (-9,) if how == "kill" else (0, 1)
        assert disturbed.status in expected, (where, disturbed)
        assert "Traceback" not in disturbed.err, where
        assert unusable_projects() == [], where
        seen = versions(home)
        assert seen in ({}, {"lab": [0, 0, 0]}, wanted), where
        if disturbed.status == 0 or (seen and runs(projects()[0])[0].read().state == "done"):
            assert seen == wanted, where
            continue  # It was done, so asking again is another wish.
        again = disk.run(home, *asked)
        assert again.status == 0, (where, again)
        assert versions(home) == wanted, where
        assert leftovers(home) == [], where
        assert all(run.status.state in OVER for run in runs(projects()[0])), where


def test_the_harness_counts_and_disturbs_what_it_should(disk: Faults, tmp_path, tiny_beir) -> None:
    asked = command("import", tmp_path, tiny_beir)
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
