"""Deleting, backing up, restoring and renaming, killed before every single change that they make to the disk.

The command runs in a process of its own (a fork), which kills itself by SIGKILL at the wanted change. Then the next
command comes: nothing may be half there, what was acknowledged stays, and the same again ends as if undisturbed.
"""

import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from search.corpus.corpus import embedded_key
from search.judging.store import JudgmentStore, Question
from search.judging.votes import Judgment
from search.models.encoding.cache import EmbeddingStore, store_key
from search.models.registry import models, rename_model
from search.projects.backup import back_up
from search.projects.project import Project, project_to_be, projects
from search.projects.renaming import rename_project
from search.projects.restore import restore
from search.retrieval import deletion
from tests.proofs import draw

KINDS = ("corpora", "pairs", "queries", "models", "indexes", "evaluations")
CHANGES = {
    "os.rename",
    "os.mkdir",
    "os.remove",
    "os.rmdir",
    "os.link",
    "os.truncate",
    "os.chmod",
    "sqlite3.connect",
}
SAMPLE = 6


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """A temporary folder of its own: what is killed leaves nothing in that of the machine."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))


@pytest.fixture
def lab(workspace):
    project = project_to_be("lab").create()
    made = {}
    for kind, parts in (
        ("corpora", ()), ("pairs", ("corpora",)), ("queries", ("corpora",)), ("models", ("corpora",)),
        ("indexes", ("corpora", "models")), ("evaluations", ("corpora", "queries")),
    ):  # fmt: skip
        with project.publish(kind, {part: made[part] for part in parts}) as draft:
            (draft.folder / "queries.jsonl").write_text('{"text": "of a patient"}\n')
            if kind == "models":
                draft.details.update(name="mine", recipe="word2vec", dimension=2, origin="here", format="word-vectors")  # fmt: skip
        made[kind] = project.newest(kind).id
    store = JudgmentStore.of(project)
    store.ask([Question("q", "who?", "typed")])
    store.add([Judgment("Anna", "q", "grade", "d1", "2")])
    with EmbeddingStore.of("f00d", 2) as vectors:
        vectors.add([store_key(embedded_key("of a patient"))], np.ones((1, 2), dtype=np.float32))
    return project


def is_change(event: str, given: tuple[object, ...]) -> bool:
    if event == "open":
        return isinstance(given[2], int) and bool(given[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    return event in CHANGES


def in_process(work, kill_at: int | None = None) -> int:
    """Run work in a fork; returns how many changes it made, or -1 where it was killed before one."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover
        seen = 0

        def hook(event: str, given: tuple[object, ...]) -> None:
            nonlocal seen
            if is_change(event, given):
                if seen == kill_at:
                    os.kill(os.getpid(), signal.SIGKILL)
                seen += 1

        sys.addaudithook(hook)
        try:
            work()
            os.write(writing, str(seen).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        said = answer.read()
    _, status = os.waitpid(child, 0)
    assert said or os.WIFSIGNALED(status), "the work failed"
    return int(said) if said else -1


def holds(home: Path) -> dict[str, object]:
    """All that can be seen of a workspace: projects, their artifacts, votes and names of models."""
    seen = {}
    for project in projects():
        seen[project.name] = (
            {kind: [m.id for m in project.manifests(kind)] for kind in KINDS},
            [judgment.target for judgment in JudgmentStore.of(project).history()],
            [info.name for info in models(project)],
        )
    return seen


def left_over(home: Path) -> list[str]:
    """What belongs to no project and is no log: the remains of something that was cut off."""
    names = [p.relative_to(home).as_posix() for p in home.rglob("*")]
    known = (".locks", ".audit", ".logs", ".embeddings/")
    return [n for n in names if not n.startswith(known) and n != ".embeddings" and any(part.startswith(".") for part in n.split("/"))]  # fmt: skip


WORK = {
    "delete a corpus": lambda home: deletion.delete(
        deletion.planned(Project(home / "lab"), "corpora", Project(home / "lab").newest("corpora").id)
    ),
    "delete the project": lambda home: deletion.delete_project(Project(home / "lab"), vectors=True),
    "back up": lambda home: back_up(Project(home / "lab"), home.parent / "backups" / "file"),
    "restore": lambda home: restore(home.parent / "ready", "second"),
    "rename the project": lambda home: rename_project(Project(home / "lab"), "clinic"),
    "rename a model": lambda home: rename_model(Project(home / "lab"), "mine", "letters"),
}  # fmt: skip
DONE = {
    "delete a corpus": lambda home: Project(home / "lab").newest("corpora") is None,
    "delete the project": lambda home: not Project(home / "lab").folder.exists(),
    "back up": lambda home: (home.parent / "backups" / "file").exists(),
    "restore": lambda home: Project(home / "second").exists,
    "rename the project": lambda home: Project(home / "clinic").exists,
    "rename a model": lambda home: models(Project(home / "lab"))[-1].name == "letters",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("what", WORK)
def test_killed_at_every_change(lab, workspace, tmp_path, what, whole):
    ready, backups = tmp_path / "template", tmp_path / "backups"
    back_up(lab, tmp_path / "ready")
    shutil.copytree(workspace, ready)
    work, is_done = WORK[what], DONE[what]

    def begin_anew() -> None:
        for folder in (workspace, backups):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(ready, workspace)
        backups.mkdir()

    begin_anew()
    before = holds(workspace)
    changes = in_process(lambda: work(workspace))
    after = holds(workspace)
    assert changes >= 5
    assert is_done(workspace)
    assert left_over(workspace) == []
    every = range(changes)
    points = every if whole else sorted(every, key=lambda n: draw(f"{what} {n}"))[:SAMPLE]
    for point in points:
        begin_anew()
        assert in_process(lambda: work(workspace), point) == -1
        deletion.finish_deletions()
        seen = holds(workspace)
        assert seen in (before, after), f"half done when killed at change {point}"
        if not is_done(workspace):
            assert in_process(lambda: work(workspace)) > 0
        assert holds(workspace) == after, f"another end after a kill at change {point}"
        assert is_done(workspace)
        assert left_over(workspace) == [], f"left over after a kill at change {point}"
        assert [p.name for p in backups.iterdir()] in ([], ["file"])
        if what == "delete the project":
            with EmbeddingStore.of("f00d", 2) as vectors:
                assert len(vectors) == 0, f"vectors stay after a kill at change {point}"
