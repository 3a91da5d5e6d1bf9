"""Deleting: what goes with what, what stays, and that it is gone.

What cannot stand alone goes with what it was made from: an index answers nothing without its corpus, an evaluation holds
the queries of its query set. Models that were trained stay, and so does what people judged. A deletion is worked out
first (`planned`, `planned_project`), so that it can be said; then it is carried out in one step (`search.projects.graves`).
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast, get_args

from search.models.changing import stands_on
from search.models.encoding.cache_removal import (
    StoreUse,
    sweep_is_wanted,
    sweep_store,
    use_of,
    want_sweep,
)
from search.models.registry import BUILT_IN, find_model, models
from search.projects import graves, runs
from search.projects.artifacts import KIND_NAMES, Kind, Manifest, read_manifest
from search.projects.dependents import GO_WITH
from search.projects.errors import BespokeError, Refused
from search.projects.journal import complete
from search.projects.project import Project, all_projects
from search.projects.restore import sweep_restoring
from search.projects.scratch import sweep_scratch
from search.projects.settings import settings
from search.retrieval.indexing.servers import leave_servers, sweep_what_answers

UPLOADS = "uploads"
ANSWERS = "answers"
"""The folder of what chat servers wrote about a project's passages (`training.synthetic.chat.answers`)."""
VOTES = "judgments/judgments.sqlite"
# Vectors of texts that no manifest names: they go with whatever the texts may have been of, and are computed again.
_OF_ANY_TEXT: dict[Kind, tuple[Kind, ...]] = {
    "corpora": ("vectors",),
    "pairs": ("vectors", "vocabularies"),
    "queries": ("vectors", "vocabularies"),
}
_SOURCES: tuple[Kind, ...] = ("corpora", "pairs", "queries")


@dataclass(frozen=True)
class Deletion:
    """What a deletion takes along, and what it leaves.

    `parts` are paths inside the project, what was asked for first; `along` and `stays` are the artifacts made from it that
    go and stay; `notes` are sentences on what else is to be known before it is done.

    >>> from pathlib import Path
    >>> Deletion(Project(Path("workspace/Law")), "The model 'mine'", notes=("Two pages show it.",)).lines
    ["The model 'mine' will be deleted.", 'Two pages show it.']
    """

    project: Project
    what: str
    parts: tuple[str, ...] = ()
    along: tuple[Manifest, ...] = ()
    stays: tuple[Manifest, ...] = ()
    notes: tuple[str, ...] = ()
    manifests: tuple[Manifest, ...] = field(default=(), repr=False)

    @property
    def sentence(self) -> str:
        """What goes, in a sentence for whoever is asked."""
        if not self.along:
            return f"{self.what} will be deleted."
        were = "was" if len(self.along) == 1 else "were"
        go = "goes" if len(self.along) == 1 else "go"
        return f"{self.what} will be deleted. {_counted(self.along)} {were} made from it and {go} with it."

    @property
    def lines(self) -> list[str]:
        """All that is to be said before it is done, a sentence each."""
        said = [self.sentence]
        if self.stays:
            stay = "stays" if len(self.stays) == 1 else "stay"
            said.append(f"{_counted(self.stays)} made from it {stay}.")
        return [*said, *self.notes]


def planned(project: Project, kind: Kind, identity: str) -> Deletion:
    """What it means to delete an artifact: one that is damaged can be deleted, too.

    :raises Refused: when there is none, or it is the model that is called generic.
    """
    if identity not in names(project, kind):
        raise Refused(f"There is no {KIND_NAMES[kind]} {identity!r} in {project.name!r}.")
    if kind == "models" and identity == project.info.generic:
        raise Refused(
            f"This model is called generic in {project.name!r}. Choose another one first: python cli.py default-model "
            f"{project.name!r} MODEL."
        )
    known = list(_manifests(project))
    along, stays = _made_from(project, kind, identity, known)
    mine = [m for m in known if (m.kind, m.id) == (kind, identity)]
    parts = [f"{kind}/{identity}", *(f"{m.kind}/{m.id}" for m in along)]
    if kind in _SOURCES and not _going(project):  # Files as they came, of which this was made.
        uploads = (project.folder / UPLOADS).glob("[!.]*")
        parts += [f"{UPLOADS}/{folder.name}" for folder in sorted(uploads)]
    if kind in (
        "corpora",
        "pairs",
    ):  # What was written about its passages, in the style of its queries.
        answers = (project.folder / ANSWERS).glob("[!.]*")
        parts += [f"{ANSWERS}/{folder.name}" for folder in sorted(answers)]
    return Deletion(
        project,
        f"The {KIND_NAMES[kind]} {describe(mine[0]) if mine else identity}",
        tuple(parts),
        tuple(along),
        tuple(stays),
        tuple(_notes(project, kind, identity, stays)),
        (*mine, *along),
    )


def planned_model(project: Project, name: str) -> Deletion:
    """What it means to delete a model by its name.

    :raises Refused: for an unknown model, the built-in one, and the one that is called generic.
    """
    info = find_model(project, name)
    if info.id == BUILT_IN:
        raise Refused(f"{name!r} comes with Bespoke and cannot be removed.")
    return planned(project, "models", info.id)


def planned_removal(project: Project, name: str) -> Deletion:
    """What it means to take a model away with its indexes: evaluations stay, and so does what was encoded.

    :raises Refused: for the built-in model, the one that is called generic, and one that another model stands on.
    """
    deletion = planned_model(project, name)
    above = [m.details["name"] for m in deletion.along if m.kind == "models"]
    if above:
        raise Refused(
            f"{', '.join(above)} cannot do without {name!r}. Remove what stands on it first."
        )
    return deletion


def planned_project(project: Project) -> Deletion:
    """What it means to delete a project.

    :raises Refused: when there is none.
    """
    if not project.folder.is_dir():
        raise Refused(f"There is no project {project.name!r}.")
    known = tuple(_manifests(project))
    notes = []
    if going := _going(project):
        named = ", ".join(run.verb or "a run" for run in going)
        notes.append(f"What is going on in it is stopped first: {named}.")
    if count := _votes(project):
        judged = (
            "1 judgment of a person goes" if count == 1 else f"{count:,} judgments of people go"
        )
        notes.append(
            f"{judged} with it. To keep them: python cli.py judgments '{project.name}' --export FILE.csv."
        )
    notes.append(
        "Its uploads, its history and its runs go, too. What was exported or backed up lies elsewhere and stays."
    )
    holds = f" with {_counted(known)}" if known else ""
    return Deletion(
        project, f"The project {project.name!r}{holds}", notes=tuple(notes), manifests=known
    )


def store_sentence(use: StoreUse) -> str:
    """What the shared embedding store has of a project's texts, and what becomes of it."""
    if not use.vectors:
        return "The embedding store has no vectors of its texts that are known."
    stay = (
        f", of which {use.shared:,} stay: other projects have the same texts" if use.shared else ""
    )
    return f"The embedding store, which all projects share, has {use.vectors:,} vectors of its texts{stay}."


def look_into_store(project: Project) -> StoreUse:
    """What the shared embedding store has of a project's texts."""
    return use_of(project, [other for other in all_projects() if other.name != project.name])


def delete(deletion: Deletion) -> list[str]:
    """Delete artifacts as planned; what they have on a server goes, too, as soon as that answers.

    What was made of it since goes along, as nobody could use it.

    :returns: what is to be said of it, in sentences.
    :raises Refused: when it is not there (any more), a model that cannot do without it was made since, or somebody works
        on the project and does not stop.
    """
    project = deletion.project
    kind, identity = deletion.parts[0].split("/")
    with project.locked():
        complete(project.folder)
        now = planned(project, cast(Kind, kind), identity)
        said = {manifest.id for manifest in deletion.along}
        new = [m.details["name"] for m in now.along if m.kind == "models" and m.id not in said]
        if new:
            raise Refused(
                f"Since you were asked, {', '.join(map(repr, new))} was made, which cannot do without it and would go, too. "
                "Nothing was deleted: look again, and delete it then."
            )
        graves.bury(project, now.parts)
    return _left_on_servers(project, now.manifests)


def delete_project(project: Project, vectors: bool = False) -> list[str]:
    """Delete a project: it is out of sight in one step.

    :param vectors: whether the shared embedding store is to keep only vectors that other projects' texts need.
    :returns: what is to be said of it, in sentences.
    :raises Refused: when it is not there, or somebody works on it and does not stop.
    """
    return gone_for_good(*out_of_sight(project, vectors))


def out_of_sight(project: Project, vectors: bool) -> tuple[Path, StoreUse | None]:
    """The first half of `delete_project`: its grave, and how much of the store is its own, where that goes, too.

    Who is killed after this, or never does the second half, leaves that to the next process that starts.
    """
    for run in _going(project):
        run.cancel()
    use = look_into_store(project) if vectors else None
    if vectors:
        want_sweep()
    return graves.bury_project(project), use


def gone_for_good(grave: Path, use: StoreUse | None) -> list[str]:
    """The second half; returns what is to be said of it."""
    said: list[str] = []
    graves.empty_grave(grave, lambda buried: said.extend(_left_on_servers(buried)))
    sweep_scratch()
    return said if use is None else [*said, _swept(use)]


def finish_deletions() -> None:
    """Finish what was cut off: called when a command or the app starts. Nothing that fails here stops them."""
    with suppress(OSError, BespokeError):
        sweep_restoring(settings().home)
        sweep_scratch()
        if graves.graves(settings().home):
            graves.sweep(settings().home, _left_on_servers)
        sweep_what_answers()
        if sweep_is_wanted():
            sweep_store(all_projects())


def of_kind(project: Project, kind: Kind) -> list[Manifest]:
    """The artifacts of a kind that can be read, the oldest first."""
    return [manifest for manifest in _manifests(project) if manifest.kind == kind]


def names(project: Project, kind: Kind) -> set[str]:
    """The names of the folders of a kind, whatever is in them."""
    folders = (project.folder / kind).glob("[!.]*")
    return {folder.name for folder in folders if folder.is_dir()}


def describe(manifest: Manifest) -> str:
    """An artifact as people know it: its name, or what is in it, and when it was made."""
    details, when = manifest.details, manifest.created[:16].replace("T", " ")
    if "name" in details:
        return repr(details["name"])
    holds = {
        "corpora": (("documents", "documents"),),
        "pairs": (("pairs", "pairs"),),
        "queries": (("queries", "queries"),),
        "evaluations": (("queries", "queries"),),
    }.get(manifest.kind, ())
    counts = [
        f"{details[key]:,} {noun}" for key, noun in holds if isinstance(details.get(key), int)
    ]
    if manifest.kind == "indexes":
        counts = [str(details.get("model", manifest.made_from.get("model", "")))]
    return f"of {when} UTC ({', '.join([*filter(None, counts), manifest.id])})"


def _made_from(
    project: Project, kind: Kind, identity: str, known: Sequence[Manifest]
) -> tuple[list[Manifest], list[Manifest]]:
    """What was made from an artifact, at any distance: what goes with it, and what stays."""
    along: dict[tuple[str, str], Manifest] = {}
    stays: dict[tuple[str, str], Manifest] = {}
    waiting = [(kind, identity)]
    while waiting:
        above, name = waiting.pop()
        for manifest in known:
            key = (manifest.kind, manifest.id)
            if key in along or key == (kind, identity):
                continue
            stands = (
                manifest.kind == "models"
                and above == "models"
                and _needs(project, manifest.id, name)
            )
            made = name in manifest.made_from.values()
            of_any = above == kind and manifest.kind in _OF_ANY_TEXT.get(above, ())
            if stands or of_any or (made and manifest.kind in GO_WITH.get(above, ())):
                along[key] = manifest
                waiting.append((manifest.kind, manifest.id))
            elif made:
                stays[key] = manifest
    return list(along.values()), [m for key, m in stays.items() if key not in along]


def _needs(project: Project, identity: str, beneath: str) -> bool:
    """Whether a model cannot be used without another."""
    with suppress(BespokeError):
        by_id = {info.id: info for info in models(project)}
        if identity in by_id and beneath in by_id:
            return stands_on(project, by_id[identity], by_id[beneath])
    return False


def _notes(project: Project, kind: Kind, identity: str, stays: Sequence[Manifest]) -> Iterator[str]:
    if kind == "corpora":
        others = [m for m in of_kind(project, "corpora") if m.id != identity]
        if not others:
            yield "It is the only version: the project has no documents then."
        else:
            yield "Other versions stay, with the documents that they have in common with it."
    if kind in _SOURCES and any(m.kind == "models" for m in stays):
        yield "A model may still know words and phrases that it was trained on."
    if kind == "queries" and _votes(project):
        yield "Questions that people judged stay with their votes."
    if kind == "queries":
        yield "What was measured on it, and what of it is sealed, stays noted by hashes of its queries."
    if kind in ("indexes", "maps", "vocabularies", "vectors"):
        yield "It is made again when it is needed."
    if kind == "models":
        yield "Evaluations that measured it stay readable."
    if kind in _SOURCES:
        yield (
            "Vectors in the shared embedding store stay until the project is deleted with its vectors, or until: "
            "python cli.py check --repair --vectors."
        )


def _going(project: Project) -> list[runs.Run]:
    own = settings().run_folder
    return [r for r in runs.runs(project) if r.status.state not in runs.OVER and r.folder != own]


def _votes(project: Project) -> int:
    path = project.folder / VOTES
    if not path.is_file():
        return 0
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as votes,
    ):
        return int(votes.execute("SELECT count(*) FROM marks").fetchone()[0])
    return 0


def _manifests(project: Project) -> Iterator[Manifest]:
    """Every artifact that can be read; a damaged one keeps nobody from deleting another."""
    for kind in get_args(Kind):
        for folder in sorted((project.folder / kind).glob("[!.]*")):
            with suppress(BespokeError):
                yield read_manifest(folder)


def _left_on_servers(project: Project, indexes: Sequence[Manifest] | None = None) -> list[str]:
    """See that indexes leave their servers; says which did not answer.

    :param indexes: of the project; None for all.
    """
    manifests = of_kind(project, "indexes") if indexes is None else indexes
    return [
        f"The server did not answer: its collection {name} is removed by the next command that finds it again, or by "
        "python cli.py check --repair."
        for name in leave_servers(project, manifests)
    ]


def _swept(use: StoreUse) -> str:
    try:
        gone, busy = sweep_store(all_projects())
    except OSError as error:
        return f"The embedding store could not be swept ({error.strerror}); the next command tries again."
    shared = (
        f" {use.shared:,} of its texts' vectors stay: other projects need them."
        if use.shared
        else ""
    )
    later = " Another process is writing there: the next command removes the rest." if busy else ""
    return f"{gone:,} vectors are gone from the embedding store.{shared}{later}"


def _counted(manifests: Sequence[Manifest]) -> str:
    """Artifacts by kind, as people count them: 3 indexes, 2 evaluations."""
    plurals = {"corpora": "versions of documents", "indexes": "indexes", "queries": "query sets", "pairs": "sets of pairs",
               "vectors": "sets of vectors", "vocabularies": "vocabularies"}  # fmt: skip
    singular = {**KIND_NAMES, "corpora": "version of documents"}
    counts = Counter(manifest.kind for manifest in manifests)
    words = [
        f"{n:,} {singular[kind] if n == 1 else plurals.get(kind, KIND_NAMES[kind] + 's')}"
        for kind, n in counts.items()
    ]
    return ", ".join(words)
