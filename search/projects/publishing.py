"""Publishing: drafts that become artifacts together, on top of what is the newest at that moment.

Long work goes on in drafts, hidden folders that their owner holds a lock on (`locks.Owner`). The last step is taken
under the project's lock: what somebody else published since the work began is noticed there (`Overtaken`), and the
work is done again on top of it (`on_newest`).
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.projects.artifacts import (
    KIND_NAMES,
    MANIFEST,
    Draft,
    FileRecord,
    Kind,
    Manifest,
    later_id,
    newest_id,
    now,
    read_manifest,
)
from search.projects.dependents import missing_source
from search.projects.errors import BespokeError, Refused
from search.projects.files import (
    PRIVATE_FOLDER,
    flush,
    make_private,
    sha256_of,
    sweep_unwritten,
    write_atomically,
)
from search.projects.info import ProjectInfo, content_of, read_info
from search.projects.journal import Move, bury, carry_out, complete
from search.projects.locks import Owner, is_owned, new_owner, owner_file, sweep_owners
from search.projects.sealed import seal, unseal

VERSIONED: tuple[Kind, ...] = ("corpora", "pairs", "queries")
"""The kinds of which each version follows from the one before."""
_MEASURED: frozenset[Kind] = frozenset(
    {"evaluations", "reports", "maps", "indexes", "vectors", "vocabularies"}
)
"""What is made of artifacts alone: made again, it differs in the seconds that it took, and in nothing that counts."""
GRAVE = "grave"


class Overtaken(Refused):
    """Somebody else published what this work began from, before it was done."""


@dataclass(frozen=True)
class RunMark:
    """The run that this work belongs to, and an equal one before it that could not say how it ended."""

    id: str
    earlier: str | None = None


run_mark: ContextVar[RunMark | None] = ContextVar("run_mark", default=None)
_began: ContextVar[dict[tuple[Path, Kind], str] | None] = ContextVar("began", default=None)


def newest_ids(folder: Path) -> dict[tuple[Path, Kind], str]:
    """The newest versions of a project, by kind."""
    return {(folder, kind): newest_id(folder / kind) for kind in VERSIONED}


@contextmanager
def beginning_from_now(folder: Path) -> Iterator[None]:
    """What the block publishes, it makes from what is the newest in the project now."""
    token = _began.set({**(_began.get() or {}), **newest_ids(folder)})
    try:
        yield
    finally:
        _began.reset(token)


@contextmanager
def unless_deleted(folder: Path) -> Iterator[None]:
    """What fails since somebody deleted a version that was the newest was overtaken.

    :param folder: of the project.
    :raises Overtaken: then; it can be done again, with what is the newest now.
    """
    began = newest_ids(folder)
    try:
        yield
    except (BespokeError, OSError, sqlite3.Error) as error:
        gone = any(one and not (folder / kind / one).is_dir() for (_, kind), one in began.items())
        if not gone or not folder.is_dir() or isinstance(error, Overtaken):
            raise
        raise Overtaken(
            f"What this began from was deleted in {folder.name!r} meanwhile. Do it again: it then begins from what is "
            "the newest now."
        ) from error


def has_begun(folder: Path) -> bool:
    """Whether this work is inside of `beginning_from_now`."""
    return (folder, VERSIONED[0]) in (_began.get() or {})


class Drafts:
    """The artifacts of one `publish_together` block.

    :param folder: of the project.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._drafts: list[Draft] = []
        self._hidden: list[Path] = []
        self._owner: Owner | None = None
        self._changes: Callable[[ProjectInfo], Mapping[str, Any]] | None = None
        began = _began.get()
        self._began = began if began is not None and has_begun(folder) else newest_ids(folder)

    def add(self, kind: Kind, made_from: dict[str, str] | None = None, **details: Any) -> Draft:
        """Begin one more artifact in a hidden folder of its own."""
        if self._owner is None:
            sweep(self._folder)
            self._owner = Owner.take(new_owner(self._folder.parent))
        parent = self._folder / kind
        while True:
            parent.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
            identity = later_id(newest_id(parent))
            folder = parent / f".{identity}.{self._owner.path.stem}.tmp"
            try:
                folder.mkdir(PRIVATE_FOLDER)
            except FileNotFoundError:  # Whose work was refused took the empty folder away.
                continue
            break
        draft = Draft(identity, kind, folder, dict(made_from or {}), dict(details))
        self._drafts.append(draft)
        self._hidden.append(folder)
        return draft

    def change(self, changes: Callable[[ProjectInfo], Mapping[str, Any]]) -> None:
        """Change fields of project.json in the same step.

        :param changes: the new fields, worked out of what it says at that moment.
        """
        self._changes = changes

    def seal(self) -> None:
        """Hash and flush every file and folder, then write each manifest."""
        mark = run_mark.get()
        for draft in self._drafts:
            files = {}
            make_private(draft.folder)  # A library may not ask the umask.
            for path in sorted(draft.folder.rglob("*")):
                if path.is_file():
                    name = path.relative_to(draft.folder).as_posix()
                    files[name] = FileRecord(size=path.stat().st_size, sha256=sha256_of(path))
                flush(path)
            manifest = Manifest(
                id=draft.id,
                kind=draft.kind,
                created=now(),
                made_from=draft.made_from,
                details=draft.details,
                files=files,
                run=mark.id if mark else "",
            )
            write_atomically(draft.folder / MANIFEST, seal(manifest.model_dump_json(indent=2)))
            flush(draft.folder)

    def release(self, create: str | None) -> None:
        """Give each artifact its id, all or none. The project's lock is held.

        What an equal run published before it was killed is not published a second time: the drafts become that.

        :param create: the content of project.json, of a project that does not exist yet.
        :raises Overtaken: when one of them is not made from the newest any more.
        :raises Refused: when what one of them cannot stand without was deleted meanwhile.
        """
        complete(self._folder)
        if not self._drafts:
            if create is not None:
                carry_out(self._folder, [], create)
            return
        if self._is_adopted():
            if self._changes is not None:
                carry_out(self._folder, [], settings=self._changed())
            return
        self._require_newest()
        self._require_sources()
        moves = [Move(kind=d.kind, before=d.folder.name, after=d.id) for d in self._drafts]
        carry_out(self._folder, moves, create, self._changed())
        for draft in self._drafts:
            draft.folder = draft.folder.with_name(draft.id)
            self._began[self._folder, draft.kind] = (
                draft.id
            )  # What this work makes next begins from that.

    def _changed(self) -> str | None:
        """What project.json will say; None where nothing of it changes."""
        if self._changes is None:
            return None
        info = read_info(self._folder)
        return content_of(info.model_copy(update=dict(self._changes(info))))

    def clean(self) -> None:
        """Remove what was not released, and be its owner no longer."""
        for folder in self._hidden:
            shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):
                folder.parent.rmdir()  # Only where nothing else is in it.
        if self._owner is not None:
            self._owner.release()

    def _require_newest(self) -> None:
        kinds = {draft.kind for draft in self._drafts}
        for kind in (kind for kind in VERSIONED if kind in kinds):
            if newest_id(self._folder / kind) != self._began[self._folder, kind]:
                raise Overtaken(
                    f"Another {KIND_NAMES[kind]} was published in {self._folder.name!r} at the same time, so "
                    "nothing was published. Do it again: it then begins from that one."
                )

    def _require_sources(self) -> None:
        """See that nothing is published of what was deleted meanwhile: it may hold texts of it."""
        new = frozenset(draft.id for draft in self._drafts)
        for draft in self._drafts:
            missing = missing_source(self._folder, draft.kind, draft.made_from, new)
            if missing is not None:
                kind, identity = missing
                raise Refused(
                    f"The {KIND_NAMES[kind]} {identity} of {self._folder.name!r}, from which this "
                    f"{KIND_NAMES[draft.kind]} was made, was deleted meanwhile. Nothing was published."
                )

    def _is_adopted(self) -> bool:
        """Whether an equal run before this one published just these; then the drafts are known by those ids."""
        mark = run_mark.get()
        if mark is None or mark.earlier is None:
            return False
        earlier = published_by(self._folder, mark.earlier)
        same: list[Manifest] = []
        for draft in self._drafts:
            manifest = read_manifest_of_draft(draft)
            names = {d.id: m.id for d, m in zip(self._drafts, same, strict=False)}
            made = {part: names.get(whole, whole) for part, whole in manifest.made_from.items()}
            found = next((m for m in earlier if _is_same(m, manifest, made)), None)
            if found is None:
                return False
            same.append(found)
        for draft, manifest in zip(self._drafts, same, strict=True):
            draft.id = manifest.id
            draft.folder = draft.folder.with_name(manifest.id)
        return True


def read_manifest_of_draft(draft: Draft) -> Manifest:
    """What a sealed draft says of itself."""
    return Manifest.model_validate_json(unseal((draft.folder / MANIFEST).read_bytes()))


def _is_same(known: Manifest, made: Manifest, made_from: Mapping[str, str]) -> bool:
    """Whether an artifact is what was made again by the same command: of equal content, or of equal parts."""
    if known.kind != made.kind:
        return False
    if known.kind in _MEASURED:
        return known.made_from == made_from
    return known.fingerprint == made.fingerprint


def published_by(folder: Path, run: str) -> list[Manifest]:
    """What a run published in a project and is still there, the oldest first.

    :param folder: of the project.
    """
    made = []
    for kind in KIND_NAMES:
        parent = folder / kind
        if not parent.is_dir():
            continue
        # Ids sort by time: what is older than the run is not of it.
        names = (f.name for f in parent.iterdir() if f.name > run)
        for name in names:
            with suppress(BespokeError):
                manifest = read_manifest(parent / name)
                made += [manifest] if manifest.run == run else []
    return sorted(made, key=lambda manifest: manifest.id)


def was_made_before(manifest: Manifest) -> bool:
    """Whether an artifact is of an equal run before this one, which could not say how it ended."""
    mark = run_mark.get()
    return mark is not None and bool(manifest.run) and manifest.run == mark.earlier


def remove_together(folder: Path, manifests: Sequence[Manifest]) -> None:
    """Delete artifacts: they vanish together, then their files go. The project's lock is held."""
    if not manifests:
        return
    graves = {m.id: f".{m.id}.{GRAVE}.tmp" for m in manifests}
    carry_out(folder, [Move(kind=m.kind, before=m.id, after=graves[m.id]) for m in manifests])
    for manifest in manifests:
        bury(folder / manifest.kind / graves[manifest.id])


def discard(folder: Path) -> None:
    """Delete a damaged artifact by its folder: it vanishes at once, then its files go."""
    grave = folder.with_name(f".{folder.name}.{GRAVE}.tmp")
    folder.rename(grave)
    bury(grave)


def sweep(folder: Path) -> None:
    """Remove what killed processes left: drafts without an owner, and graves.

    It needs no lock: a draft is there only as long as its owner is.
    """
    for parent in (folder, *folder.glob("[!.]*/"), *folder.glob("judgments/copies/")):
        sweep_unwritten(parent)
    for leftover in folder.glob("*/.*.tmp"):
        owner = leftover.name.split(".")[-2]
        if owner == GRAVE or not is_owned(owner_file(folder.parent, owner)):
            shutil.rmtree(leftover, ignore_errors=True)
    sweep_owners(folder.parent)
