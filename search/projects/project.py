"""Projects on disk: immutable artifacts, published whole or not at all.

An artifact is a folder `<project>/<kind>/<id>` with a manifest.json. It is written into a hidden
temporary sibling, its manifest last, everything flushed to disk, and one rename gives it its id.
A folder without a manifest is not an artifact.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar, cast, get_args

from search.projects.artifacts import (
    KIND_NAMES,
    Draft,
    Kind,
    Manifest,
    is_artifact,
    new_id,
    now,
    problem_with,
    read_manifest,
)
from search.projects.damage import notice
from search.projects.errors import (
    BespokeError,
    Damaged,
    Failed,
    OtherFormat,
    Refused,
    in_words,
)
from search.projects.files import PRIVATE_FOLDER, flush
from search.projects.info import (
    PROJECT_FILE,
    ProjectInfo,
    content_of,
    holds_something,
    read_info,
    write_info,
)
from search.projects.journal import carry_out, complete, pending, unbroken
from search.projects.locks import PATIENCE, exclusive, project_lock
from search.projects.publishing import (
    Drafts,
    Overtaken,
    beginning_from_now,
    has_begun,
    remove_together,
    unless_deleted,
)
from search.projects.settings import settings
from search.text.words import MARKS

_BROUGHT: tuple[Kind, ...] = ("corpora", "pairs", "queries")
_TRIES = 3
Made = TypeVar("Made")
Given = ParamSpec("Given")
_NAME_BYTES = 160  # A file system allows 255, and a deleted project gets a longer name.
_NAME = re.compile(rf"[^\W_][\w{MARKS} .()+-]{{0,79}}", re.UNICODE)


def check_project_name(name: str) -> str:
    """Return `name` when it can name a project.

    :raises Refused: for slashes, leading dots, control characters, or more than 80 characters.
    """
    fits = len(name.encode("utf-8", "replace")) <= _NAME_BYTES
    if not _NAME.fullmatch(name) or name != name.strip() or not fits:
        raise Refused(
            f"{name!r} cannot name a project: use 1 to 80 letters, digits, spaces, or . _ - + ( ), "
            "starting with a letter or digit."
        )
    return name


class Project:
    """One project's folder. Opening it reads nothing but project.json."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name

    @property
    def exists(self) -> bool:
        """Whether the project was created: its project.json is there, or was lost beside what was published."""
        return os.path.lexists(self.folder / PROJECT_FILE) or holds_something(self.folder)

    @property
    def info(self) -> ProjectInfo:
        """The content of project.json.

        :raises Refused: when there is no such project, or its files are of another format.
        :raises Failed: when project.json is damaged, or was lost beside what was published.
        """
        try:
            return read_info(self.folder)
        except FileNotFoundError:
            raise Refused(_none_of_that_name(self.name)) from None

    def locked(self, patience: float = PATIENCE) -> AbstractContextManager[None]:
        """Hold the project's lock while a block runs: nobody else publishes, removes or changes its settings.

        :raises Refused: when somebody else held it all that time (seconds); says who.
        """
        return exclusive(
            project_lock(self.folder.parent, self.name), f"the project {self.name!r}", patience
        )

    def create(self, **facts: Any) -> "Project":
        """Write project.json unless it is there; `facts` are fields of `ProjectInfo`."""
        with self.locked(), unbroken():
            content = self._missing_file(facts)
            if content is not None:
                self.folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
                carry_out(self.folder, [], content)
        return self

    def _missing_file(self, facts: Mapping[str, Any]) -> str | None:
        """What project.json of a new project will say; None where it is there."""
        if self.exists:
            _ = self.info  # Says where it is damaged, or of another format.
            return None
        return content_of(ProjectInfo(name=self.name, created=now(), **facts))

    def renew(self) -> None:
        """Write a project.json with the usual settings where the one that was there was lost or is damaged.

        The damaged one is kept beside it.
        """
        with self.locked():
            with suppress(FileNotFoundError):
                path = self.folder / PROJECT_FILE
                path.rename(path.with_name(f".{PROJECT_FILE}.{new_id()}.damaged"))
            write_info(self.folder, ProjectInfo(name=self.name, created=now()))
            flush(self.folder)

    def change(self, changes: Callable[[ProjectInfo], Mapping[str, Any]]) -> None:
        """Change fields of project.json.

        :param changes: the new fields, worked out of what it says at that moment.
        """
        with self.locked():
            complete(self.folder)
            info = self.info
            write_info(self.folder, info.model_copy(update=dict(changes(info))))
            flush(self.folder)

    def discard_if_empty(self) -> None:
        """Remove the folder of a project that was never created (an import that was refused)."""
        if self.exists or not self.folder.is_dir():
            return
        with self.locked(), suppress(OSError):  # Somebody else may begin in it just now.
            for folder in sorted(self.folder.rglob("*"), key=lambda p: -len(p.parts)):
                if folder.is_dir() and not any(folder.iterdir()):
                    folder.rmdir()
            if not any(self.folder.iterdir()):
                self.folder.rmdir()

    def delete(self) -> None:
        """Remove the project and everything in it; it vanishes at once, then its files go."""
        grave = self.folder.with_name(f".{self.name}.{new_id()}.deleted")
        self.folder.rename(grave)
        shutil.rmtree(grave)

    def manifests(self, kind: Kind) -> list[Manifest]:
        """All artifacts of a kind that can be read, oldest first; damaged ones are noticed and left out."""
        return list(self._sound(kind))[::-1]

    def newest(self, kind: Kind) -> Manifest | None:
        """The artifact of a kind that was made last, or None.

        :raises Damaged: where the last of what was brought is damaged; see `all_where`.
        """
        return next(self._newest_first(kind), None)

    def newest_where(
        self, kind: Kind, details: Mapping[str, Any] = {}, /, **made_from: str | None
    ) -> Manifest | None:
        """The artifact of a kind that was made last of such parts, or None; see `all_where`."""
        return next(self.all_where(kind, details, **made_from), None)

    def all_where(
        self, kind: Kind, details: Mapping[str, Any] = {}, /, **made_from: str | None
    ) -> Iterator[Manifest]:
        """The artifacts of a kind that were made of such parts, the newest first.

        :param details: what its details must hold, by key; None where they must hold no such key.
        :param made_from: the ids of what it was made from, by part; None where it was made without such a part.
            What is not named may be as it is.
        :raises Damaged: at a damaged corpus, set of pairs or query set: one before it must not pass for the current one.
            What is made out of these is made again, so where it is damaged it is noticed and left out.
        """
        for manifest in self._newest_first(kind):
            made = all(manifest.made_from.get(part) == wanted for part, wanted in made_from.items())
            if made and all(manifest.details.get(key) == want for key, want in details.items()):
                yield manifest

    def _newest_first(self, kind: Kind) -> Iterator[Manifest]:
        if kind not in _BROUGHT:
            yield from self._sound(kind)
            return
        for folder in self.folders(kind):
            yield read_manifest(folder)

    def _sound(self, kind: Kind) -> Iterator[Manifest]:
        for folder in self.folders(kind):
            try:
                manifest = read_manifest(folder)
            except Damaged as damaged:
                notice(damaged)
                continue
            yield manifest

    def folders(self, kind: Kind) -> list[Path]:
        """The folders of a kind's artifacts, the newest first. They came with their manifests, by one rename."""
        parent = self.folder / kind
        try:
            found = [f for f in parent.iterdir() if is_artifact(f)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise Failed(f"{parent} cannot be read: {in_words(error)}.") from None
        return sorted(found, reverse=True)

    def damaged(self) -> list[Damaged]:
        """What cannot be listed, kind by kind: artifacts without a manifest that can be read."""
        found = []
        for folder in (f for kind in get_args(Kind) for f in self.folders(kind)):
            try:
                read_manifest(folder)
            except Damaged as damaged:
                found.append(damaged)
        return found

    def artifact(self, kind: Kind, identity: str) -> Manifest:
        """The artifact of a kind with this id.

        :raises Damaged: when it is not there (any more) or cannot be read.
        """
        return read_manifest(self.folder / kind / identity)

    def remove(self, *manifests: Manifest) -> None:
        """Delete artifacts: they vanish at once and together, then their files go (a later publish sweeps up leftovers)."""
        with self.locked(), unbroken():
            complete(self.folder)
            remove_together(self.folder, manifests)

    def folder_of(self, manifest: Manifest) -> Path:
        """Where an artifact's files are."""
        return self.folder / manifest.kind / manifest.id

    def checked(self, manifest: Manifest) -> Path:
        """The artifact's folder, after its files were found whole.

        :raises Damaged: naming the file that is missing, cut short or changed, and what to do.
        """
        folder = self.folder_of(manifest)
        for name, record in manifest.files.items():
            path = folder / name
            problem = problem_with(path, record)
            if problem:
                raise Damaged(
                    f"The {KIND_NAMES[manifest.kind]} {manifest.id} is damaged: {name} {problem}.",
                    folder,
                )
        return folder

    @contextmanager
    def publish(
        self, kind: Kind, made_from: dict[str, str] | None = None, **details: Any
    ) -> Iterator[Draft]:
        """Write one artifact; it appears when the block ends without an error."""
        with self.publish_together() as drafts:
            yield drafts.add(kind, made_from, **details)

    @contextmanager
    def publish_together(self, **facts: Any) -> Iterator[Drafts]:
        """Write several artifacts that appear together or not at all.

        :param facts: fields of project.json, for a project that does not exist yet.
        :raises Overtaken: when a corpus, pairs or queries are published and are not made from the newest any more;
            see `on_newest`.
        """
        drafts = Drafts(self.folder)
        began = self.exists
        try:
            yield drafts
            drafts.seal()
            with self.locked(), unbroken():
                self._require_still_there(began)
                drafts.release(self._missing_file(facts))
        except FileNotFoundError:
            self._require_still_there(began)
            raise
        finally:
            drafts.clean()
            self.discard_if_empty()

    def _require_still_there(self, began: bool) -> None:
        """See that a project was not deleted while somebody worked in it: nothing may bring it back.

        :param began: whether it was there when the work began.
        """
        if began and not self.exists:
            raise self.is_gone()

    def is_gone(self) -> Refused:
        """What is said to somebody who works in a project that was deleted meanwhile."""
        return Refused(
            f"The project {self.name!r} is gone: somebody deleted or renamed it. Nothing was published."
        )

    def on_newest(self, work: Callable[[], Made]) -> Made:
        """Do work that makes a new version out of the newest one, again where somebody else was faster.

        The work looks up itself what is the newest. The last try is made under the project's lock, where nobody can
        be faster.

        :raises Refused: when somebody else held the project's lock for too long.
        """
        if has_begun(self.folder):
            return work()
        for _ in range(_TRIES):
            with beginning_from_now(self.folder), suppress(Overtaken), unless_deleted(self.folder):
                return work()
        with self.locked(), beginning_from_now(self.folder):
            return work()

    def complete(self) -> None:
        """Complete what a killed process had begun to rename, unless somebody is at it now."""
        if pending(self.folder):
            with suppress(Refused, OSError), self.locked(patience=0.0), unbroken():
                complete(self.folder)


def on_newest(
    work: Callable[Concatenate[Project, Given], Made],
) -> Callable[Concatenate[Project, Given], Made]:
    """Let a function of a project be done again where somebody else published before it; see `Project.on_newest`."""

    @wraps(work)
    def again(project: Project, /, *given: Given.args, **named: Given.kwargs) -> Made:
        return project.on_newest(lambda: work(project, *given, **named))

    return cast(Callable[Concatenate[Project, Given], Made], again)


def project(name: str) -> Project:
    """The project of that name, which must exist.

    :raises Refused: when the name cannot be a name, no such project exists, or it is of another format.
    """
    found = project_to_be(name)
    _ = found.info
    return found


def _none_of_that_name(name: str) -> str:
    known = projects()
    for one in known:
        if name in one.info.former_names:
            return f"There is no project {name!r} any more: it is called {one.name!r} now."
    names = ", ".join(sorted(one.name for one in known)) or "none yet"
    return f"There is no project {name!r}. Known projects: {names}."


def project_to_be(name: str) -> Project:
    """The project of that name, whether it exists yet or not.

    :raises Refused: when the name cannot be a name, or there is such a project of another format.
    """
    found = Project(settings().home / check_project_name(name))
    found.complete()
    if found.exists:
        with suppress(Failed):  # Whoever reads project.json says what is wrong with it.
            _ = found.info
    return found


def project_of_any_format(name: str) -> Project:
    """The project of that name, to take its votes and query sets out: these are written alike in every format.

    :raises Refused: when the name cannot be a name, or no such project exists.
    """
    with suppress(OtherFormat, Failed):
        return project(name)
    return Project(settings().home / name)


def project_in_any_state(name: str) -> Project:
    """The folder of that name, to delete or check it: its project.json may be damaged or of another format.

    :raises Refused: when the name cannot be a name, or no such folder exists.
    """
    found = Project(settings().home / check_project_name(name))
    return found if found.folder.is_dir() else project(name)


def projects() -> list[Project]:
    """All projects of the workspace that can be read, the newest first."""
    sound = [project for project in _folders() if _why_unusable(project) is None]
    return sorted(sound, key=lambda project: project.info.created, reverse=True)


def all_projects() -> list[Project]:
    """All projects of the workspace, those that cannot be opened, too: what is theirs is not to be taken for nobody's."""
    return _folders()


def unusable_projects() -> list[tuple[Project, BespokeError]]:
    """Projects that are damaged or of another format, and what is said of each: they must not lock the others out."""
    found = ((project, _why_unusable(project)) for project in _folders())
    return [(project, error) for project, error in found if error is not None]


def _folders() -> list[Project]:
    home = settings().home
    if not home.is_dir():
        return []
    found = [Project(folder) for folder in home.iterdir() if not folder.name.startswith(".")]
    for project in found:
        project.complete()
    return [project for project in found if project.exists]


def _why_unusable(project: Project) -> BespokeError | None:
    try:
        _ = project.info
    except BespokeError as error:
        return error
    return None
