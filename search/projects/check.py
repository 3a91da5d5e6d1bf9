"""Looking over everything on disk: what is damaged, left over or belongs to nothing, and what repair would do.

Repair never deletes what could be somebody's only copy: that is set aside, into a hidden folder of the project. What
goes are deletions and drafts that were cut off, and what is made again by itself.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import get_args

from search.projects import audit, graves
from search.projects.artifacts import KIND_NAMES, MANIFEST, Kind, Manifest, new_id, read_manifest
from search.projects.backup_archive import VOTES
from search.projects.errors import BespokeError, Damaged, OtherFormat, in_words
from search.projects.files import PRIVATE_FOLDER, flush, sha256_of
from search.projects.journal import JOURNAL
from search.projects.ledger import files as ledger_files
from search.projects.ledger import problem_in_note
from search.projects.locks import is_owned, owner_file
from search.projects.project import Project
from search.projects.publishing import GRAVE, sweep
from search.projects.restore import RESTORING, staging_owner, sweep_restoring
from search.projects.runs import UNREADABLE, runs
from search.projects.scratch import left_in_scratch, sweep_scratch

ASIDE = ".aside"
_MADE_AGAIN: tuple[Kind, ...] = ("indexes", "vectors", "vocabularies", "maps")
_SOURCES: tuple[Kind, ...] = ("corpora", "pairs", "queries", "models")


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be: `where` it is, the `problem`, and what repair does, in words.

    `repair` is empty where nothing can be done by itself; then `problem` says what a person can do. What is only
    `left_over` does no harm.
    """

    where: Path
    problem: str
    repair: str = ""
    act: Callable[[], object] | None = None
    left_over: bool = False

    @property
    def sentence(self) -> str:
        """The finding in a line."""
        return f"{self.where}: {self.problem}" + (f" Repair: {self.repair}" if self.repair else "")

    def as_json(self) -> dict[str, str]:
        """The finding as `check --json` prints it."""
        return {"where": str(self.where), "problem": self.problem, "repair": self.repair}


def check_project(
    project: Project, problem_in_votes: Callable[[Path], str | None]
) -> Iterator[Finding]:
    """Everything of a project, read from the disk: nothing that was known of a file before counts.

    :param problem_in_votes: says what is wrong with a file of votes, which this floor knows nothing of.
    """
    try:
        _ = project.info
    except OtherFormat as error:
        yield Finding(project.folder, str(error))
        return
    except BespokeError as error:
        yield Finding(
            project.folder / "project.json",
            str(error),
            "it is written anew with the usual settings; the damaged one stays beside it.",
            project.renew,
        )
    sound: list[Manifest] = []
    for kind in get_args(Kind):
        for folder in project.folders(kind):
            try:
                manifest = read_manifest(folder)
            except Damaged as damaged:
                yield _damaged(project, kind, folder, damaged.what)
                continue
            problem = _problem_in(folder, manifest)
            if problem is None:
                sound.append(manifest)
            else:
                yield _damaged(project, kind, folder, problem)
    yield from _orphans(project, sound)
    yield from _ledger(project)
    yield from _votes(project, problem_in_votes)
    yield from _left_over(project)
    yield from _runs(project)


def check_workspace(home: Path) -> Iterator[Finding]:
    """What belongs to no project: deletions and restorings that were cut off, and leftovers in the temporary folder."""
    for grave in sorted(home.glob(graves.PROJECT_GRAVES)):
        yield Finding(
            grave,
            "A deleted project, cut off while its files went.",
            "it is removed.",
            partial(graves.sweep, home),
            left_over=True,
        )
    for folder in sorted(home.glob(RESTORING)):
        if not is_owned(staging_owner(folder)):
            yield Finding(
                folder,
                "A restoring that was cut off.",
                "it is removed.",
                partial(sweep_restoring, home),
                left_over=True,
            )
    yield from _audit_log()
    for folder in left_in_scratch():
        yield Finding(
            folder, "Left by a killed process.", "it is removed.", sweep_scratch, left_over=True
        )
    for folder in sorted(home.glob("[!.]*")):
        if folder.is_dir() and not Project(folder).exists:
            empty = not any(path.is_file() for path in folder.rglob("*"))
            yield Finding(
                folder,
                "A folder without a project."
                + ("" if empty else " Look into it; it can be deleted: python cli.py delete."),
                "it is removed, being empty." if empty else "",
                Project(folder).discard_if_empty if empty else None,
                left_over=True,
            )


def repair(findings: Sequence[Finding]) -> list[str]:
    """Do what the findings say that repair does; returns a sentence on each, whether it was done or why not."""
    said = []
    for finding in findings:
        if finding.act is None:
            continue
        try:
            finding.act()
        except (BespokeError, OSError) as error:
            why = in_words(error) if isinstance(error, OSError) else str(error)
            said.append(f"{finding.where}: not repaired: {why}")
        else:
            said.append(f"{finding.where}: repaired: {finding.repair}")
    return said


def set_aside(project: Project, path: Path) -> Path:
    """Move something of a project out of the way, and keep it.

    :returns: where it is now.
    """
    with project.locked():
        target = project.folder / ASIDE / f"{new_id()}-{path.parent.name}-{path.name}"
        target.parent.mkdir(PRIVATE_FOLDER, exist_ok=True)
        path.rename(target)
        flush(path.parent)
        flush(target.parent)
    return target


def _problem_in(folder: Path, manifest: Manifest) -> str | None:
    """What is wrong with the files of an artifact, in a sentence; None where they are as they were written."""
    for name, record in manifest.files.items():
        path = folder / name
        try:
            if path.is_symlink() or not path.is_file():
                return f"{name} is missing, or no file."
            if path.stat().st_size != record.size or sha256_of(path) != record.sha256:
                return f"{name} is not as it was written."
        except OSError as error:
            return f"{name} cannot be read: {in_words(error)}."
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir()}
    if more := sorted(there - manifest.files.keys() - {MANIFEST}):
        return f"{more[0]} is in it, and was not published with it."
    return None


def _damaged(project: Project, kind: Kind, folder: Path, problem: str) -> Finding:
    what = f"The {KIND_NAMES[kind]} is damaged: {problem}"
    if kind in _MADE_AGAIN:
        after = "it is made again when it is needed"
    elif kind in _SOURCES:
        after = "bring it back from a backup; until then an earlier one, if there is one, is the current one"
    else:
        after = "it can be made again"
    return Finding(
        folder,
        what,
        f"it is set aside, in {project.folder / ASIDE}; {after}.",
        partial(set_aside, project, folder),
    )


def _orphans(project: Project, sound: Sequence[Manifest]) -> Iterator[Finding]:
    """What is made again by itself, of what is there no more: nobody can use it."""
    ids = {folder.name for kind in get_args(Kind) for folder in project.folders(kind)}
    # What was set aside may be brought back: what was made of it stays.
    ids |= {"-".join(path.name.split("-")[-4:]) for path in (project.folder / ASIDE).glob("*")}
    for manifest in sound:
        if manifest.kind not in _MADE_AGAIN:
            continue
        parts = {"corpus", "queries"} if manifest.kind != "vectors" else set()
        gone = [
            f"{part} {name}"
            for part, name in manifest.made_from.items()
            if part in parts and name not in ids
        ]
        if gone:
            yield Finding(
                project.folder_of(manifest),
                f"It was made from what is gone: {', '.join(gone)}.",
                "it is deleted.",
                partial(graves.bury, project, [f"{manifest.kind}/{manifest.id}"]),
            )


def _votes(project: Project, problem_in: Callable[[Path], str | None]) -> Iterator[Finding]:
    path = project.folder / VOTES
    problem = None
    if path.is_file():
        problem = problem_in(path)
    elif os.path.lexists(path) or any(path.parent.glob("copies/*.sqlite")):
        problem = "the file is gone, or is no file"
    if problem is not None:
        yield Finding(
            path,
            f"The votes are damaged: {problem}. They stay as they are. To bring the newest whole copy back, with what can be "
            f"read of later votes: python cli.py judgments '{project.name}' --restore.",
        )


def _ledger(project: Project) -> Iterator[Finding]:
    for path in ledger_files(project.folder):
        try:
            problem = problem_in_note(path.read_bytes())
        except OSError as error:
            problem = in_words(error)
        if problem is not None:
            yield Finding(
                path,
                f"What was measured and what is sealed cannot be read: {problem}. Bring it back from a backup; nothing is "
                "measured without it.",
            )


def _left_over(project: Project) -> Iterator[Finding]:
    folder = project.folder
    if os.path.lexists(folder / JOURNAL):
        yield Finding(
            folder / JOURNAL,
            "A publish or a deletion that was cut off.",
            "it is completed.",
            project.complete,
            left_over=True,
        )
    for draft in sorted(folder.glob("*/.*.tmp")):
        owner = draft.name.split(".")[-2]
        if owner == GRAVE or not is_owned(owner_file(folder.parent, owner)):
            yield Finding(
                draft,
                "Left by a killed process.",
                "it is removed.",
                partial(_sweep, project),
                left_over=True,
            )
    aside = folder / ASIDE
    if aside.is_dir():
        count = sum(1 for _ in aside.iterdir())
        yield Finding(
            aside,
            f"{count:,} damaged parts were set aside. Delete that folder when they are not wanted any more.",
            left_over=True,
        )


def _sweep(project: Project) -> None:
    with project.locked():
        sweep(project.folder)


def _runs(project: Project) -> Iterator[Finding]:
    for run in runs(project):
        with suppress(OSError):
            if not run.arguments or run.read().message == UNREADABLE:
                yield Finding(
                    run.folder,
                    "The record of a run is damaged.",
                    f"it is set aside, in {project.folder / ASIDE}.",
                    partial(set_aside, project, run.folder),
                )
            elif problem := run.problem_with_events():
                yield Finding(run.events_file, problem, left_over=True)


def _audit_log() -> Iterator[Finding]:
    path = audit.path()
    if os.path.lexists(path) and not path.is_file():
        yield Finding(path, "The audit log is no file: nothing can be noted, so nothing is deleted or judged. Move it away.")  # fmt: skip
    elif broken := audit.broken_lines():
        yield Finding(
            path,
            f"{len(broken):,} lines of the audit log were changed, taken out, or cut short. See python cli.py audit --check.",
            left_over=True,
        )
