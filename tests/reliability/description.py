"""What a workspace holds, in a form in which two that were made by the same commands are equal.

No id, time or path stands in it: artifacts are named by kind and number, in the order in which they were made.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

from search.corpus.corpus import current_corpus
from search.evaluation.query_sets.seal import seals
from search.judging.safekeeping import problem_in_file
from search.judging.store import JudgmentStore
from search.judging.votes_file import opened
from search.models.encoding.cache import STORE, EmbeddingStore
from search.models.encoding.cache_segments import KEYS
from search.models.registry import models
from search.projects.artifacts import Kind, Manifest
from search.projects.check import ASIDE, check_project, check_workspace
from search.projects.damage import noticed
from search.projects.errors import BespokeError
from search.projects.ledger import noted, notes
from search.projects.members import members
from search.projects.project import Project, projects, unusable_projects
from search.projects.runs import OVER, runs
from search.projects.settings import settings
from search.retrieval.history import recent

Description = dict[str, Any]
_NOT_OF_IT = {"created", "id", "run"}
_HOW = {"seconds", "ms", "milliseconds", "encoding", "reused"}
"""Facts of how something was computed: how long it took, and what of it the embedding store knew already."""

_TABLES = (
    # Of the votes: a table, what of it is the same each time, in which order, and how many columns say what a row is about.
    ("judges", "name", "folded", 1),
    ("questions", "id, text, origin", "id", 1),
    ("settings", "name, CASE WHEN name = 'secret' THEN '' ELSE value END", "name", 1),
    ("marks", "judge, question, kind, target, value, final, details, token, undoes", "number", 0),
    ("rankings", 'question, "column", version, found', "question, 2, version", 3),
)


def described(base: str) -> Description:
    """What stands in a workspace, and in the folders beside it that a command writes into.

    :param base: the folder that is called BASE; the workspace is in it.
    :returns: `items`, all that was acknowledged, by name; `store`, how many vectors are remembered; `problems`, what must never be; `left`, what nobody needs.
    """
    noticed()
    home = settings().home
    items: dict[str, Any] = {}
    problems = [f"{one.name}: {error}" for one, error in unusable_projects()]
    for project in projects():
        try:
            items.update(_project(project, base))
        except BespokeError as error:
            problems.append(f"{project.name}: {error}")
        found = list(check_project(project, problem_in_file))
        problems += [one.sentence for one in found if not one.left_over]
        problems += [
            f"{run.id} is {run.status.state}"
            for run in runs(project)
            if run.status.state not in OVER
        ]
    problems += noticed()
    for path in sorted(Path(base, "out").rglob("*")):
        name = path.relative_to(base)
        if path.is_file() and not any(part[0] == "." for part in name.parts):
            items[name.as_posix()] = path.stat().st_size > 0
    store = dict(_store(home))
    return {
        "items": items,
        "store": store,
        "problems": problems,
        "left": sorted(_left(home, Path(base))),
    }


def _project(project: Project, base: str) -> dict[str, Any]:
    info = project.info
    known = {kind: project.manifests(kind) for kind in get_args(Kind)}
    names = {
        manifest.id: f"{kind}/{number}"
        for kind, manifests in known.items()
        for number, manifest in enumerate(manifests)
    }
    names[base] = "BASE"
    items: dict[str, Any] = {"info": _plain(info.model_dump(exclude=_NOT_OF_IT), names)}
    for manifests in known.values():
        for manifest in manifests:
            items[names[manifest.id]] = _artifact(project, manifest, names)
    items["models"] = [info.name for info in models(project)]
    items["members"] = sorted([one.person, one.role] for one in members(project))
    items["asked"] = recent(project, 100)
    # Which evaluation looked first is none of it: one that is killed is counted, and measures again under another id.
    proof = {
        name: _without(noted(project, name), {"time", "evaluation"}) for name in notes(project, "")
    }
    items["proof"] = _plain(proof, names)
    items["opened"] = sum(not seal.closed for seal in seals(project))
    items["kept"] = len([*project.folder.glob(f"{ASIDE}/*"), *project.folder.glob(".*.damaged")])
    if known["corpora"]:
        items["documents"] = len(current_corpus(project)[1])
    items.update(_votes(project, names))
    return {f"{project.name}/{name}": content for name, content in items.items()}


def _artifact(project: Project, manifest: Manifest, names: dict[str, str]) -> Any:
    folder = project.checked(manifest)
    facts = _without(_plain(manifest.model_dump(exclude=_NOT_OF_IT), names), _HOW)
    facts["files"] = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()[:12]
        for name in manifest.files
    }
    return facts


def _votes(project: Project, names: dict[str, str]) -> Iterator[tuple[str, Any]]:
    store = JudgmentStore.of(project)
    if not store.path.is_file():
        yield from ((f"votes/{table}", []) for table, *_ in _TABLES)
        return
    with opened(store.path, to_write=False) as votes:
        for table, columns, order, keys in _TABLES:
            rows = votes.execute(f"SELECT {columns} FROM {table} ORDER BY {order}").fetchall()
            content = _plain([list(row) for row in rows], names)
            # Judgments have an order; all else is known by what it is about.
            keyed = {json.dumps(row[:keys]): row[keys:] or [True] for row in content}
            yield f"votes/{table}", content if table == "marks" else keyed or []


def _store(home: Path) -> Iterator[tuple[str, Any]]:
    """How many vectors the embedding store has of each model."""
    for folder in sorted((home / STORE).glob("[!.]*")):
        with closing(EmbeddingStore(folder, int(folder.name.split("-")[-2]), 1 << 30)) as store:
            if len(store):
                yield f"{STORE}/{folder.name}", len(store)


def _left(home: Path, base: Path) -> Iterator[str]:
    """Hidden files and folders that are none of those that stay, owners, what lies in the temporary folder."""
    stay = {".locks", ".logs", ".audit", ".people", STORE}
    for path in home.rglob(".*"):
        if path.name not in stay and not _is_kept(path):
            yield path.relative_to(base).as_posix()
    for pattern in (".locks/*.owner", ".locks/*/*", "*/runs/*/owner", "*/runs/*/cancel"):
        yield from (path.relative_to(base).as_posix() for path in home.glob(pattern))
    for keys in (home / STORE).glob(f"*/*{KEYS}"):
        if not keys.with_suffix(".vectors").is_file():
            yield keys.relative_to(base).as_posix()
    for folder in ("tmp", "out"):
        for path in (base / folder).iterdir():
            hidden = folder == "out" and path.name[0] == "."
            # A folder that was made a moment before the kill, and in which nothing is yet, goes after a minute.
            begun = folder == "tmp" and (path.is_file() or any(path.iterdir()))
            if hidden or begun:
                yield f"{folder}/{path.name}"
    yield from (one.sentence for one in check_workspace(home))
    for project in projects():
        found = [one for one in check_project(project, problem_in_file) if one.left_over]
        yield from (one.sentence for one in found if not _is_kept(one.where))


def _is_kept(path: Path) -> bool:
    """Whether repair keeps something because it could be somebody's only copy."""
    return ASIDE in path.parts or path.name.endswith(".damaged")


def _without(content: Any, names: set[str]) -> Any:
    """Content without the facts of some names."""
    if isinstance(content, dict):
        return {key: _without(inner, names) for key, inner in content.items() if key not in names}
    if isinstance(content, list):
        return [_without(inner, names) for inner in content]
    return content


def _plain(content: Any, names: dict[str, str]) -> Any:
    """Content with the names of artifacts in place of their ids."""
    text = json.dumps(content, sort_keys=True)
    for identity, name in names.items():
        text = text.replace(identity, name)
    return json.loads(text)
